"""PostgreSQL: a search index with time buckets, fields without weights, and a GIN index for usable articles only."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = (
    "DROP TABLE search_document",
    "CREATE TABLE search_document (number BIGINT PRIMARY KEY, status TEXT NOT NULL, published_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL, expires_at BIGINT, words tsvector NOT NULL, forms text[] NOT NULL)",
)
INDEXES = (
    "CREATE INDEX ix_search_document_published_at ON search_document (published_at, number)",
    "CREATE INDEX ix_search_document_words ON search_document USING gin (words) WHERE status = 'usable'",
    "CREATE INDEX ix_search_document_others ON search_document USING gin (words) WHERE status <> 'usable'",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    # The index rebuild after the migrations fills the table.
    for statement in (*TABLE, *INDEXES):
        op.execute(statement)
