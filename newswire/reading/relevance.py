"""Pages in the order of relevance, within windows of the newest matches.

Matches are taken newest first, `WINDOW` at a time, and each window is ranked by itself. So the work for a page is
bounded, all matches can be reached, and each is returned once (decision 0006). A cursor carries the two ends of its
window, the measures of the scores, and the last rank returned: articles that arrive or are killed between two pages do
not move the others. With `match=most` or `any`, and more matches than one window holds, matches are taken by tiers of
coverage, and newest first within a tier (`coverage`). Scores are computed in `search.bm25`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from newswire.reading.coverage import LAST_TIER, CoverageTiers
from newswire.reading.lists import ListPage, list_statement, rows_in_order
from newswire.search import index
from newswire.search.bm25 import LOOKED_AT, ArticleScorer, Measures, scored_units
from newswire.search.expression import Expression, Term, find_leaves
from newswire.search.occurrences import Occurrences
from newswire.search.query import Position, Query, decode_cursor, invalid_cursor, is_valid_position
from newswire.search.relaxation import any_of
from newswire.store.tables import article, undated
from newswire.timestamps import LATEST
from newswire.visibility import Visibility

WINDOW = 1_000
SAMPLED = 333
"""Articles of the newest window, evenly spread, of which the weights of tiers are. All of them give the same order (by
`bench relevance`); the newest 400 gave another one."""
WEEK = 7 * 24 * 3_600_000
NEWEST = Position(LATEST - 1, 2**62 - 1)
"""A position before every article."""

POSITIONS = select(article.c.published_at, article.c.number)
UNDATED = select(undated.c.published_at, undated.c.number)


class Rank(NamedTuple):
    """The sort key of an article, greatest first: equal scores are ordered newest first."""

    score: float
    at: int
    number: int


class Window(NamedTuple):
    """The matches after `top` down to `bottom`, or down to the last match if that is None.

    `measures` and `shown`, the last rank returned, are None before the first page of the window. Where matches are
    taken by tiers, `top` is in the tier `first` and `bottom` in `last`, and the tiers between them are in the window.
    """

    top: Position | None = None
    bottom: Position | None = None
    measures: Measures | None = None
    shown: Rank | None = None
    first: int | None = None
    last: int | None = None


class PlacedRank(NamedTuple):
    """A rank and its window."""

    rank: Rank
    window: Window


def ranked_page(connection: Connection, query: Query, visibility: Visibility, now: int) -> ListPage:
    """The page of `query` that this caller may see; raises `Problem` for an invalid cursor or one of another query."""
    query, window = resume_query(query)
    reading = RankedReading(connection, query, visibility, now, index.read_languages(connection))
    # One more than the page tells whether there is another page, and in which window it begins.
    placed = [*islice(reading.ranks_from(window), query.limit + 1)]
    rows = rows_in_order(connection, query, [each.rank.number for each in placed[: query.limit]])
    if len(rows) == len(placed):
        return ListPage(rows, None)
    last, following = placed[len(rows) - 1], placed[len(rows)].window
    shown = last.rank if following == last.window else None
    return ListPage(rows, window_cursor(query, following._replace(shown=shown)))


@dataclass(frozen=True)
class RankedReading:
    """What a page is read of: connection, query and caller, and the languages of the index."""

    connection: Connection
    query: Query
    visibility: Visibility
    now: int
    languages: Sequence[str]
    counted: dict[int, Occurrences] = field(default_factory=dict)
    """What was counted in articles, by number: those of the first window are often in the next one too."""

    @cached_property
    def scorer(self) -> ArticleScorer:
        return ArticleScorer(ranked_expression(self.query), self.languages, self.query.items)

    def ranks_from(self, window: Window) -> Iterator[PlacedRank]:
        """The ranks that are still to be returned, window after window; lazily."""
        following: Window | None = window if window != Window() else self.first_window()
        while following is not None:
            read, ranks = self.rank_window(following)
            yield from (PlacedRank(rank, read._replace(shown=None)) for rank in ranks)
            following = window_after(read)

    def first_window(self) -> Window:
        """The window of the first page. The weights of tiers are those of some of the newest matches of any tier."""
        if not self.query.items:
            return Window()
        newest, positions = self.find_window(Window())
        if newest.bottom is None:
            return Window()
        _, measures = self.score(positions[:: max(1, len(positions) // SAMPLED)], None)
        return Window(NEWEST, measures=measures, first=0)

    def rank_window(self, window: Window) -> tuple[Window, list[Rank]]:
        """The window with its measures, and the ranks in it that are still to be returned, greatest first."""
        window, positions = self.find_window(window)
        scores, measures = self.score(positions, window.measures)
        assert self.query.ranked_at is not None
        unknown, moment = undated_positions(self.connection, positions), self.query.ranked_at
        ranks = [
            Rank(score if position in unknown else score * freshness_weight(moment - position.at), *position)
            for score, position in zip(scores, positions, strict=True)
        ]
        ranks.sort(reverse=True)
        shown = window.shown
        return window._replace(measures=measures), [rank for rank in ranks if shown is None or rank < shown]

    def score(self, positions: Sequence[Position], measures: Measures | None) -> tuple[list[float], Measures]:
        """The scores of articles, and the statistics that they are of."""
        numbers = [position.number for position in positions]
        if missing := [number for number in numbers if number not in self.counted]:
            texts = index.read_texts(self.connection, missing, LOOKED_AT)
            self.counted.update({number: self.scorer.counter.count_in(text) for number, text in texts.items()})
        weak = weak_matches(self.connection, ranked_expression(self.query), numbers)
        return self.scorer.score([self.counted[number] for number in numbers], measures, weak)

    def find_window(self, window: Window) -> tuple[Window, list[Position]]:
        """The matches in a window, in their order, and the window; a new one gets its ends here.

        Late arrivals may at most double it; if there are more, its bottom moves up, so that the work stays bounded.
        """
        most = WINDOW if window.shown is None else 2 * WINDOW
        found: list[Position] = []
        # The tier of the last match in it.
        last: int | None = None
        for tier, matching in self.tiers_of(window):
            start = window.top if tier == window.first else None
            bottom = window.bottom if tier == window.last else None
            some = self.find_matches(matching, start, bottom, most + 1 - len(found))
            if tier == window.first and some and start in (None, NEWEST):
                # `top` is exclusive, so it lies just above the newest match.
                window = window._replace(top=some[0]._replace(number=some[0].number + 1))
            is_full = len(found) + len(some) > most
            if some := some[:-1] if is_full else some:
                found, last = found + some, tier
            if is_full:
                return window._replace(bottom=found[-1], last=last), found
        return window, found

    def tiers_of(self, window: Window) -> Iterator[tuple[int | None, Expression]]:
        """The tiers in a window that articles can be in, and what these match; without tiers the whole query."""
        query = self.query
        if window.first is None or window.measures is None:
            assert query.expression is not None
            yield None, query.expression
            return
        tiers = CoverageTiers(query, window.measures)
        for tier in range(window.first, 1 + (LAST_TIER if window.last is None else window.last)):
            if (matching := tiers.matches_of(tier)) is not None:
                yield tier, matching

    def find_matches(
        self, matching: Expression, start: Position | None, bottom: Position | None, most: int
    ) -> list[Position]:
        """The newest matches behind `start` and not behind `bottom`."""
        query = replace(self.query, expression=matching)
        if bottom is not None:
            since = bottom.at if query.times.published_from is None else max(bottom.at, query.times.published_from)
            query = replace(query, times=query.times._replace(published_from=since))
        asked = POSITIONS, query, self.visibility, self.now, start, most, self.languages
        statement, values = list_statement(self.connection, *asked)
        positions = [Position(*row) for row in statement.execute(self.connection, values)]
        # The statement bounds the time only; articles of the same millisecond may lie below the bottom.
        return positions if bottom is None else [position for position in positions if position >= bottom]


def window_after(window: Window) -> Window | None:
    """The window that follows; None after the last one. Measures decide what is in a tier, so that they are kept."""
    if window.bottom is None:
        return None
    if window.last is None:
        return Window(window.bottom)
    return Window(window.bottom, measures=window.measures, first=window.last)


def ranked_expression(query: Query) -> Expression:
    """What is scored: the items of which some must match, each once."""
    assert query.expression is not None
    return any_of(query.items) if query.items else query.expression


def weak_matches(connection: Connection, expression: Expression, numbers: Sequence[int]) -> dict[str, frozenset[int]]:
    """For each word that is sought in capitals (US), the indices of the articles that have it in none.

    Nothing is known of articles that were indexed before capitals were.
    """
    found: dict[str, frozenset[int]] = {}
    for leaf, _ in find_leaves(expression):
        if isinstance(leaf, Term) and leaf.capitals:
            known = index.numbers_with_stem(connection, numbers, f"{leaf.form}_caps")
            found[leaf.form] = frozenset(place for place, number in enumerate(numbers) if number not in known)
    return found


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


def window_cursor(query: Query, window: Window) -> str:
    """The cursor that continues within a window, or begins a new one after `top`."""
    top, bottom, measures, shown, first, last = window
    assert top is not None
    rest: list[Any] = []
    if measures is not None and (shown is not None or first is not None):
        rest = [bottom and [*bottom], *measures, *(shown or (None, None, None)), first, last]
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
        case [bottom, int(length), [*weights], score, at, number, first, last]:
            ends = bottom is None or (isinstance(bottom, list) and len(bottom) == 2 and is_valid_position(*bottom))
            measured = 0 <= length < 2**31 and all(type(weight) is int and 0 <= weight < 2**31 for weight in weights)
            expected = len(scored_units(ranked_expression(query)))
            if not (ends and measured and len(weights) == expected and are_tiers(query, first, last, bottom)):
                return None
            window = Window(top, bottom and Position(*bottom), Measures(length, tuple(weights)), None, first, last)
            if first is not None and score is at is number is None:
                return window
            if isinstance(score, float) and isfinite(score) and is_valid_position(at, number):
                return window._replace(shown=Rank(score, at, number))
        case [_, int(_), [*_], float(_), int(_), int(_)]:
            # A cursor of a release that scored otherwise: its window begins anew, so that nothing is left out.
            return Window(top)
    return None


def are_tiers(query: Query, first: Any, last: Any, bottom: Any) -> bool:
    """Whether these can be the tiers of the two ends of a window: both None, or both in order, `last` with `bottom`."""
    if first is None:
        return last is None
    if not query.items or type(first) is not int or (last is None) is not (bottom is None):
        return False
    return 0 <= first <= LAST_TIER and (last is None or (type(last) is int and first <= last <= LAST_TIER))
