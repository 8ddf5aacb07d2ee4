"""Lists of names (sections, keywords, publishers, authors) with the number of articles of each, in alphabetical order.

A name is shown where its reader may list an article that carries it, now. The dictionary of
labels knows names of embargoed and killed articles too, and those of other publishers; so
each name is held against the search index first, and a cursor names only what was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from sqlalchemy import Connection, select, tuple_

from newswire.accounts.publishers import list_publishers
from newswire.errors import Fault, Problem
from newswire.reading.lists import COUNTED_TO, Count
from newswire.search import index
from newswire.search.analysis import split_spellings, word_forms
from newswire.search.names import Label, join_spaced, label_words
from newswire.search.query import cursor_mismatch, decode_cursor, encode_cursor, invalid_cursor
from newswire.store.tables import label
from newswire.visibility import Filter, TimeRules, Visibility, fingerprint_of, term_of

MOST_LOOKED_AT = 2000
"""Names of a page's request that are held against the index; then the page ends, however short it is."""


class Sight(NamedTuple):
    """What a reader may list now: the usable articles that match `wanted` and satisfy `rules`."""

    wanted: Filter
    rules: TimeRules

    @classmethod
    def of(cls, visibility: Visibility, now: int) -> Self:
        rule = visibility.rule_at(now)
        return cls(rule.filter, rule.times)

    def counts(self, connection: Connection, terms: Sequence[str]) -> dict[str, Count]:
        """How many articles of each term there are; terms of none are not there."""
        found = index.count_by_term(connection, terms, *self, most=COUNTED_TO + 1)
        return {name: Count.of(value) for name, value in found.items()}


class Name(NamedTuple):
    """A name in a list, before it is known whether the reader may see it."""

    words: str
    term: str
    label: str


class NameStart(NamedTuple):
    """The position behind which a page begins: a name, by words and term, and the number of names skipped after it."""

    words: str = ""
    term: str = ""
    passed: int = 0


@dataclass(frozen=True)
class Names:
    """A request for names: `kind` is section, keyword, publisher or author, `typed` is `q`."""

    kind: str
    typed: str | None
    limit: int
    cursor: str | None

    def beginnings(self) -> list[str]:
        """What the words of a name must hold: a blank and the beginning of a word, for each word typed."""
        if self.typed is None:
            return []
        found = [join_spaced(word_forms(spelling)).rstrip() for spelling in split_spellings(self.typed)]
        if not found:
            detail = "Write what to look for: nothing here has a letter or digit."
            raise Problem("invalid_query", f"q: {detail}", [Fault("invalid_query", detail, parameter="q")], position=0)
        return found

    def fingerprint(self) -> str:
        return fingerprint_of([self.kind, self.typed])

    def start(self) -> NameStart:
        """Where the page begins; raises `Problem` for a cursor that is not one, or another list's."""
        if self.cursor is None:
            return NameStart()
        match decode_cursor(self.cursor):
            case [str(fingerprint), str(held), str(name), int(passed)] if (
                "\0" not in held + name and 0 <= passed < 2**31
            ):
                if fingerprint != self.fingerprint():
                    raise cursor_mismatch()
                return NameStart(held, name, passed)
        raise invalid_cursor()

    def cursor_at(self, start: NameStart) -> str:
        return encode_cursor([self.fingerprint(), *start])


class NamePage(NamedTuple):
    """Names with their counts; and the cursor behind them, if any."""

    names: list[tuple[Name, Count]]
    next_cursor: str | None


def name_page(connection: Connection, asked: Names, sight: Sight, own: str | None = None) -> NamePage:
    """The names that the reader may see, and `own`, the term of a reader's own name, with or without articles."""
    start = asked.start()
    seen, looked_at = _visible_names(connection, asked, start, sight, own)
    shown = [name for _, name in seen[: asked.limit]]
    counts = sight.counts(connection, [name.term for name in shown])
    following = _next_start(start, seen, looked_at, asked.limit)
    return NamePage(
        [(name, counts.get(name.term, Count(0, "eq"))) for name in shown],
        None if following is None else asked.cursor_at(following),
    )


def _visible_names(
    connection: Connection, asked: Names, start: NameStart, sight: Sight, own: str | None
) -> tuple[list[tuple[int, Name]], int | None]:
    """What the reader may see, one name more than a page has, each with its place behind `start`.

    With it the number of names that were looked at; None: there are no more.
    """
    seen: list[tuple[int, Name]] = []
    looked_at, size = 0, asked.limit + 1
    while len(seen) <= asked.limit and looked_at < MOST_LOOKED_AT:
        some = _candidate_names(connection, asked, start._replace(passed=start.passed + looked_at), size)
        present = {*index.count_by_term(connection, [name.term for name in some], *sight, most=1), own}
        seen += [(place, name) for place, name in enumerate(some, looked_at + 1) if name.term in present]
        if len(some) < size:
            return seen, None
        looked_at, size = looked_at + len(some), MOST_LOOKED_AT // 4
    return seen, looked_at


def _next_start(
    start: NameStart, seen: Sequence[tuple[int, Name]], looked_at: int | None, limit: int
) -> NameStart | None:
    """The position behind which the next page begins. Names that the reader may not see are counted, never shown."""
    if len(seen) > limit:
        _, last = seen[limit - 1]
        return NameStart(last.words, last.term)
    if looked_at is None:
        return None
    if not seen:
        return start._replace(passed=start.passed + looked_at)
    place, last = seen[-1]
    return NameStart(last.words, last.term, looked_at - place)


def _candidate_names(connection: Connection, asked: Names, start: NameStart, size: int) -> Sequence[Name]:
    """The next names with the prefix asked for, before access is checked."""
    beginnings = asked.beginnings()
    if asked.kind == "publisher":
        found = [
            name
            for name in _publisher_names(connection)
            if name[:2] > start[:2] and all(beginning in name.words for beginning in beginnings)
        ]
        return found[start.passed : start.passed + size]
    statement = (
        select(label.c.words, label.c.term, label.c.label)
        .where(label.c.kind == asked.kind, tuple_(label.c.words, label.c.term) > tuple_(start.words, start.term))
        .where(*(label.c.words.contains(beginning, autoescape=True) for beginning in beginnings))
        .order_by(label.c.words, label.c.term)
        .offset(start.passed)
        .limit(size)
    )
    return [Name(*row) for row in connection.execute(statement)]


def _publisher_names(connection: Connection) -> list[Name]:
    """The publishers as names, in their order; there are few, and they can be renamed."""
    named = (Label(term_of("publisher", each.slug), "publisher", each.name) for each in list_publishers(connection))
    return sorted(Name(label_words(each), each.term, each.label) for each in named)
