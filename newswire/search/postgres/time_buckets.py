"""Time buckets: spans of publication time as lexemes, and the walk over them that finds the newest (or oldest) matches.

A GIN index knows which articles match, but not which of them are the newest. So each article carries the lexemes of the
spans that contain its time of publication: a span of level n lasts 8^n milliseconds. A walk searches the index for the
words within one span after the other, from the newest: first two spans of some five hundred articles, then once the
whole rest, which completes rare words. If the rest had too many matches, it continues with spans, eight times larger
after few matches and smaller after too many. The cost grows with the logarithm of the length of the wire, and
publishing has nothing to count, split or lock, in whatever order articles arrive. Options and measurements:
docs/decisions/0004.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from newswire.search.query import Position
from newswire.store.backend import driver_connection
from newswire.timestamps import EARLIEST, LATEST

SMALLEST, LARGEST = 3, 13
"""Levels of spans: from half a second to seventeen years."""

REST = LARGEST + 1
"""The level that stands for the whole rest of the wire."""

FEW = 500
"""Matches of a span that are sorted. A span with more is divided."""

MANY = 20_000
"""Matches of the whole rest that are sorted. It may be many, because the index has collected all of them anyway."""

NEAREST = 300
"""Articles that are checked one by one, without the index, in a search for a prefix."""


class Conditions(NamedTuple):
    """The conditions on a row besides `words @@ %(query)s`, as SQL for psycopg, and the values of all of them.

    `row` are those on columns of the row. `confirmation` may read what is stored out of line (`confirmation`): `true`
    where the tsquery and `row` find only matches. What is found before it is confirmed are *candidates*.
    """

    row: str
    confirmation: str
    values: dict[str, Any]

    @property
    def whole(self) -> str:
        return f"{self.row} AND {self.confirmation}"


def bucket_lexemes(at: int) -> list[str]:
    """The lexemes of the spans that contain a time in milliseconds since 1970. No word and no term begins with @."""
    return [bucket_lexeme(level, (at - EARLIEST) >> 3 * level) for level in range(SMALLEST, LARGEST + 1)]


def bucket_lexeme(level: int, span: int) -> str:
    return f"@{level:x}.{span:x}"


def nearest_matches(
    connection: Connection, conditions: Conditions, times: tuple[int | None, int | None], start: Position | None, *,
    descending: bool, wanted: int, times_as_large: int = 1,
) -> list[int]:  # fmt: skip
    """The article numbers of the `wanted` newest (or oldest) matches and of some more, unordered; or of all matches.

    `times` bound the time of publication (from is inclusive, to exclusive), `start` is the position behind which the
    walk begins. The first span, and the number of candidates of a probe, are `times_as_large` as usual.
    """
    bounds, place = range_behind(times, start, descending)
    most = max(FEW * times_as_large, wanted)
    result = driver_connection(connection).execute(
        walk_sql(conditions.row, conditions.confirmation, place, descending),
        {**conditions.values, **bounds, "wanted": wanted, "few": most, "first": most, "many": max(MANY, most)},
    )
    return [number for (numbers,) in result for number in numbers]


@lru_cache(500)
def walk_sql(row: str, confirmation: str, place: str, descending: bool) -> str:
    return WALK.format(
        **(DESCENDING if descending else ASCENDING), row=row, confirmation=confirmation, place=place,
        columns=COLUMNS if confirmation != "true" else COLUMNS_OF_MATCH,
    )  # fmt: skip


def among_nearest(
    connection: Connection, conditions: Conditions, times: tuple[int | None, int | None], start: Position | None, *,
    descending: bool, wanted: int,
) -> list[int] | None:  # fmt: skip
    """As `nearest_matches`, among the `NEAREST` articles and without the index; None if fewer than `wanted` match.

    For prefixes: GIN collects every match of a prefix before it returns one, and nearly every article has a word with
    a short prefix.
    """
    bounds, place = range_behind(times, start, descending)
    order = ORDER[descending]
    result = driver_connection(connection).execute(
        f"SELECT number FROM (SELECT * FROM search_document WHERE published_at >= %(low)s AND published_at < %(high)s"
        f" AND {place} ORDER BY {order} LIMIT {NEAREST}) AS nearest"
        f" WHERE words @@ %(query)s::tsquery AND {conditions.whole}",
        {**conditions.values, **bounds},
    )
    numbers = [number for (number,) in result]
    return numbers if len(numbers) >= wanted else None


def nearest_with_prefix(
    connection: Connection, conditions: Conditions, times: tuple[int | None, int | None], start: Position | None, *,
    descending: bool, wanted: int,
) -> list[int]:  # fmt: skip
    """As `nearest_matches`, for queries with prefixes.

    Each probe of the index collects all matches of a prefix, so the first span is 24 times as large, and one or two
    probes suffice: within a section of a million articles 6.5 ms; with 8 times 29 (docs/decisions/0010).
    """
    asked = connection, conditions, times, start
    numbers = among_nearest(*asked, descending=descending, wanted=wanted)
    if numbers is not None:
        return numbers
    return nearest_matches(*asked, descending=descending, wanted=wanted, times_as_large=24)


def few_matches(connection: Connection, conditions: Conditions) -> list[int] | None:
    """The article numbers of all matches; None if there are more than `FEW`."""
    result = driver_connection(connection).execute(
        f"{MATCHES.format(conditions.whole)} SELECT number FROM matches LIMIT {FEW + 1}", conditions.values
    )
    numbers = [number for (number,) in result]
    return numbers if len(numbers) <= FEW else None


def count_matches(connection: Connection, conditions: Conditions, most: int) -> int:
    """The number of matches of any time of publication, counted up to `most`; one look-up in the index."""
    counted = f"{MATCHES.format(conditions.whole)} SELECT count(*) FROM (SELECT FROM matches LIMIT {most}) AS counted"
    found: int = driver_connection(connection).execute(counted, conditions.values).fetchone()[0]
    return found


def range_behind(
    times: tuple[int | None, int | None], start: Position | None, descending: bool
) -> tuple[dict[str, int], str]:
    """The range of time that is searched (`low` inclusive, `high` exclusive), and a condition on positions in it."""
    since, until = times
    low, high = EARLIEST if since is None else since, LATEST if until is None else until
    if start is None:
        return {"low": low, "high": high}, "true"
    low, high = (low, min(high, start.at + 1)) if descending else (max(low, start.at), high)
    sign = "<" if descending else ">"
    return {"low": low, "high": high, **start._asdict()}, f"(published_at, number) {sign} (%(at)s, %(number)s)"


# Materialised to hide the LIMIT from the planner, as in WALK.
MATCHES = "WITH matches AS MATERIALIZED (SELECT number FROM search_document WHERE words @@ %(query)s::tsquery AND {})"
ORDER = {True: "published_at DESC, number DESC", False: "published_at, number"}
NEWEST = "published_at < %(high)s::bigint ORDER BY published_at DESC, number DESC"
OLDEST = "published_at >= %(low)s::bigint ORDER BY published_at, number"
ENDS = {
    "newest_first": NEWEST, "oldest_first": OLDEST, "zero": f"({EARLIEST})", "smallest": SMALLEST, "largest": LARGEST,
    "rest": REST,
}  # fmt: skip
DESCENDING = {
    **ENDS, "order": NEWEST, "sorted": ORDER[True], "outermost": "newest",
    "edge": "((newest >> 3 * level) + 1) << 3 * level",
    "alive": "edge > oldest", "span": "(edge >> 3 * walk.level) - 1", "behind": "< edge",
    "next": "span << 3 * walk.level",
}  # fmt: skip
ASCENDING = {
    **ENDS, "order": OLDEST, "sorted": ORDER[False], "outermost": "oldest",
    "edge": "(oldest >> 3 * level) << 3 * level",
    "alive": "edge <= newest", "span": "edge >> 3 * walk.level", "behind": ">= edge",
    "next": "(span + 1) << 3 * walk.level",
}  # fmt: skip

COLUMNS_OF_MATCH = "number, published_at"
COLUMNS = f"{COLUMNS_OF_MATCH}, words, forms, pairs"
"""What a candidate needs to be confirmed; of what is stored out of line these are pointers only."""

# Times count from EARLIEST here. Each row of `walk` is one probe. Steps 0 and 1 probe spans, step 2 the whole rest;
# `climb` is the level at which spans continue if the rest had too many candidates (`dense`). `edge` is the boundary of
# what was searched. A materialised CTE hides the LIMIT from the planner, which would otherwise choose to read the table
# from its start; the CTE is still read no further than the LIMIT. Candidates are confirmed only if there are not too
# many: of two common words that are hardly ever neighbours, all would have to be. Exact results do not depend on the
# sizes of spans: these only decide where the next probe searches.
WALK = """
WITH RECURSIVE ends AS (
  SELECT coalesce((SELECT published_at FROM search_document WHERE {newest_first} LIMIT 1), %(high)s) - {zero} AS newest,
         coalesce((SELECT published_at FROM search_document WHERE {oldest_first} LIMIT 1), %(low)s) - {zero} AS oldest,
         (SELECT published_at FROM search_document WHERE {order} OFFSET %(first)s LIMIT 1) - {zero} AS beyond
), start AS (
  SELECT newest, oldest, coalesce(least({largest}, greatest({smallest},
    ceil(ln(greatest(1, abs({outermost} - beyond))) / ln(8))::int)), {largest}) AS level FROM ends
), walk AS (
  SELECT 0 AS step, {edge} AS edge, level, level AS climb, 0::bigint AS found, ARRAY[]::bigint[] AS numbers FROM start
  UNION ALL
  SELECT step + 1,
         CASE WHEN dense OR walk.level = {rest} THEN edge ELSE next_edge END,
         CASE WHEN walk.level = {rest} THEN climb
              WHEN step = 1 AND NOT dense AND walk.level >= start.level THEN {rest} ELSE next_level END,
         next_level,
         CASE WHEN dense THEN found WHEN walk.level = {rest} THEN %(wanted)s ELSE found + hits END,
         CASE WHEN dense THEN ARRAY[]::bigint[] ELSE hit END
  FROM walk
  CROSS JOIN start
  CROSS JOIN LATERAL (
    SELECT {span} AS span, CASE walk.level WHEN {rest} THEN %(many)s::bigint WHEN {smallest} THEN NULL
                                           ELSE %(few)s::bigint END AS bound
  ) AS place
  CROSS JOIN LATERAL (
    WITH candidates AS MATERIALIZED (
      SELECT {columns} FROM search_document
      WHERE words @@ CASE WHEN walk.level = {rest} THEN %(query)s::tsquery ELSE %(query)s::tsquery
                          && quote_literal('@' || to_hex(walk.level) || '.' || to_hex(span))::tsquery END
        AND {row}
    ), bounded AS MATERIALIZED (SELECT * FROM candidates LIMIT bound + 1)
    SELECT dense, count(number) AS hits,
           (coalesce(array_agg(number ORDER BY {sorted}) FILTER (WHERE number IS NOT NULL), ARRAY[]::bigint[])
           )[1:%(wanted)s] AS hit
    FROM (SELECT coalesce(count(*) > bound, false) AS dense FROM bounded) AS counted
    LEFT JOIN bounded
      ON NOT dense AND published_at - {zero} {behind} AND published_at >= %(low)s AND published_at < %(high)s
        AND {place} AND {confirmation}
    GROUP BY dense
  ) AS probe
  CROSS JOIN LATERAL (SELECT {next} AS next_edge) AS seen
  CROSS JOIN LATERAL (
    SELECT CASE WHEN dense THEN walk.level - 1
                WHEN walk.level < {largest} AND next_edge & ((8::bigint << 3 * walk.level) - 1) = 0 THEN walk.level + 1
                ELSE walk.level END AS next_level
  ) AS after
  WHERE found < %(wanted)s AND {alive}
)
SELECT numbers FROM walk
"""
