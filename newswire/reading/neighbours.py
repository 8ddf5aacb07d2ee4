"""Neighbours: the near-duplicates of articles among the visible matches of one query, in the order of its list.

Candidates come from the search index, as the matches of the same query by the same reader that have a story term in
common, so an article that the reader may not see takes no part, not even in what is bounded. The *parent* of an
article is the first of its near-duplicates before it in the list; an article without one is shown. Each article is
decided by itself, so a page needs no memory of the pages before (decision 0040). Pages are in `stories`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from newswire.reading.lists import list_statement
from newswire.search import index
from newswire.search.query import Position, Query
from newswire.search.signatures import COMPARED_CHARACTERS, StoryText, are_near, is_story_term
from newswire.store.articles import CURRENT, load_terms, short_terms
from newswire.store.tables import article, version
from newswire.visibility import Filter, Visibility

MOST_CANDIDATES = 1_000
"""Candidates of all articles together that one statement finds; where there are more, each article is looked up, which
takes up to 0.2 seconds for common words among 50,000 articles with copies."""
MOST_NEAREST = 12
"""Candidates of one article that are compared: the first ones of the list, and as many on either side of it."""
TEXTS_AT_ONCE = 100
"""Texts that one statement reads."""


class Match(NamedTuple):
    """A match of the query: its position in an order of time, its number, and its story terms."""

    at: int
    number: int
    terms: frozenset[str]


SortKey = Callable[[Match], tuple[Any, ...]]


def time_key(query: Query) -> SortKey:
    """The sort key of an order by time."""
    sign = -1 if query.descending else 1
    return lambda match: (sign * match.at, sign * match.number)


@cache
def match_columns(order: str) -> Select[Any]:
    return select(
        article.c[order].label("at"), article.c.number, article.c.version, short_terms(version.c.terms).label("terms")
    ).join_from(article, version, CURRENT)


def read_matches(connection: Connection, rows: Iterable[Any]) -> list[Match]:
    """The matches in the rows of `match_columns`."""
    return [
        Match(at, number, frozenset(filter(is_story_term, load_terms(connection, number, current, terms).split())))
        for at, number, current, terms in rows
    ]


@dataclass
class NeighbourFinder:
    """The neighbours of matches of `query`; `key` sorts by the order of the list.

    `parents` has the number of the parent, or None, of every match that was looked up; `known` are all that were seen;
    `cut_short` the numbers of those whose neighbours may not all have been seen.
    """

    connection: Connection
    query: Query
    visibility: Visibility
    now: int
    languages: Sequence[str] | None
    key: SortKey
    parents: dict[int, int | None] = field(default_factory=dict)
    known: dict[int, Match] = field(default_factory=dict)
    cut_short: set[int] = field(default_factory=set)
    _by_term: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _texts: dict[int, StoryText] = field(default_factory=dict)
    _near: dict[tuple[int, int], bool] = field(default_factory=dict)
    _found: set[str] = field(default_factory=set)
    _crowded: set[frozenset[str]] = field(default_factory=set)

    def select_matches(self, start: Position | None, limit: int, *, reverse: bool = False) -> list[Match]:
        """The matches of the whole query behind `start`, in its order of time or in the reverse order."""
        return self._select(self.query.filter, start, limit, reverse)

    def find_matches(self, numbers: Sequence[int]) -> list[Match]:
        """The matches with these numbers, in the order of `numbers`."""
        chosen = match_columns(self.query.order).where(article.c.number.in_(numbers))
        found = {match.number: match for match in read_matches(self.connection, self.connection.execute(chosen))}
        return [found[number] for number in numbers]

    def learn_all(self, matches: Sequence[Match]) -> list[Match]:
        """Learns that there are no other matches than these; returns those that have a candidate."""
        self._learn(matches)
        self._found.update(self._by_term)
        return [match for match in matches if any(len(self._by_term[term]) > 1 for term in match.terms)]

    def forget_texts(self) -> None:
        """Frees the texts that were compared, some 40 kB each."""
        self._texts.clear()

    def _select(self, chosen: Filter, start: Position | None, limit: int, reverse: bool = False) -> list[Match]:
        query = replace(self.query, filter=chosen, descending=self.query.descending is not reverse)
        statement, values = list_statement(
            self.connection, match_columns(query.order), query, self.visibility, self.now, start, limit, self.languages
        )
        return read_matches(self.connection, statement.execute(self.connection, values).fetchall())

    def _sharing(self, terms: frozenset[str], start: Position | None, limit: int, reverse: bool = False) -> list[Match]:
        """The matches that have one of these story terms."""
        return self._select(self.query.filter & Filter((terms,)), start, limit, reverse)

    def find_parents(self, matches: Sequence[Match]) -> None:
        """Finds the parent of each of these matches."""
        new = [match for match in matches if match.number not in self.parents]
        self._learn(new)
        self._gather(new)
        self._compare(new)
        crowded = [match for match in new if match.terms in self._crowded]
        self.cut_short.update(match.number for match in crowded)
        if alone := [match for match in crowded if self.parents[match.number] is None]:
            for match in alone:
                for reverse in (True, False):
                    self._learn(self._sharing(match.terms, Position(match.at, match.number), MOST_NEAREST, reverse))
            self._compare(alone)

    def find_later(self, matches: Sequence[Match]) -> Iterator[Match]:
        """The near-duplicates behind matches that were looked up, of each in the order of the list."""
        later = {match.number: self._candidates(match, before=False) for match in matches}
        self._load_texts(later)
        for number, others in later.items():
            yield from (self.known[other] for other in others if self._is_near(number, other))

    def find_root(self, number: int) -> int | None:
        """The first of the story of a match; None if a match on the way to it was not looked up."""
        while number in self.parents:
            parent = self.parents[number]
            if parent is None:
                return number
            number = parent
        return None

    def _learn(self, matches: Iterable[Match]) -> None:
        for match in matches:
            if match.number not in self.known:
                self.known[match.number] = match
                for term in match.terms:
                    self._by_term[term].add(match.number)

    def _gather(self, matches: Sequence[Match]) -> None:
        """Learns of the candidates of these matches: of all by one statement, or of the first ones where they crowd."""
        asked = {match.terms for match in matches if not match.terms <= self._found} - self._crowded
        if not asked:
            return
        together = frozenset().union(*asked)
        found = self._sharing(together, None, MOST_CANDIDATES + 1)
        self._learn(found)
        if len(found) <= MOST_CANDIDATES:
            self._found |= together
            return
        for terms in sorted(asked, key=sorted):
            found = self._sharing(terms, None, MOST_NEAREST)
            self._learn(found)
            if len(found) < MOST_NEAREST:
                self._found |= terms
            else:
                self._crowded.add(terms)

    def _compare(self, matches: Sequence[Match]) -> None:
        """Sets the parents of matches whose candidates are known."""
        earlier = {match.number: self._candidates(match, before=True) for match in matches}
        # Nearly always the first candidate is the parent: of a thousand copies, each is compared with one.
        self._load_texts({number: others[:1] for number, others in earlier.items()})
        self._load_texts({n: others for n, others in earlier.items() if self._first_near(n, others[:1]) is None})
        for number, others in earlier.items():
            self.parents[number] = self._first_near(number, others)

    def _candidates(self, match: Match, *, before: bool) -> list[int]:
        """The numbers of known matches on one side that share a story term, in the order of the list."""
        here = self.key(match)
        numbers: set[int] = set().union(*(self._by_term[term] for term in match.terms)) - {match.number}
        side = [other for number in numbers if (self.key(other := self.known[number]) < here) is before]
        found = [other.number for other in sorted(side, key=self.key)]
        if len(found) > 2 * MOST_NEAREST:
            self.cut_short.add(match.number)
            found = found[:MOST_NEAREST] + (found[-MOST_NEAREST:] if before else found[MOST_NEAREST : 2 * MOST_NEAREST])
        return found

    def _load_texts(self, compared: Mapping[int, Collection[int]]) -> None:
        """Loads the texts of matches and of those that they are compared with; of matches without any, none."""
        wanted = {each for number, others in compared.items() if others for each in (number, *others)}
        missing = sorted(wanted - self._texts.keys())
        for start in range(0, len(missing), TEXTS_AT_ONCE):
            texts = index.read_texts(self.connection, missing[start : start + TEXTS_AT_ONCE], COMPARED_CHARACTERS)
            self._texts |= {number: StoryText.of(text) for number, text in texts.items()}

    def _first_near(self, number: int, others: Iterable[int]) -> int | None:
        return next((other for other in others if self._is_near(number, other)), None)

    def _is_near(self, first: int, second: int) -> bool:
        pair = (first, second) if first < second else (second, first)
        if pair not in self._near:
            self._near[pair] = are_near(self._texts[first], self._texts[second])
        return self._near[pair]
