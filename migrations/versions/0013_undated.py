"""The table of articles whose date is that of their import, because they had none of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "undated",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["article.number"], name="fk_undated_number"),
        sa.PrimaryKeyConstraint("number", name="pk_undated"),
    )
