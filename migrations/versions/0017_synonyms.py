"""The operator's dictionary of synonyms."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "synonyms",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_synonyms_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_synonyms"),
    )
