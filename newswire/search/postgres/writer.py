"""Writer of the search index on PostgreSQL: one tsvector for each article, made of lexemes of our own analysis.

A tsvector holds at most 256 positions of a word and none beyond 16,383, so positions would lose the phrases of long
articles. Instead each pair of adjacent words has a lexeme (a hash), and a phrase of three or more words is confirmed in
the column `forms`, the words in order. The weight of a lexeme says whether the word is in the body. For each other
field a word has one more lexeme, because weights are not in the index, and a search in a field would have to read every
article with the word (557 ms for `headline:` with a common word, docs/decisions/0004).

No lexeme is common to all usable articles, because GIN would read its posting list, as long as the wire, beside that of
every other word. So `status` is a column, and a partial index covers the usable articles. Queries are not here.
"""

from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, delete, insert, update
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from newswire.article import ArticleState
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.index_version import INDEX_VERSION
from newswire.search.languages import language_term
from newswire.search.name_fields import name_terms
from newswire.search.postgres import time_buckets
from newswire.search.postgres.tsquery import MARKS, OWN, field_lexeme, pair_lexemes
from newswire.store.statements import Statement

search_document = Table(
    "search_document",
    MetaData(),
    Column("number", BigInteger, primary_key=True),
    Column("status", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("words", TSVECTOR, nullable=False),
    Column("forms", ARRAY(Text), nullable=False),
    Column("index_version", Text, nullable=False),
)
ADD_ROW = Statement(insert(search_document))
OPEN_ROW = Statement(
    update(search_document).where(search_document.c.number == bindparam("which")).values(status=bindparam("opened"))
)
DELETE_ROW = Statement(delete(search_document).where(search_document.c.number == bindparam("number")))


def index_row(held: ArticleState, terms: frozenset[str], analysed: Analysed) -> dict[str, Any]:
    """The columns of a row of the index."""
    return {
        "number": held.number, "status": held.status.value, "published_at": held.published_at,
        "updated_at": held.updated_at, "expires_at": held.expires_at,
        "words": tsvector_text(held.published_at, terms, analysed),
        "forms": [f" {' '.join(analysed.forms[field])} " for field in FIELDS],
        "index_version": INDEX_VERSION,
    }  # fmt: skip


def tsvector_text(published_at: int, terms: frozenset[str], analysed: Analysed) -> str:
    """A tsvector in its text form. Only forms begin with a letter or digit, so a search by prefix finds only these."""
    marks: dict[str, str] = {}
    bare = {
        *(f"_{name}" for name in terms),
        f"_{language_term(analysed.language)}",
        *(f"_{name}" for name in name_terms(analysed)),
        *time_buckets.bucket_lexemes(published_at),
    }
    neighbours: set[tuple[str, str]] = set()
    for field in FIELDS:
        forms, mark = analysed.forms[field], MARKS[field]
        tokens = {*forms, *analysed.bare_stems(field, "=")}
        marks.update({token: f"{marks[token]},{mark}" if token in marks else mark for token in tokens})
        if field in OWN:
            bare.update(field_lexeme(field, token) for token in tokens)
        neighbours.update(pairwise(forms))
    bare.update(pair_lexemes(neighbours))
    return " ".join([f"'{token}':{mark}" for token, mark in marks.items()] + [f"'{token}'" for token in bare])
