"""The form in which each version is stored, so that whoever reads it knows which fields it lacks (decision 0012)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Every version so far is of the first form. A constant default rewrites no row, on either engine.
    op.add_column("version", sa.Column("form", sa.Integer(), nullable=False, server_default="1"))
