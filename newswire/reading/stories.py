"""Lists with `collapse=story`: pages on which near-duplicates are shown once, with the others; and their count.

A match is shown if none of its near-duplicates stands before it in the list. Any other belongs to the story of its
parent, the first of those, and so to one story only. So a chain of updates is one story as far as each resembles one
before it. A page reads `CHUNKS` times its limit of matches at most, and is shorter where these are duplicates.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import Connection

from newswire.document import decode_article
from newswire.reading.lists import COUNTED_TO, Count, Duplicates, ListPage, rows_in_order
from newswire.reading.neighbours import Match, NeighbourFinder, SortKey, time_key
from newswire.reading.relevance import Rank, RankedReading, Window, resume_query, window_cursor
from newswire.search import index
from newswire.search.query import Position, Query
from newswire.visibility import Visibility

CHUNKS = 4
MOST_LISTED = 20
"""Duplicates of one story that are listed."""
MOST_FOLLOWED, ROUNDS = 200, 4
"""Duplicates that are looked up themselves in one round, and the rounds: those that they lead to are the next."""
MOST_COMPARED = 1_000
"""Matches with near-duplicates that a count looks into; each takes about 0.2 ms."""
READ_AT_ONCE, COMPARED_AT_ONCE = 1_000, 100
"""Matches of a count whose terms are read, and whose texts are compared, at a time: both bound the memory."""
TOLD = ("id", "publisher", "headline", "published_at")


class Choice(NamedTuple):
    """The stories of a page, the last match that was looked at, and whether there may be more behind it."""

    shown: Sequence[Match]
    last: Match | None
    has_more: bool


def story_page(
    connection: Connection, query: Query, visibility: Visibility, now: int, languages: Sequence[str] | None = None
) -> ListPage:
    """The page of a query with `collapse`; raises `Problem` for an invalid cursor or one of another query.

    `languages` are those of the index, if the caller has them cached.
    """
    if query.ranked_at is not None:
        return ranked_story_page(connection, query, visibility, now)
    query, start = query.resume()
    finder = NeighbourFinder(connection, query, visibility, now, languages, time_key(query))
    shown, last, has_more = choose_stories(finder, time_chunks(finder, start))
    rows = rows_in_order(connection, query, [match.number for match in shown])
    if len(rows) < len(shown):
        # The others do not fit: they are those of the next page.
        shown = shown[: len(rows)]
        last, has_more = shown[-1], True
    cursor = query.cursor_at(Position(last.at, last.number)) if last is not None and has_more else None
    return ListPage(rows, cursor, find_duplicates(finder, shown))


def ranked_story_page(connection: Connection, query: Query, visibility: Visibility, now: int) -> ListPage:
    """The page of a query with `collapse` in the order of relevance.

    In a window the first is the one of the highest rank; the matches of newer windows stand before it, of older behind.
    """
    query, window = resume_query(query)
    before = window.shown
    # Windows are of the newest matches with every `match`: tiers of coverage would put newer windows behind older ones.
    languages = index.read_languages(connection)
    reading = RankedReading(connection, query, visibility, now, languages)
    window, ranks = reading.rank_window(window._replace(shown=None))
    rest = [rank for rank in ranks if before is None or rank < before]
    if not rest and window.bottom is not None:
        window, ranks = reading.rank_window(Window(window.bottom))
        rest = ranks
    finder = NeighbourFinder(connection, query, visibility, now, languages, rank_key(ranks, window.top))
    shown, last, _ = choose_stories(finder, rank_chunks(finder, rest))
    rows = rows_in_order(connection, query, [match.number for match in shown])
    if len(rows) < len(shown):
        shown = shown[: len(rows)]
        last = shown[-1]
    cursor = None
    if last is not None and last.number != rest[-1].number:
        reached = next(rank for rank in rest if rank.number == last.number)
        cursor = window_cursor(query, window._replace(shown=reached))
    elif window.bottom is not None:
        cursor = window_cursor(query, Window(window.bottom))
    return ListPage(rows, cursor, find_duplicates(finder, shown))


def choose_stories(finder: NeighbourFinder, chunks: Iterable[Sequence[Match]]) -> Choice:
    """The first matches without a parent, up to the limit of the page; the last chunk has no more than the limit."""
    shown: list[Match] = []
    last: Match | None = None
    has_more = False
    for matches in chunks:
        finder.find_parents(matches)
        for match in matches:
            if finder.parents[match.number] is None:
                if len(shown) == finder.query.limit:
                    return Choice(shown, last, True)
                shown.append(match)
            last = match
        has_more = len(matches) > finder.query.limit
    return Choice(shown, last, has_more)


def time_chunks(finder: NeighbourFinder, start: Position | None) -> Iterator[Sequence[Match]]:
    """The matches of a list in an order of time behind `start`, some more than a page at a time."""
    for _ in range(CHUNKS):
        matches = finder.select_matches(start, finder.query.limit + 1)
        yield matches
        if len(matches) <= finder.query.limit:
            return
        start = Position(matches[-1].at, matches[-1].number)


def rank_chunks(finder: NeighbourFinder, ranks: Sequence[Rank]) -> Iterator[Sequence[Match]]:
    """The matches with these ranks, as many at a time."""
    size = finder.query.limit + 1
    for start in range(0, min(len(ranks), CHUNKS * size), size):
        yield finder.find_matches([rank.number for rank in ranks[start : start + size]])


def rank_key(ranks: Sequence[Rank], top: Position | None) -> SortKey:
    """The sort key of a list by relevance: all newer windows, this one by rank, all older ones."""
    places = {rank.number: place for place, rank in enumerate(ranks)}

    def key(match: Match) -> tuple[int, int, int]:
        if match.number in places:
            return 1, places[match.number], 0
        is_newer = top is not None and (match.at, match.number) >= top
        return 0 if is_newer else 2, -match.at, -match.number

    return key


def find_duplicates(finder: NeighbourFinder, shown: Sequence[Match]) -> dict[int, Duplicates]:
    """The duplicates of the stories `shown`, by the number of these."""
    roots = {match.number for match in shown}
    followed: dict[int, Match] = {}
    for _ in range(ROUNDS):
        frontier = [match for match in members_of(finder, roots) if match.number not in followed]
        followed |= {match.number: match for match in frontier}
        found = [*islice(unknown_members(finder, shown, frontier), MOST_FOLLOWED)]
        if len(found) == MOST_FOLLOWED:
            finder.cut_short.update(match.number for match in frontier)
        finder.find_parents(found)
    members: dict[int, list[Match]] = {number: [] for number in roots}
    for match in members_of(finder, roots):
        if match.number not in followed:
            finder.cut_short.add(match.number)
        root = finder.find_root(match.number)
        if root is not None and root != match.number:
            members[root].append(match)
    listed = {number: sorted(found, key=finder.key) for number, found in members.items() if found}
    told = read_duplicates(finder, [match.number for found in listed.values() for match in found[:MOST_LISTED]])
    return {number: duplicates_of(finder, number, listed.get(number, ()), told) for number in members}


def members_of(finder: NeighbourFinder, roots: Collection[int]) -> list[Match]:
    """Those of the matches that were looked up which belong to these stories."""
    return [finder.known[number] for number in finder.parents if finder.find_root(number) in roots]


def unknown_members(finder: NeighbourFinder, shown: Sequence[Match], frontier: Sequence[Match]) -> Iterator[Match]:
    """Matches that may belong to the stories `shown` and were not looked up.

    They are the near-duplicates behind `frontier`, and the parents of those that were looked up, as far as they stand
    behind the first of `shown`.
    """
    first = min(map(finder.key, shown), default=None)
    parents = {parent for parent in finder.parents.values() if parent is not None} - finder.parents.keys()
    above = [finder.known[number] for number in sorted(parents)]
    behind = [match for match in above if first is not None and finder.key(match) > first]
    seen: set[int] = {*finder.parents}
    for match in chain(behind, finder.find_later(frontier)):
        if match.number not in seen:
            seen.add(match.number)
            yield match


def read_duplicates(finder: NeighbourFinder, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is told of duplicates, by number; some are loaded at a time, because an article may have megabytes."""
    query = replace(finder.query, include_body=False, highlight=False)
    told: dict[int, dict[str, Any]] = {}
    while rest := numbers[len(told) :]:
        for row in rows_in_order(finder.connection, query, rest[:MOST_LISTED]):
            content = decode_article(row.rendered, None)
            told[row.number] = {name: content[name] for name in TOLD}
    return told


