"""The column `limits` of a key: how many requests it may send in a window of time, null for the default limits."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE api_key ADD COLUMN limits TEXT")
