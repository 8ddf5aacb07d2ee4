"""The search index built anew: stems apart from their languages, statuses of what is hidden only, slim rows."""

from alembic import op

from newswire.search.rebuild import rebuild

revision = "0007"
down_revision = "0006"

FIELDS = ("headline", "summary", "body", "caption", "byline")
COLUMNS = ", ".join((*FIELDS, *(f"{field}_stems" for field in FIELDS), "terms"))
SQLITE = (
    "DROP TABLE search_index",
    f"CREATE VIRTUAL TABLE search_index USING fts5({COLUMNS}, tokenize = \"ascii tokenchars '_'\")",
)
# What is looked at for each match (a status, times) lies close together, and words and forms elsewhere, however little
# room they would take: so a count of ten thousand matches reads few pages. EXTERNAL: neither compressed when
# written nor unpacked when read.
POSTGRES = (
    "TRUNCATE search_document",
    "DROP INDEX ix_search_document_words",
    "DROP INDEX ix_search_document_others",
    "ALTER TABLE search_document ALTER words SET STORAGE EXTERNAL, ALTER forms SET STORAGE EXTERNAL",
    "ALTER TABLE search_document SET (toast_tuple_target = 128)",
)
# Afterwards, for that is several times faster than to keep them up to date.
INDEXES = (
    "CREATE INDEX ix_search_document_words ON search_document USING gin (words) WHERE status = 'usable'",
    "CREATE INDEX ix_search_document_others ON search_document USING gin (words) WHERE status <> 'usable'",
)


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if on_sqlite else POSTGRES:
        op.execute(statement)
    rebuild(op.get_bind())
    for statement in () if on_sqlite else INDEXES:
        op.execute(statement)
