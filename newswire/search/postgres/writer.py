"""Writing the search index on PostgreSQL: one tsvector for each article, made of our own words only.

A tsvector holds at most 256 positions of a word and none beyond 16,383, so positions cannot carry phrases of long
articles. Here a phrase is found through hashes of adjacent pairs of words, and one of three or more words is confirmed
in `forms`, the words in order. The weight of a lexeme says whether it stands in the body, where most words are; in
each other field it has a lexeme of its own, so that the index alone answers.

What all usable articles have in common is no lexeme: a list as long as the wire would be read for each other word. So
`status` is a column, and usable articles have an index of their own.
"""

from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, delete, insert
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from newswire.article import ArticleState
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.index_version import INDEX_VERSION
from newswire.search.languages import language_term
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
    """A tsvector in its text form. Only forms begin with a letter or digit, so a prefix finds nothing else."""
    marks: dict[str, str] = {}
    bare = {
        *(f"_{name}" for name in terms),
        f"_{language_term(analysed.language)}",
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
    return " ".join([f"'{token}':{found}" for token, found in marks.items()] + [f"'{token}'" for token in bare])
