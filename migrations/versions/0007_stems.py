"""The search index emptied: stems apart from their languages, statuses of what is hidden only, slim rows.

The rebuild that follows the migrations fills it.
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
# A search that counts ten thousand matches reads the status and the times of each of them. They lie close together,
# and `words` and `forms` elsewhere even when they are short, so that such a count reads few pages. EXTERNAL: the two
# are neither compressed when they are written nor unpacked when they are read.
POSTGRES = (
    "TRUNCATE search_document",
    "ALTER TABLE search_document ALTER words SET STORAGE EXTERNAL, ALTER forms SET STORAGE EXTERNAL",
    "ALTER TABLE search_document SET (toast_tuple_target = 128)",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
