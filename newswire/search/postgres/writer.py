"""Writer of the search index on PostgreSQL: one tsvector for each article, made of lexemes of our own analysis.

A tsvector holds at most 256 positions of a word and none beyond 16,383, so positions would lose the phrases of long
articles. Instead each row has a filter of its pairs of adjacent words (`pair_filter`), and a phrase is confirmed in the
column `forms`, the words in order. Only pairs of frequent words have a lexeme (a hash): 62 of the 384 pairs of an
article of 400 words, whose index is a third of what it was with all of them (docs/decisions/0044).

A lexeme has a weight only if the word is not in the body. For each other field a word has one more lexeme, because
weights are not in the index, and a search in a field would have to read every article with the word (557 ms for
`headline:` with a common word, docs/decisions/0004).

No lexeme is common to all usable articles, because GIN would read its posting list, as long as the wire, beside that of
every other word. So `status` is a column, and a partial index covers the usable articles. Queries are not here.
"""

from collections.abc import Collection
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text, bindparam, delete, insert, update
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from newswire.article import ArticleState
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.index_version import INDEX_VERSION
from newswire.search.languages import language_term
from newswire.search.name_fields import name_terms
from newswire.search.postgres import time_buckets
from newswire.search.postgres.frequent_words import is_frequent_pair
from newswire.search.postgres.pair_filter import Pair, make_filter
from newswire.search.postgres.tsquery import OWN, field_lexeme, pair_lexemes
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
    Column("pairs", LargeBinary),
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
        "updated_at": held.updated_at, "expires_at": held.expires_at, "index_version": INDEX_VERSION,
        **word_columns(held.published_at, terms, analysed),
    }  # fmt: skip


def word_columns(published_at: int, terms: frozenset[str], analysed: Analysed) -> dict[str, Any]:
    """The columns with the words of an article: its lexemes, its forms in order, and the filter of its pairs."""
    pairs = {pair for field in FIELDS for pair in pairwise(analysed.forms[field])}
    frequent = {pair for pair in pairs if is_frequent_pair(*pair)}
    return {
        "words": tsvector_text(published_at, terms, analysed, frequent),
        "forms": [f" {' '.join(analysed.forms[field])} " for field in FIELDS],
        "pairs": make_filter(pairs - frequent),
    }


def tsvector_text(published_at: int, terms: frozenset[str], analysed: Analysed, frequent: Collection[Pair]) -> str:
    """A tsvector in its text form; `frequent` are the pairs that have a lexeme.

    Only forms begin with a letter or digit, so a search by prefix finds only these.
    """
    tokens = {field: {*analysed.forms[field], *analysed.bare_stems(field, "=")} for field in FIELDS}
    elsewhere = set().union(*(tokens[field] for field in OWN)) - tokens["body"]
    bare = {
        *tokens["body"],
        *(field_lexeme(field, token) for field in OWN for token in tokens[field]),
        *(f"_{name}" for name in terms),
        f"_{language_term(analysed.language)}",
        *(f"_{name}" for name in name_terms(analysed)),
        *time_buckets.bucket_lexemes(published_at),
        *pair_lexemes(frequent),
    }
    # The position means nothing. It only carries a weight: D, which is not written.
    return " ".join([*(f"'{token}'" for token in bare), *(f"'{token}':1" for token in elsewhere)])
