"""An empty search index: stems without languages, status terms for hidden articles only, and slim rows.

The index rebuild after the migrations fills it.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

FIELDS = ("headline", "summary", "body", "caption", "byline")
COLUMNS = ", ".join((*FIELDS, *(f"{field}_stems" for field in FIELDS), "terms"))
SQLITE = (
    "DROP TABLE search_index",
    f"CREATE VIRTUAL TABLE search_index USING fts5({COLUMNS}, tokenize = \"ascii tokenchars '_'\")",
)
# A search that counts ten thousand matches reads the status and the times of each. A low TOAST target moves even short
# `words` and `forms` out of the row, so that such a count reads few pages. EXTERNAL saves their compression on writing
# and decompression on reading.
POSTGRES = (
    "TRUNCATE search_document",
    "ALTER TABLE search_document ALTER words SET STORAGE EXTERNAL, ALTER forms SET STORAGE EXTERNAL",
    "ALTER TABLE search_document SET (toast_tuple_target = 128)",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
