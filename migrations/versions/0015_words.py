"""The table of the words of the search index. The index rebuild after the migrations fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "word",
        sa.Column("length", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("word", bytewise, nullable=False),
        sa.Column("reversed", bytewise, nullable=False),
        sa.PrimaryKeyConstraint("length", "word", name="pk_word"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_word_length_reversed", "word", ["length", "reversed"], unique=False)
