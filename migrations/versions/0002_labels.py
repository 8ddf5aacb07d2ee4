"""The dictionary of labels, and terms that find what was last said of an author; both for the articles there are."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from newswire.search.names import label_words, labels_in
from newswire.visibility import profile_terms

revision = "0002"
down_revision = "0001"

BATCH = 500
CURRENT = sa.text(
    "SELECT article.number, version.version, version.rendered FROM article JOIN version"
    " ON version.number = article.number AND version.version = article.version"
    " WHERE article.number > :after ORDER BY article.number LIMIT :most"
)
LEARN = sa.text(
    "INSERT INTO label (term, kind, label, words) VALUES (:term, :kind, :label, :words) ON CONFLICT DO NOTHING"
)
ADD_TERMS = sa.text("UPDATE version SET terms = terms || ' ' || :terms WHERE number = :number AND version = :version")


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
    connection, after = op.get_bind(), 0
    while rows := connection.execute(CURRENT, {"after": after, "most": BATCH}).all():
        for row in rows:
            learn(connection, row, orjson.loads(b"{" + row.rendered + b"}"))
        after = rows[-1].number


def learn(connection: sa.Connection, row: Any, content: Mapping[str, Any]) -> None:
    labels = [{**named._asdict(), "words": label_words(named)} for named in labels_in(content)]
    if labels:
        connection.execute(LEARN, labels)
    if terms := sorted(profile_terms(content)):
        values = {"number": row.number, "version": row.version, "terms": " ".join(terms)}
        # The search index is built anew in 0007.
        connection.execute(ADD_TERMS, values)
