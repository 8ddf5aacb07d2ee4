"""The column `form` of a version: the stored form, which tells readers the fields that are missing (decision 0012)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # All stored versions have the first form. A constant default rewrites no row, on either engine.
    op.add_column("version", sa.Column("form", sa.Integer(), nullable=False, server_default="1"))
