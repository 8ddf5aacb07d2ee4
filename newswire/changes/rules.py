"""Delivery rules: which entries of the log one reader gets, and with which event type; pure, the same at every door.

An entry reaches a reader when its version answers to the reader's query and to what the reader
could see at that entry or later. A version that no longer does is told once, as
`article.removed`; a kill reaches everyone to whom any version was told, whatever the article
and the entitlement are now. What may no longer be read keeps its entry and loses its content.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from newswire.article import EntryType
from newswire.document import decode_article
from newswire.search.analysis import Analysed, analyse_article
from newswire.search.query import Query
from newswire.search.syntax import matches_article
from newswire.store.articles import Past
from newswire.timestamps import parse_instant
from newswire.visibility import AccessRule, Filter, Standing, Visibility

GONE = frozenset({EntryType.CANCELED, EntryType.REMOVED})


class StoredContent:
    """The stored bytes of one version; decoded and analysed lazily, once."""

    def __init__(self, rendered: bytes, body: bytes, form: int, terms: frozenset[str]) -> None:
        self.rendered = rendered
        self.body = body
        self.form = form
        self.terms = terms

    @cached_property
    def article(self) -> dict[str, Any]:
        return decode_article(self.rendered, self.body)

    @cached_property
    def analysed(self) -> Analysed:
        return analyse_article(self.article, self.terms)


@dataclass(slots=True)
class LogEntry:
    """One entry of the log with what decides to whom it is delivered.

    `told` is its version; `before` are the versions told earlier: of a kill all, newest first, else the
    newest only. `content` is there where it was loaded; `served` is room for what is made of it.
    """

    seq: int
    type: str
    at: int
    number: int
    article_id: str
    digest: str
    chain: str
    told: Past
    before: tuple[Past, ...]
    standing: Standing
    size: int
    content: StoredContent | None = None
    served: dict[Any, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """The access and the query of one reader; `types` None: every event type."""

    visibility: Visibility
    query: Query
    types: frozenset[str] | None = None

    @property
    def gets_everything(self) -> bool:
        """Whether every entry is told, but for types that are not wanted."""
        everything = Filter()
        return not self.looks_inside and self.query.filter == everything == self.visibility.filter

    @property
    def looks_inside(self) -> bool:
        """Whether terms alone do not decide."""
        return self.query.expression is not None or any(moment is not None for moment in self.query.times)

    def could_see(self, past: Past) -> bool:
        """Whether a version is in what was open to the reader, and its terms are those that are asked for."""
        return self.query.filter.matches(past.terms) and self.visibility.could_see_at(past.terms, past.seq)

    def concerns(self, item: LogEntry) -> bool:
        """Whether the reader may be told of this entry; without a look inside."""
        return self.could_see(item.told) or any(map(self.could_see, item.before))


class Matcher:
    """Matches versions against one reader. Each is decoded once at most; `looked` counts those that were."""

    def __init__(self, reader: Reader, load: Callable[[int, Past], StoredContent]) -> None:
        self.reader = reader
        self.load = load
        self.looked = 0
        self._everything = reader.gets_everything
        self._looks_inside = reader.looks_inside
        self._known: dict[tuple[int, int], bool] = {}

    def answers(self, number: int, past: Past) -> bool:
        """Whether this version of article `number` was, or would have been, told to the reader."""
        if self._everything:
            return True
        reader = self.reader
        if not reader.could_see(past):
            return False
        if not self._looks_inside:
            return True
        key = (number, past.version)
        if key not in self._known:
            self.looked += 1
            self._known[key] = satisfies_query(reader.query, self.load(number, past))
        return self._known[key]


def satisfies_query(query: Query, content: StoredContent) -> bool:
    """Whether a version satisfies the times and words of a query."""
    times = query.times
    for name, since, until in (("published_at", *times[:2]), ("updated_at", *times[2:])):
        if since is None and until is None:
            continue
        at = parse_instant(content.article[name])
        if (since is not None and at < since) or (until is not None and at >= until):
            return False
    return query.expression is None or matches_article(query.expression, content.analysed)


def event_type_for(item: LogEntry, matcher: Matcher) -> str | None:
    """The event type with which the entry is delivered to the reader; None: it is not delivered."""
    kind: str | None
    if item.type == EntryType.CANCELED:
        kind = item.type if any(matcher.answers(item.number, past) for past in item.before) else None
    elif matcher.answers(item.number, item.told):
        kind = item.type
    else:
        left = bool(item.before) and matcher.answers(item.number, item.before[0])
        kind = EntryType.REMOVED.value if left else None
    wanted = matcher.reader.types
    return kind if wanted is None or kind in wanted else None


def is_readable(item: LogEntry, standing: Standing, kind: str, rule: AccessRule) -> bool:
    """Whether the reader may have the content of the entry's version now; `standing` is that of its article."""
    return kind not in GONE and rule.filter.matches(item.told.terms) and rule.allows(standing)
