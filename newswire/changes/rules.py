"""Delivery rules: which entries of the log one reader gets, and with which event type. Pure, the same at every route.

An entry is delivered when its version matches the reader's query and an entitlement that was in force at that entry
or later. When a new version of a delivered article no longer matches, that entry is delivered as `article.removed`.
A kill is delivered if any earlier version was or would have been, whatever the article and the entitlement are now.
An entry whose version may no longer be read is delivered without its content.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from newswire.article import EntryType
from newswire.document import decode_article
from newswire.search.analysis import analyse_article
from newswire.search.matching import MatchTexts, match_texts, matches_article
from newswire.search.query import Query
from newswire.store.articles import Past
from newswire.timestamps import parse_instant
from newswire.visibility import AccessRule, Filter, Standing, Visibility, listed_time

GONE = frozenset({EntryType.CANCELED, EntryType.REMOVED})


class StoredContent:
    """The stored bytes of one version, and lazily what queries look at: its times, and its texts analysed.

    It may be cached for long, so it keeps neither the decoded article nor lists of words, which take ten times the
    bytes.
    """

    def __init__(self, rendered: bytes, body: bytes, form: int, terms: frozenset[str]) -> None:
        self.rendered = rendered
        self.body = body
        self.form = form
        self.terms = terms

    @cached_property
    def times(self) -> Mapping[str, int]:
        """The times by which lists order the version, in milliseconds since 1970, by the names of their fields."""
        article = decode_article(self.rendered, None)
        times = {name: parse_instant(article[name]) for name in ("published_at", "updated_at")}
        listed = listed_time(self.terms)
        return times if listed is None else times | {"published_at": listed}

    @cached_property
    def texts(self) -> MatchTexts:
        return match_texts(analyse_article(decode_article(self.rendered, self.body), self.terms))


@dataclass(slots=True)
class LogEntry:
    """One entry of the log with everything that decides its delivery.

    `told` is its version; `before` are earlier versions of the article on the log: for a kill all, newest first, else
    the newest only, each with every set of terms that it had. `size` is about what its terms and its content take, in
    bytes. `content` is None until it is loaded; `served` caches the encoded entry (`encode_entry`).
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
    served: dict[tuple[str, bool], bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """The access and the query of one reader; `types` None: every event type."""

    visibility: Visibility
    query: Query
    types: frozenset[str] | None = None

    @property
    def gets_everything(self) -> bool:
        """Whether every entry is delivered, except unwanted types: no filter, no search, full entitlement."""
        everything = Filter()
        return not self.looks_inside and self.query.filter == everything == self.visibility.filter

    @property
    def looks_inside(self) -> bool:
        """Whether a match depends on words or times, for which the version must be decoded; else its terms suffice."""
        return self.query.expression is not None or any(moment is not None for moment in self.query.times)

    def could_see(self, past: Past) -> bool:
        """Whether the terms of a version match the query, and an entitlement in force at its entry or later."""
        return self.query.filter.matches(past.terms) and self.visibility.could_see_at(
            past.terms, past.seq, past.since, past.until
        )

    def concerns(self, item: LogEntry) -> bool:
        """Whether the entry could be delivered, by terms alone: words or times may still exclude it."""
        return self.could_see(item.told) or any(map(self.could_see, item.before))


class Matcher:
    """Matches versions against one reader. Each is decoded at most once; `looked` counts the decoded ones."""

    def __init__(self, reader: Reader, load: Callable[[int, Past], StoredContent]) -> None:
        self.reader = reader
        self.load = load
        self.looked = 0
        self._everything = reader.gets_everything
        self._looks_inside = reader.looks_inside
        self._known: dict[tuple[int, int], bool] = {}

    def answers(self, number: int, past: Past) -> bool:
        """Whether this version of article `number` was, or would have been, delivered to the reader."""
        if self._everything:
            return True
        reader = self.reader
        if not reader.could_see(past):
            return False
        if not self._looks_inside:
            return True
        # Terms are checked first, because decoding and analysing a version is the expensive part.
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
        at = content.times[name]
        if (since is not None and at < since) or (until is not None and at >= until):
            return False
    return query.expression is None or matches_article(query.expression, content.texts)


def event_type_for(item: LogEntry, matcher: Matcher) -> str | None:
    """The event type under which an entry is delivered to the reader; None if it is not delivered."""
    kind: str | None
    if item.type == EntryType.CANCELED:
        kind = item.type if any(matcher.answers(item.number, past) for past in item.before) else None
    elif matcher.answers(item.number, item.told):
        kind = item.type
    else:
        left = any(matcher.answers(item.number, past) for past in item.before)
        kind = EntryType.REMOVED.value if left else None
    wanted = matcher.reader.types
    return kind if wanted is None or kind in wanted else None


def is_readable(item: LogEntry, standing: Standing, kind: str, rule: AccessRule) -> bool:
    """Whether an entry is delivered with its content; `standing` is the current one of its article.

    Both must match: the version's own terms, and the article as it is now.
    """
    return kind not in GONE and rule.filter.matches(item.told.terms) and rule.allows(standing)
