"""Spans of publication time as lexemes, and the walk over them that finds the newest (or oldest) matches.

PostgreSQL's GIN index knows which articles match, not which of them are the newest. So each
article carries the lexemes of the spans that its time of publication lies in: a span of level n
lasts 8^n milliseconds. A walk asks the index for the words within one span after the other,
from the newest: first a small one, then once for everything, which is enough for rare words;
if that was too much, spans go on, larger after little and smaller after too much. So its cost
is the logarithm of the wire's length, and nothing must be counted, split or locked when
articles arrive, in whatever order they were published.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from newswire.search.query import Position
from newswire.store.backend import driver_connection
from newswire.timestamps import EARLIEST, LATEST

SMALLEST, LARGEST = 3, 13
"""Levels of spans: from half a second to seventeen years."""

REST = LARGEST + 1
FEW = 500
"""So many matches of a span are sorted; a span with more is looked at in parts."""

MANY = 20_000
"""So many matches among all the rest are sorted: the index has collected every one of them by then."""

NEAREST = 300
"""Articles whose words are looked through one by one."""


def bucket_lexemes(at: int) -> list[str]:
    """The spans around a time in milliseconds since 1970. No word and no term begins with @."""
    return [bucket_lexeme(level, (at - EARLIEST) >> 3 * level) for level in range(SMALLEST, LARGEST + 1)]


def bucket_lexeme(level: int, span: int) -> str:
    return f"@{level:x}.{span:x}"


def nearest_matches(
    connection: Connection, matching: str, values: dict[str, Any], times: tuple[int | None, int | None],
    start: Position | None, *, descending: bool, wanted: int, times_as_large: int = 1,
) -> list[int]:  # fmt: skip
    """The numbers of the `wanted` newest (or oldest) matches and of some more, in no order; of all if there are fewer.

    `matching` are conditions with `values`, besides `words @@ %(query)s`; `times` bound the time of publication
    (from is inclusive, to exclusive), `start` is the place behind which the walk begins. The first span, and
    what is sorted of any, are `times_as_large` as usual.
    """
    bounds, place = range_behind(times, start, descending)
    most = max(FEW * times_as_large, wanted)
    result = driver_connection(connection).execute(
        walk_sql(matching, place, descending),
        {**values, **bounds, "wanted": wanted, "few": most, "first": most, "many": max(MANY, most)},
    )
    return [number for (numbers,) in result for number in numbers]


@lru_cache(500)
def walk_sql(matching: str, place: str, descending: bool) -> str:
    return WALK.format(**(DESCENDING if descending else ASCENDING), matching=matching, place=place)


def among_nearest(
    connection: Connection, matching: str, values: dict[str, Any], times: tuple[int | None, int | None],
    start: Position | None, *, descending: bool, wanted: int,
) -> list[int] | None:  # fmt: skip
    """As `nearest`, without the index: the matches among the nearest articles; None when they are fewer than `wanted`.

    For prefixes, of which the index has to collect every match before it gives one.
    """
    bounds, place = range_behind(times, start, descending)
    order = ORDER[descending]
    result = driver_connection(connection).execute(
        f"SELECT number FROM (SELECT * FROM search_document WHERE published_at >= %(low)s AND published_at < %(high)s"
        f" AND {place} ORDER BY {order} LIMIT {NEAREST}) AS nearest WHERE words @@ %(query)s::tsquery AND {matching}",
        {**values, **bounds},
    )
    numbers = [number for (number,) in result]
    return numbers if len(numbers) >= wanted else None


def nearest_with_prefix(
    connection: Connection, matching: str, values: dict[str, Any], times: tuple[int | None, int | None],
    start: Position | None, *, descending: bool, wanted: int,
) -> list[int]:  # fmt: skip
    """As `nearest`, for prefixes: each look at the index collects all of their matches, so the first one is wide."""
    asked = connection, matching, values, times, start
    numbers = among_nearest(*asked, descending=descending, wanted=wanted)
    if numbers is not None:
        return numbers
    return nearest_matches(*asked, descending=descending, wanted=wanted, times_as_large=24)


def few_matches(connection: Connection, matching: str, values: dict[str, Any]) -> list[int] | None:
    """The numbers of all matches, or None when there are more than `FEW`."""
    result = driver_connection(connection).execute(
        f"{MATCHES.format(matching)} SELECT number FROM matches LIMIT {FEW + 1}", values
    )
    numbers = [number for (number,) in result]
    return numbers if len(numbers) <= FEW else None


def count_matches(connection: Connection, matching: str, values: dict[str, Any], most: int) -> int:
    """How many match, `most` at most, whenever they were published: the first ones in the order of the table."""
    counted = f"{MATCHES.format(matching)} SELECT count(*) FROM (SELECT FROM matches LIMIT {most}) AS counted"
    found: int = driver_connection(connection).execute(counted, values).fetchone()[0]
    return found


def range_behind(
    times: tuple[int | None, int | None], start: Position | None, descending: bool
) -> tuple[dict[str, int], str]:
    """The range of time that is looked at, from `low` to before `high`, and a condition for the places in it."""
    since, until = times
    low, high = EARLIEST if since is None else since, LATEST if until is None else until
    if start is None:
        return {"low": low, "high": high}, "true"
    low, high = (low, min(high, start.at + 1)) if descending else (max(low, start.at), high)
    sign = "<" if descending else ">"
    return {"low": low, "high": high, **start._asdict()}, f"(published_at, number) {sign} (%(at)s, %(number)s)"


# Materialised for the same reason as in WALK.
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

# Times count from EARLIEST here. Steps 0 and 1 look at spans, step 2 at all the rest; `climb` is the level at which
# spans go on when that was too much. The planner must not see the LIMIT when it chooses how to find the matches, or
# it reads the table from its start: so they are a materialised CTE, which is read no further than is asked for.
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
    WITH matches AS MATERIALIZED (
      SELECT number, published_at FROM search_document
      WHERE words @@ CASE WHEN walk.level = {rest} THEN %(query)s::tsquery ELSE %(query)s::tsquery
                          && quote_literal('@' || to_hex(walk.level) || '.' || to_hex(span))::tsquery END
        AND {matching}
    )
    SELECT coalesce(count(*) > bound, false) AS dense, count(*) FILTER (WHERE wanted) AS hits,
           (coalesce(array_agg(number ORDER BY {sorted}) FILTER (WHERE wanted), ARRAY[]::bigint[]))[1:%(wanted)s] AS hit
    FROM (
      SELECT number, published_at, published_at - {zero} {behind} AND published_at >= %(low)s
                                   AND published_at < %(high)s AND {place} AS wanted
      FROM matches LIMIT bound + 1
    ) AS bounded
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
