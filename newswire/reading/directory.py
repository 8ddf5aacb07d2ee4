"""Lists of names (sections, keywords, publishers, authors) with the number of articles of each, in alphabetical order.

A name is listed if the reader may now list an article that carries it. The table of labels also has names from
embargoed and killed articles and from other publishers, so each name is checked against the search index first, and a
cursor contains only names that were listed.
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
"""Names that one request checks against the index; then its page ends, however short it is."""


class Sight(NamedTuple):
    """The articles that a reader may list now: usable ones that match `wanted` and satisfy `rules`."""

    wanted: Filter
    rules: TimeRules

    @classmethod
    def of(cls, visibility: Visibility, now: int) -> Self:
        rule = visibility.rule_at(now)
        return cls(rule.filter, rule.times)

    def counts(self, connection: Connection, terms: Sequence[str]) -> dict[str, Count]:
        """The number of articles of each term; terms without articles are left out."""
        found = index.count_by_term(connection, terms, *self, most=COUNTED_TO + 1)
        return {name: Count.of(value) for name, value in found.items()}


class Name(NamedTuple):
    """A row of the table of labels: a candidate until access to one of its articles is checked."""

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
        """For each word typed, the text that the words of a name must contain: a blank and the beginning of a word."""
        if self.typed is None:
            return []
        beginnings = [join_spaced(word_forms(spelling)).rstrip() for spelling in split_spellings(self.typed)]
        if not beginnings:
            detail = "Write what to look for: nothing here has a letter or digit."
            raise Problem("invalid_query", f"q: {detail}", [Fault("invalid_query", detail, parameter="q")], position=0)
        return beginnings

    def fingerprint(self) -> str:
        return fingerprint_of([self.kind, self.typed])

    def start(self) -> NameStart:
        """The position from the cursor; raises `Problem` for an invalid cursor or one of another list."""
        if self.cursor is None:
            return NameStart()
        match decode_cursor(self.cursor):
            case [str(fingerprint), str(words), str(term), int(passed)] if (
                "\0" not in words + term and 0 <= passed < 2**31
            ):
                if fingerprint != self.fingerprint():
                    raise cursor_mismatch()
                return NameStart(words, term, passed)
        raise invalid_cursor()

    def cursor_at(self, start: NameStart) -> str:
        return encode_cursor([self.fingerprint(), *start])


class NamePage(NamedTuple):
    """A page of names with their counts, and the cursor of the next page, if any."""

    names: list[tuple[Name, Count]]
    next_cursor: str | None


def name_page(connection: Connection, asked: Names, sight: Sight, own: str | None = None) -> NamePage:
    """The names that the reader may see; `own`, the term of the reader's own name, is listed even without articles."""
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
    """The names that the reader may see, up to one more than a page has, each with its distance from `start`.

    The second value is the number of names checked, or None if the list ends here.
    """
    seen: list[tuple[int, Name]] = []
    looked_at, size = 0, asked.limit + 1
    while len(seen) <= asked.limit and looked_at < MOST_LOOKED_AT:
        candidates = _candidate_names(connection, asked, start._replace(passed=start.passed + looked_at), size)
        present = {*index.count_by_term(connection, [name.term for name in candidates], *sight, most=1), own}
        seen += [(distance, name) for distance, name in enumerate(candidates, looked_at + 1) if name.term in present]
        if len(candidates) < size:
            return seen, None
        # The first read has the size of a page, which mostly suffices; where access hides names, later ones are larger.
        looked_at, size = looked_at + len(candidates), MOST_LOOKED_AT // 4
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
    distance, last = seen[-1]
    return NameStart(last.words, last.term, looked_at - distance)


def _candidate_names(connection: Connection, asked: Names, start: NameStart, size: int) -> Sequence[Name]:
    """The next names with the prefix asked for, before access is checked."""
    beginnings = asked.beginnings()
    if asked.kind == "publisher":
        names = [
            name
            for name in _publisher_names(connection)
            if name[:2] > start[:2] and all(beginning in name.words for beginning in beginnings)
        ]
        return names[start.passed : start.passed + size]
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
    """The publishers as names, sorted. They are not in the table of labels: they are few, and may be renamed."""
    labels = (Label(term_of("publisher", item.slug), "publisher", item.name) for item in list_publishers(connection))
    return sorted(Name(label_words(item), item.term, item.label) for item in labels)
