"""Packed sources: from here on `version.source` may hold an article as sent as its difference from what is served.

No column changes, and no row is written: sources that are stored stay as they are, and are read as before. But releases
before cannot read the new ones, so they must refuse the database, which they do by the number of this revision.
"""

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    pass
