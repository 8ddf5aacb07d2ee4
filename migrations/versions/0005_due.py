"""The column `due_at`: when an article must be released or expires; the worker looks it up in an index."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("article", sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_article_due_at", "article", ["due_at"], unique=False)
    op.execute(
        "UPDATE article SET due_at = CASE status WHEN 'withheld' THEN embargoed_until WHEN 'usable' THEN expires_at END"
        " WHERE embargoed_until IS NOT NULL OR expires_at IS NOT NULL"
    )