def duplicates_of(
    finder: NeighbourFinder, number: int, found: Sequence[Match], told: Mapping[int, dict[str, Any]]
) -> Duplicates:
    is_whole = finder.cut_short.isdisjoint({number, *(match.number for match in found)})
    count = Count(len(found), "eq" if is_whole else "gte")
    return Duplicates([told[match.number] for match in found[:MOST_LISTED]], count)


def count_stories(connection: Connection, query: Query, visibility: Visibility, now: int) -> Count:
    """The number of stories in the whole list.

    It is exact up to `COUNTED_TO` matches, `MOST_COMPARED` of them with candidates; of more, the first are counted.
    """
    query, _ = query.resume()
    finder = NeighbourFinder(connection, query, visibility, now, None, time_key(query))
    matches: list[Match] = []
    start = None
    while len(matches) <= COUNTED_TO:
        portion = finder.select_matches(start, READ_AT_ONCE)
        matches += portion
        if len(portion) < READ_AT_ONCE:
            break
        start = Position(matches[-1].at, matches[-1].number)
    is_whole = len(matches) <= COUNTED_TO
    matches = matches[:COUNTED_TO]
    compared = finder.learn_all(matches)
    if len(compared) > MOST_COMPARED:
        is_whole = False
        matches = matches[: matches.index(compared[MOST_COMPARED])]
    for first in range(0, min(len(compared), MOST_COMPARED), COMPARED_AT_ONCE):
        finder.find_parents(compared[first : first + COMPARED_AT_ONCE])
        finder.forget_texts()
    stories = sum(finder.parents.get(match.number) is None for match in matches)
    return Count(stories, "eq" if is_whole else "gte")
