"""Saved feeds with tokens, the nonce of signing keys, and the time of the last change in the head."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sa.UniqueConstraint("party", "name", name="uq_feed_party_name"),
        sa.UniqueConstraint("token", name="uq_feed_token"),
    )
    op.add_column("api_key", sa.Column("nonce", sa.Text(), nullable=True))
    op.add_column("head", sa.Column("changed_at", sa.BigInteger(), nullable=False, server_default="0"))
