"""Positions that name their history: the chain value of a consumer's position, and the former ids of the wire."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("consumer", sa.Column("chain", sa.Text(), nullable=True))
    op.create_table(
        "former_wire",
        sa.Column("wire", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("wire", name="pk_former_wire"),
    )
