"""PostgreSQL: the filter of an article's pairs of adjacent words, compressed texts of the index, a short pending list.

A row without a filter is one of an older analysis; the index rebuild after the migrations fills it. No statement reads
or rewrites a row: the settings hold for what is written from now on.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

# The filter must lie in the row itself, where it is read before anything that is stored out of line.
# LZ4 is a matter of how the server was built, and came with version 14; without it PostgreSQL's own method compresses
# the texts, but not the lexemes, which it takes for incompressible.
LZ4 = """
DO $$ BEGIN
    EXECUTE 'ALTER TABLE search_document ALTER words SET COMPRESSION lz4, ALTER forms SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported OR syntax_error THEN NULL;
END $$
"""
# What is published goes to the pending list of the GIN index first, which each look-up reads to its end: 4 MB of it,
# as by default, took up to 3 ms for each.
PENDING = "SET (gin_pending_list_limit = 512)"
POSTGRES = (
    "ALTER TABLE search_document ADD COLUMN pairs BYTEA",
    "ALTER TABLE search_document ALTER pairs SET STORAGE PLAIN, ALTER words SET STORAGE EXTENDED,"
    " ALTER forms SET STORAGE EXTENDED",
    LZ4,
    f"ALTER INDEX ix_search_document_words {PENDING}",
    f"ALTER INDEX ix_search_document_others {PENDING}",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for statement in POSTGRES:
        op.execute(statement)
