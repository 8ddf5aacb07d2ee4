"""Pages in the order of relevance, within windows of the newest matches.

Matches are taken newest first, `WINDOW` at a time, and each window is ranked by itself. So the work for a page is
bounded, all matches can be reached, and each is returned once (decision 0006). A cursor carries the two ends of its
window, the measures of the scores, and the last rank returned: articles that arrive or are killed between two pages do
not move the others. Scores are computed in `search.bm25`.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from newswire.reading.lists import ListPage, list_statement, rows_in_order
from newswire.search import index
from newswire.search.bm25 import LOOKED_AT, Measures, score_articles, scored_units
from newswire.search.expression import Expression
from newswire.search.query import Position, Query, decode_cursor, invalid_cursor, is_valid_position
from newswire.search.relaxation import any_of
from newswire.store.tables import article, undated
from newswire.visibility import Visibility

WINDOW = 1_000
WEEK = 7 * 24 * 3_600_000
POSITIONS = select(article.c.published_at, article.c.number)
UNDATED = select(undated.c.published_at, undated.c.number)


class Rank(NamedTuple):
    """The sort key of an article, greatest first: equal scores are ordered newest first."""

    score: float
    at: int
    number: int


class Window(NamedTuple):
    """The matches after `top` down to `bottom`, or down to the oldest match if that is None.

    `measures` and `shown`, the last rank returned, are None before the first page of the window.
    """

    top: Position | None = None
    bottom: Position | None = None
    measures: Measures | None = None
    shown: Rank | None = None


def ranked_page(connection: Connection, query: Query, visibility: Visibility, now: int) -> ListPage:
    """The page of `query` that this caller may see; raises `Problem` for an invalid cursor or one of another query.

    A page is shorter than its limit at the end of a window.
    """
    query, window = resume_query(query)
    window, ranks = rank_window(connection, query, visibility, now, window)
    if not ranks and window.bottom is not None:
        # The rest of this window was killed since the last page; an empty page would look like the end.
        window, ranks = rank_window(connection, query, visibility, now, Window(window.bottom))
    rows = rows_in_order(connection, query, [rank.number for rank in ranks[: query.limit]])
    if len(rows) < len(ranks):
        return ListPage(rows, window_cursor(query, window._replace(shown=ranks[len(rows) - 1])))
    return ListPage(rows, None if window.bottom is None else window_cursor(query, Window(window.bottom)))


def rank_window(
    connection: Connection, query: Query, visibility: Visibility, now: int, window: Window
) -> tuple[Window, list[Rank]]:
    """The window with its measures, and the ranks in it that are still to be returned, greatest first."""
    window, positions = find_window(connection, query, visibility, now, window)
    assert query.ranked_at is not None
    texts = index.read_texts(connection, [position.number for position in positions], LOOKED_AT)
    articles = [texts[position.number] for position in positions]
    scores, measures = score_articles(
        articles, ranked_expression(query), index.read_languages(connection), window.measures
    )
    unknown = undated_positions(connection, positions)
    ranks = [
        Rank(score if position in unknown else score * freshness_weight(query.ranked_at - position.at), *position)
        for score, position in zip(scores, positions, strict=True)
    ]
    ranks.sort(reverse=True)
    shown = window.shown
    return window._replace(measures=measures), [rank for rank in ranks if shown is None or rank < shown]


def ranked_expression(query: Query) -> Expression:
    """What decides the order: with `match=most` the groups that it counts, each once."""
    assert query.expression is not None
    return any_of(query.groups) if query.groups else query.expression


def undated_positions(connection: Connection, positions: Sequence[Position]) -> set[Position]:
    """Those of the positions whose time is only that of an import (decision 0034): nobody knows how fresh they are."""
    # On most wires there is none, and looking for a thousand numbers takes three milliseconds.
    if connection.execute(UNDATED.limit(1)).first() is None:
        return set()
    numbers = [position.number for position in positions]
    return {Position(*row) for row in connection.execute(UNDATED.where(undated.c.number.in_(numbers)))}


def freshness_weight(age: int) -> float:
    """The factor for freshness: 2 at age 0, 1.5 after a week, towards 1; `age` in milliseconds."""
    return 1 + 1 / (1 + max(0, age) / WEEK)


def find_window(
    connection: Connection, query: Query, visibility: Visibility, now: int, window: Window
) -> tuple[Window, list[Position]]:
    """The matches in a window, newest first, and the window; a new one gets its ends here.

    Late arrivals may at most double it; if there are more, its bottom moves up, so that the work stays bounded.
    """
    top, bottom, measures, _ = window
    most = WINDOW if measures is None else 2 * WINDOW
    if bottom is not None:
        since = bottom.at if query.times.published_from is None else max(bottom.at, query.times.published_from)
        query = replace(query, times=query.times._replace(published_from=since))
    statement, values = list_statement(connection, POSITIONS, query, visibility, now, top, most + 1)
    positions = [Position(*row) for row in statement.execute(connection, values)]
    if bottom is not None:
        # The statement bounds the time only; articles of the same millisecond may lie below the bottom.
        positions = [position for position in positions if position >= bottom]
    if len(positions) > most:
        positions = positions[:most]
        bottom = positions[-1]
    if top is None and positions:
        # `top` is exclusive, so it lies just above the newest match.
        top = positions[0]._replace(number=positions[0].number + 1)
    return window._replace(top=top, bottom=bottom), positions


def window_cursor(query: Query, window: Window) -> str:
    """The cursor that continues within a window, or begins a new one after `top`."""
    top, bottom, measures, shown = window
    assert top is not None
    rest = [] if measures is None or shown is None else [bottom and [*bottom], *measures, *shown]
    return query.cursor_at(top, [query.ranked_at, *rest])


def resume_query(query: Query) -> tuple[Query, Window]:
    """The query with the times of its first page, and its window; raises `Problem` for an invalid cursor."""
    query, top = query.resume()
    if query.cursor is None:
        return query, Window()
    match decode_cursor(query.cursor):
        case [*_, [ranked_at, *rest]] if is_valid_position(ranked_at, 0):
            query = replace(query, ranked_at=ranked_at)
            if not rest:
                return query, Window(top)
            if (window := decode_window(query, top, rest)) is not None:
                return query, window
    raise invalid_cursor()


def decode_window(query: Query, top: Position | None, rest: Sequence[Any]) -> Window | None:
    """Decodes a window of which a part was returned; None if any part of this outside input is invalid."""
    match rest:
        case [bottom, int(length), [*weights], float(score), at, number]:
            ends = bottom is None or (isinstance(bottom, list) and len(bottom) == 2 and is_valid_position(*bottom))
            measured = 0 <= length < 2**31 and all(type(weight) is int and 0 <= weight < 2**31 for weight in weights)
            expected = len(scored_units(ranked_expression(query)))
            if ends and measured and len(weights) == expected and isfinite(score) and is_valid_position(at, number):
                measures = Measures(length, tuple(weights))
                return Window(top, bottom and Position(*bottom), measures, Rank(score, at, number))
    return None
