"""Publications leave the segments of SQLite's search index to the worker: FTS5 itself merges from eight on, not four.

Where no worker runs that is the bound, at a lower cost. The setting is stored in the index.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

SQLITE = "INSERT INTO search_index (search_index, rank) VALUES ('automerge', 8)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SQLITE)
