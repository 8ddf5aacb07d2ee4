"""The column `index_version`: each row of the search index names the version with which it was written.

'1/' is the analysis of 0007 with an unknown release of the stemmer. '' is a row without words, which the index rebuild
after the migrations fills. After this revision every article has a row. The default '1/' is for rows that servers of an
earlier release still write; a constant default rewrites no row.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

SQLITE = (
    "ALTER TABLE search_place ADD COLUMN index_version TEXT NOT NULL DEFAULT '1/'",
    "UPDATE search_place SET index_version = '' WHERE position NOT IN (SELECT rowid FROM search_index)",
    "CREATE INDEX ix_search_place_index_version ON search_place (index_version)",
)
POSTGRES = (
    "ALTER TABLE search_document ADD COLUMN index_version TEXT COLLATE \"C\" NOT NULL DEFAULT '1/'",
    "INSERT INTO search_document (number, status, published_at, updated_at, expires_at, words, forms, index_version)"
    " SELECT number, status, published_at, updated_at, expires_at, '', '{}', '' FROM article"
    " ON CONFLICT (number) DO NOTHING",
    "CREATE INDEX ix_search_document_index_version ON search_document (index_version)",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
