"""The column `grammar` of a saved feed: in which grammar its `q` is read. All feeds so far were saved in the first."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # A constant default rewrites no row, on either engine.
    op.add_column("feed", sa.Column("grammar", sa.Integer(), nullable=False, server_default="1"))
