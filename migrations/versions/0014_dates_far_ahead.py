"""Articles that are dated far ahead are listed at their reception, those of older releases too.

What is served stays as it was sent: only the time by which lists order an article changes. A time within a day of the
newest version, or of the end of the embargo, orders it as before.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

DAY = 24 * 3_600_000


def upgrade() -> None:
    op.execute(
        f"UPDATE article SET published_at = created_at WHERE published_at > updated_at + {DAY}"
        f" AND (embargoed_until IS NULL OR published_at > embargoed_until + {DAY})"
    )
