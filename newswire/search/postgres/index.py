"""Search on PostgreSQL: one tsvector for each article, made of our own words only.

A tsvector holds at most 256 positions of a word and none beyond 16,383, so positions cannot
carry phrases of long articles. Here a phrase is found through hashes of adjacent pairs of
words, and one of three or more words is confirmed in `forms`, the words in order. The
weight of a lexeme says whether it stands in the body, where most words are; in each other
field it has a lexeme of its own, so that the index alone answers.

Newest first, neither of the planner's plans is good for every word: a walk down the dates
never ends for a rare one, a bitmap sorts every match of a common one. `spans` walks the index.

What all usable articles have in common is no lexeme: a list as long as the wire would be
read for each other word. So `status` is a column, and usable articles have an index of their own.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from newswire.article import Held
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.index_version import INDEX_VERSION
from newswire.search.keyset import MOST, parameters, values_of, walked
from newswire.search.postgres import time_buckets
from newswire.search.postgres.tsquery import (
    MARKS,
    OWN,
    complete,
    confirmed,
    has_prefix,
    noted,
    own_lexeme,
    pairs,
    tsquery,
)
from newswire.search.query import Place, Query
from newswire.search.stems import language_term
from newswire.search.texts import Document
from newswire.store.statements import Prepared
from newswire.store.tables import article
from newswire.visibility import Filter

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
    Column("index_version", Text, nullable=False, index=True),
)
ROWS = search_document
"""The table that holds one row for each article, with the version of the index that it was written for."""


PUT = Prepared(insert(search_document))
REMOVE = Prepared(search_document.delete().where(search_document.c.number == bindparam("number")))


def put(connection: Connection, documents: Sequence[Document]) -> None:
    PUT.many(connection, [document(*each) for each in documents])


def document(held: Held, terms: frozenset[str], analysed: Analysed) -> dict[str, Any]:
    """The row of `search_document`."""
    return {
        "number": held.number, "status": held.status.value, "published_at": held.published_at,
        "updated_at": held.updated_at, "expires_at": held.expires_at,
        "words": vector(held.published_at, terms, analysed),
        "forms": [f" {' '.join(analysed.forms[field])} " for field in FIELDS],
        "index_version": INDEX_VERSION,
    }  # fmt: skip


def remove(connection: Connection, number: int) -> None:
    REMOVE.execute(connection, {"number": number})


def vector(published_at: int, terms: frozenset[str], analysed: Analysed) -> str:
    """The text form of the tsvector. Only forms begin with a letter or digit, so a prefix finds nothing else."""
    marks: dict[str, str] = {}
    bare = {
        *(f"_{name}" for name in terms),
        f"_{language_term(analysed.language)}",
        *time_buckets.lexemes(published_at),
    }
    neighbours: set[tuple[str, str]] = set()
    for field in FIELDS:
        forms, mark = analysed.forms[field], MARKS[field]
        tokens = {*forms, *analysed.bare_stems(field, "=")}
        marks.update({token: f"{marks[token]},{mark}" if token in marks else mark for token in tokens})
        if field in OWN:
            bare.update(own_lexeme(field, token) for token in tokens)
        neighbours.update(pairwise(forms))
    bare.update(pairs(neighbours))
    return " ".join([f"'{token}':{found}" for token, found in marks.items()] + [f"'{token}'" for token in bare])


def articles(
    connection: Connection, columns: Select[Any], query: Query, wanted: Filter, languages: Sequence[str],
    start: Place | None, limit: int, unexpired_at: int | None,
) -> tuple[Prepared, Mapping[str, Any]]:  # fmt: skip
    """See `search.articles`: first the numbers of a few hundred articles that hold all of the page, then these."""
    matching, sought = conditions(query, wanted, languages, unexpired_at)
    values = values_of(query, start, limit, None)
    if query.order != "published_at":
        few = time_buckets.few(connection, matching, sought)
        if few is not None:
            values["numbers"], matching = few, ""
        else:
            values |= sought
        return by_update(columns, query.descending, frozenset(values), matching), values
    times, descending = query.times[:2], query.descending
    look = (
        time_buckets.nearest_with_prefix if query.expression and has_prefix(query.expression) else time_buckets.nearest
    )
    numbers = look(connection, matching, sought, times, start, descending=descending, wanted=limit)
    return by_publication(columns, descending, frozenset(values), limit), {**values, "numbers": numbers}


def count(
    connection: Connection, query: Query, wanted: Filter, languages: Sequence[str], most: int, unexpired_at: int | None
) -> int:
    """See `search.count`; the query has no bounds in its order."""
    return time_buckets.count(connection, *conditions(query, wanted, languages, unexpired_at), most)


@lru_cache(MOST)
def by_publication(columns: Select[Any], descending: bool, names: frozenset[str], limit: int) -> Prepared:
    """Those among `numbers`. For the limit see `shapes.walk`."""
    times, start, _ = parameters(names)
    columns = columns.join(search_document, search_document.c.number == article.c.number)
    # Numbers are a table: of `= ANY` the planner may make a condition on a walk through all times.
    columns = columns.join(NUMBERS, NUMBERS.c.number == search_document.c.number)
    place = (search_document.c.published_at, search_document.c.number)
    return Prepared(walked(columns, place, times[:2], descending, start).limit(literal_column(str(limit))))


def conditions(
    query: Query, wanted: Filter, languages: Sequence[str], unexpired_at: int | None
) -> tuple[str, dict[str, Any]]:
    """What search_document must satisfy besides `words @@ %(query)s`, as psycopg's SQL, and the values of both."""
    values: dict[str, Any] = {"query": tsquery(query.expression, wanted, languages)}
    # Not a parameter: only so does the planner know which of the two indexes serves.
    matching = ["status = 'usable'" if query.status == "usable" else "status <> 'usable' AND status = %(status)s"]
    if query.status != "usable":
        values["status"] = query.status
    if unexpired_at is not None:
        matching.append("(expires_at IS NULL OR expires_at > %(unexpired_at)s)")
        values["unexpired_at"] = unexpired_at
    other, bounds = (
        ("updated_at", query.times[2:]) if query.order == "published_at" else ("published_at", query.times[:2])
    )
    for sign, moment in zip((">=", "<"), bounds, strict=True):
        if moment is not None:
            matching.append(f"{other} {sign} {noted(values, moment)}")
    if query.expression is not None and not complete(query.expression, languages):
        matching.append(confirmed(query.expression, languages, values))
    return " AND ".join(matching), values


