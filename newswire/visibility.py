"""Who may see what: filter terms, filters, entitlements and their history, and THE rule of access with its SQL twin.

Every filter is a set of *terms*. A term is one word such as `section_world` or
`author_jane_20doe`; each version of an article carries its own, the search index of both
engines holds them, and an entitlement is made of them too. So one representation serves
SQL, in-process matching and access alike.

The rule is data: `Visibility.rule_at` says which terms, states and times of an article one caller may be shown. Python
holds them against a `Standing` (`AccessRule.allows`), SQL against columns (`allowed_clauses`, `allowed_sql`, `refused_sql`).
A rule that is no term is one more `TimeRule` in `Visibility.time_rules` (decision 0016). Nothing here knows a table.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Self

import orjson
from sqlalchemy import ColumnElement, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from newswire.article import Status

NAMED = (
    ("author", "authors", ("id", "name")), ("subject", "subjects", ("code", "name")), ("place", "places", ("name",)),
)  # fmt: skip


LONGEST_VALUE = 1900
"""Bytes of a value in a term: PostgreSQL takes words of 2,046; few letters make 250 of them longer."""


AUTHOR_ID = re.compile("author_[0-9a-f]{32}")


PROFILE = ("role", "bio", "url", "avatar_url", "organization")


FACETS = ("publisher", "section", "language", "keyword", "author")


@lru_cache(10_000)
def term_of(kind: str, value: str) -> str:
    """The term `kind_value`: folded in case, blanks collapsed, escaped to one word for both search engines."""
    folded = " ".join(unicodedata.normalize("NFC", value).casefold().split())
    escaped = re.sub(r"[\x00-\x2f\x3a-\x60\x7b-\x7f]", lambda found: f"_{ord(found[0]):02x}", folded)
    if len(encoded := escaped.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
        # Two underscores: no value is escaped so.
        return f"{kind}__{hashlib.sha256(encoded).hexdigest()}"
    return f"{kind}_{escaped}"


def term_value(name: str) -> str:
    """The value in a term, folded as `term_of` folded it."""
    return re.sub("_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name.partition("_")[2])


def terms_of(publisher: str, content: Mapping[str, Any]) -> frozenset[str]:
    """The terms of one version: `content` is the article, or its tombstone, as served.

    A language counts with and without its region. Those of `profile_terms` are among them.
    """
    found = {term_of("publisher", publisher), f"image_{'yes' if content.get('images') else 'no'}"}
    for kind in ("id", "external_id", "section", "urgency"):
        if content.get(kind) is not None:
            found.add(term_of(kind, str(content[kind])))
    if language := content.get("language"):
        found |= {term_of("language", language), term_of("language", language.split("-")[0])}
    for kind, items, names in NAMED:
        found |= {term_of(kind, item[name]) for item in content.get(items, ()) for name in names if item[name]}
    found |= {term_of("keyword", keyword) for keyword in content.get("keywords", ())}
    # Whoever gives an author's id for a name must not be found, counted and named as that author.
    authors = {term_of("author", author["id"]) for author in content.get("authors", ())}
    feigned = {name for name in found if AUTHOR_ID.fullmatch(name)} - authors
    return frozenset(found - feigned) | profile_terms(content)


def profile_terms(content: Mapping[str, Any]) -> frozenset[str]:
    """Terms for the profile fields that an article gives of each author: the newest such article is one look-up."""
    authors = content.get("authors", ())
    return frozenset(profile_term(name, author["id"]) for author in authors for name in PROFILE if author[name])


def profile_term(name: str, author_id: str) -> str:
    """The term of one profile field. No parameter and no entitlement can ask for terms of this kind."""
    return term_of(f"profile_{name}", author_id)


@dataclass(frozen=True)
class Filter:
    """Conditions that all must hold: one of each set in `include`, none of `exclude`. Empty: everything."""

    include: tuple[frozenset[str], ...] = ()
    exclude: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Iterable[str]], excluded: Mapping[str, Iterable[str]] | None = None) -> Self:
        """From names and alternatives: {"section": ["world", "uk"], "language": ["en"]}; `excluded` alike."""
        clauses = (frozenset(term_of(kind, value) for value in chosen) for kind, chosen in sorted(values.items()))
        without = (term_of(kind, value) for kind, chosen in (excluded or {}).items() for value in chosen)
        return cls(include=tuple(clause for clause in clauses if clause), exclude=frozenset(without))

    def matches(self, terms: frozenset[str]) -> bool:
        return not (self.include and any(map(terms.isdisjoint, self.include))) and terms.isdisjoint(self.exclude)

    def __and__(self, other: "Filter") -> "Filter":
        return Filter(self.include + other.include, self.exclude | other.exclude)

    def canonical(self) -> list[Any]:
        """The same for equal filters, in every process."""
        return [sorted(sorted(clause) for clause in self.include), sorted(self.exclude)]


class Grant(NamedTuple):
    """An entitlement: in force from the entries after `since_seq`."""

    since_seq: int
    filter: Filter


TIMES = ("published_at", "updated_at", "expires_at")
"""The times of an article that the rule may look at: the row of an article and both search indexes hold them."""


class TimeRule(NamedTuple):
    """A condition on one of `TIMES`: later than `at`, or (`is_later` False) no later. An absent time satisfies it.

    `at` is in milliseconds since 1970, or a bind parameter.
    """

    column: str
    is_later: bool
    at: Any

    @property
    def name(self) -> str:
        """What its value is called among those of a statement."""
        return f"{self.column}_{'above' if self.is_later else 'until'}"

    def holds(self, value: int | None) -> bool:
        return value is None or (value > self.at if self.is_later else value <= self.at)


TimeRules = tuple[TimeRule, ...]


class Standing(NamedTuple):
    """What an article is now, as far as access depends on it; `terms` are those of its current version."""

    status: str
    published_at: int
    updated_at: int
    expires_at: int | None
    terms: frozenset[str]


class AccessRule(NamedTuple):
    """What one caller may be shown at one moment: articles in one of `statuses` that satisfy the filter and `times`."""

    filter: Filter
    statuses: frozenset[Status]
    times: TimeRules

    def allows(self, standing: Standing) -> bool:
        """Whether an article may be shown, whichever way it was asked for."""
        return (
            standing.status in self.statuses
            and self.filter.matches(standing.terms)
            and all(rule.holds(getattr(standing, rule.column)) for rule in self.times)
        )


def allowed_clauses(rules: TimeRules, columns: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[bool]]:
    """The SQL twin of `TimeRule.holds`, over the columns of an article by their names."""
    return [
        or_(columns[column].is_(None), columns[column] > at if is_later else columns[column] <= at)
        for column, is_later, at in rules
    ]


def allowed_sql(rules: TimeRules, parameter: str) -> str:
    """The same as text; the values are named by `TimeRule.name`, and a parameter is written so: `%({})s`."""
    holds = (
        f"({rule.column} IS NULL OR {rule.column} {'>' if rule.is_later else '<='} {parameter.format(rule.name)})"
        for rule in rules
    )
    return " AND ".join(holds) or "TRUE"


def refused_sql(rules: TimeRules, parameter: str, table: str) -> str:
    """The opposite in SQL, over the columns of `table`: true where a rule fails, else false or NULL."""
    fails = (f"{table}.{rule.column} {'<=' if rule.is_later else '>'} {parameter.format(rule.name)}" for rule in rules)
    return " OR ".join(fails) or "0"


def values_of_rules(rules: TimeRules) -> dict[str, Any]:
    return {rule.name: rule.at for rule in rules}


def rules_among(names: Collection[str], parameter: Callable[[str], Any]) -> TimeRules:
    """The inverse of `values_of_rules`: the rules whose values have these names, each with a bind parameter for its time."""
    every = (TimeRule(column, is_later, None) for column in TIMES for is_later in (True, False))
    return tuple(rule._replace(at=parameter(rule.name)) for rule in every if rule.name in names)


@dataclass(frozen=True)
class Visibility:
    """The access of one caller. `owner`: a publisher to its own articles, or an admin; sees every state.

    `grants` is the entitlement's history, oldest first; the last one is in force now.
    """

    grants: tuple[Grant, ...]
    owner: bool = False

    @cached_property
    def filter(self) -> Filter:
        return self.grants[-1].filter

    def rule_at(self, now: int) -> AccessRule:
        """THE rule: what this caller may be shown at `now`."""
        return AccessRule(self.filter, EVERY_STATUS if self.owner else ON_THE_WIRE, self.time_rules(now))

    def time_rules(self, now: int) -> TimeRules:
        """The part of the rule that is neither a term nor a state: what has expired is its owner's only."""
        return () if self.owner else (TimeRule("expires_at", True, now),)

    def allows(self, standing: Standing, now: int) -> bool:
        """Whether the article may be shown at `now`."""
        return self.rule_at(now).allows(standing)

    def allows_version(self, terms: frozenset[str], *, was_told: bool) -> bool:
        """Whether a version of such an article may be shown, too: one that was never told is its owner's only."""
        return (was_told or self.owner) and self.filter.matches(terms)

    def could_see_at(self, terms: frozenset[str], seq: int) -> bool:
        """Whether this caller could have read, when entry `seq` was written or later, a version with these terms."""
        # The one in force, which most callers have had from the start, and then those that were in force later.
        if self.grants[-1].filter.matches(terms):
            return True
        return any(old.filter.matches(terms) for old, new in pairwise(self.grants) if new.since_seq >= seq)

    @cached_property
    def follows_the_log(self) -> bool:
        """Whether nothing but entries of the log and expiries changes what is shown; else no list has an ETag."""
        return all(rule.column == "expires_at" for rule in self.time_rules(0))

    @cached_property
    def shares_pages(self) -> bool:
        """Whether pages made for this caller are kept for all who see the same; what owners see changes unlogged."""
        return self.follows_the_log and not self.owner

    @cached_property
    def fingerprint(self) -> str:
        """A part of every list's ETag: changes whenever what may be seen changes."""
        grants = [[grant.since_seq, grant.filter.canonical()] for grant in self.grants]
        return fingerprint_of([self.owner, grants, [list(rule) for rule in self.time_rules(0)]])


EVERY_STATUS, ON_THE_WIRE = frozenset(Status), frozenset({Status.USABLE})
EVERYTHING = (Grant(0, Filter()),)


NOTHING = Filter(include=(frozenset(),))


def fingerprint_of(content: object) -> str:
    """A short hash that is the same for equal contents, in every process."""
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]
