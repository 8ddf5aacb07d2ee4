"""The table of labels (names of sections, keywords, authors). The index rebuild after the migrations fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "label",
        sa.Column("term", bytewise, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("words", bytewise, nullable=False),
        sa.PrimaryKeyConstraint("term", name="pk_label"),
    )
    op.create_index("ix_label_kind_words_term", "label", ["kind", "words", "term"], unique=False)
