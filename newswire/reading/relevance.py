"""A query to a page in the order of relevance, within windows of the newest matches.

Matches are taken newest first, `WINDOW` at a time, and each window is ranked by itself: so the
work for a page is bounded, there is no end that cannot be reached, and every match is shown once.
A cursor carries the places between which its window lies, what the scores were measured by, and
the last rank that was shown: what arrives later, or is killed, moves nothing else.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from newswire.reading.lists import ListPage, list_statement, rows_in_order
from newswire.search import index
from newswire.search.bm25 import LOOKED_AT, MOST_LEAVES, Measures, score_articles
from newswire.search.query import Position, Query, decode_cursor, invalid_cursor, is_valid_position
from newswire.search.syntax import find_leaves
from newswire.store.tables import article
from newswire.visibility import Visibility

WINDOW = 1_000
WEEK = 7 * 24 * 3_600_000
POSITIONS = select(article.c.published_at, article.c.number)


class Rank(NamedTuple):
    """Where an article stands: the greater is shown earlier. Equal scores stand newest first."""

    score: float
    at: int
    number: int


class Window(NamedTuple):
    """Matches behind `top` down to `bottom`, or to the last of all where that is None.

    `measures` and `shown`, the last one shown, are None when nothing of it was shown yet.
    """

    top: Position | None = None
    bottom: Position | None = None
    measures: Measures | None = None
    shown: Rank | None = None


def ranked_page(connection: Connection, query: Query, visibility: Visibility, now: int) -> ListPage:
    """The page of `query` that this caller may see; raises `Problem` for a cursor that is not of this query.

    It is shorter than its limit where a window ends.
    """
    query, window = resume_query(query)
    window, ranks = rank_window(connection, query, visibility, now, window)
    if not ranks and window.bottom is not None:
        # What was left of this window has been killed in the meantime.
        window, ranks = rank_window(connection, query, visibility, now, Window(window.bottom))
    rows = rows_in_order(connection, query, [rank.number for rank in ranks[: query.limit]])
    if len(rows) < len(ranks):
        return ListPage(rows, window_cursor(query, window._replace(shown=ranks[len(rows) - 1])))
    return ListPage(rows, None if window.bottom is None else window_cursor(query, Window(window.bottom)))


def rank_window(
    connection: Connection, query: Query, visibility: Visibility, now: int, window: Window
) -> tuple[Window, list[Rank]]:
    """The window as it is now, and what is still to be shown of it, in order."""
    window, places = find_window(connection, query, visibility, now, window)
    assert query.expression is not None
    assert query.ranked_at is not None
    texts = index.read_texts(connection, [place.number for place in places], LOOKED_AT)
    articles = [texts[place.number] for place in places]
    found, measures = score_articles(articles, query.expression, index.read_languages(connection), window.measures)
    ranks = [
        Rank(score * freshness_weight(query.ranked_at - place.at), *place)
        for score, place in zip(found, places, strict=True)
    ]
    ranks.sort(reverse=True)
    shown = window.shown
    return window._replace(measures=measures), [rank for rank in ranks if shown is None or rank < shown]


def freshness_weight(age: int) -> float:
    """Two for what is new, one and a half after a week, towards one; `age` in milliseconds."""
    return 1 + 1 / (1 + max(0, age) / WEEK)


def find_window(
    connection: Connection, query: Query, visibility: Visibility, now: int, window: Window
) -> tuple[Window, list[Position]]:
    """The matches in a window, newest first; its ends are set when it is new.

    Late arrivals may double it. Where they are more, it ends earlier than it did.
    """
    top, bottom, measures, _ = window
    most = WINDOW if measures is None else 2 * WINDOW
    if bottom is not None:
        since = bottom.at if query.times.published_from is None else max(bottom.at, query.times.published_from)
        query = replace(query, times=query.times._replace(published_from=since))
    statement, values = list_statement(connection, POSITIONS, query, visibility, now, top, most + 1)
    places = [Position(*row) for row in statement.execute(connection, values)]
    if bottom is not None:
        places = [place for place in places if place >= bottom]
    if len(places) > most:
        places = places[:most]
        bottom = places[-1]
    if top is None and places:
        top = places[0]._replace(number=places[0].number + 1)
    return window._replace(top=top, bottom=bottom), places


def window_cursor(query: Query, window: Window) -> str:
    """Continues within a window, or with a new one behind `top`."""
    top, bottom, measures, shown = window
    assert top is not None
    rest = [] if measures is None or shown is None else [bottom and [*bottom], *measures, *shown]
    return query.cursor_at(top, [query.ranked_at, *rest])


def resume_query(query: Query) -> tuple[Query, Window]:
    """The query with the times of its first page, and where it goes on; raises `Problem` for a forged cursor."""
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
    """A window of which a part was shown, out of a cursor; None when it is none."""
    match rest:
        case [bottom, int(length), [*weights], float(score), at, number]:
            ends = bottom is None or (isinstance(bottom, list) and len(bottom) == 2 and is_valid_position(*bottom))
            measured = 0 <= length < 2**31 and all(type(weight) is int and 0 <= weight < 2**31 for weight in weights)
            assert query.expression is not None
            expected = min(MOST_LEAVES, len([*find_leaves(query.expression)]))
            if ends and measured and len(weights) == expected and isfinite(score) and is_valid_position(at, number):
                measures = Measures(length, tuple(weights))
                return Window(top, bottom and Position(*bottom), measures, Rank(score, at, number))
    return None