@lru_cache(MOST)
def by_update(columns: Select[Any], descending: bool, names: frozenset[str], matching: str) -> Prepared:
    """In order of the newest version, which no span tells: few matches are sorted, many are met on the way down."""
    times, start, _ = parameters(names)
    columns = columns.join(search_document, search_document.c.number == article.c.number)
    if "numbers" in names:
        columns = columns.where(ONE_OF)
    else:
        # The columns in `matching` stand in article too: so the document is looked at by itself.
        met = sql(re.sub(r"%\((\w+)\)s", r":\1", f"words @@ (%(query)s)::tsquery AND {matching}"))
        document = search_document.alias("document")
        here = select(1).select_from(document).where(document.c.number == article.c.number, met)
        columns = columns.where(here.exists())
    columns = walked(columns, (article.c.updated_at, article.c.number), times[2:], descending, start)
    return Prepared(columns.limit(bindparam("limit")))


CHOSEN = bindparam("numbers", type_=ARRAY(BigInteger))
NUMBERS = func.unnest(CHOSEN).table_valued("number", name="chosen").render_derived()
ONE_OF = search_document.c.number == func.any(CHOSEN)
TEXTS = sql(
    "SELECT number, forms[1], forms[2], ' ' || substr(forms[3], 2, :most), forms[4], forms[5]"
    " FROM search_document WHERE number = ANY(:numbers)"
)


def texts(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
    return {row[0]: row[1:] for row in connection.execute(TEXTS, {"numbers": numbers, "most": most})}
