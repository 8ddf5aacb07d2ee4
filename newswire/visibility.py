"""Access: terms, filters, entitlements with their history, and the one rule of access in Python and in SQL.

A filter is a set of *terms*. A term is one word such as `section_world` or `author_jane_20doe`. Each version of an
article has its terms, the search index of both engines contains them, and an entitlement is a filter over them. So one
representation serves SQL, matching in the process, and access.

The rule is data: `Visibility.rule_at` gives the terms, states and times of the articles that one caller may see. Python
tests them on a `Standing` (`AccessRule.allows`), SQL on columns (`allowed_clauses`, `allowed_sql`, `refused_sql`). A
condition that is not a term is one more `TimeRule` in `Visibility.time_rules` (decision 0016). No table is named here.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, Self

import orjson
from sqlalchemy import ColumnElement, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from newswire.article import Status
from newswire.caches import cache_short
from newswire.language_tags import canonical_tag, matching_ranges
from newswire.plain_text import plain_value
from newswire.subjects import NO_SUBJECTS, SubjectMap, concept_code

NAMED = (
    ("author", "authors", ("id", "name")), ("subject", "subjects", ("code", "name")), ("place", "places", ("name",)),
)  # fmt: skip
PLAIN_KINDS = frozenset({"section", "keyword", "author", "place"})
"""Kinds of terms whose values are plain text. Older versions, entitlements and saved queries may hold them escaped. Not
subjects: their names share terms with codes, which are never changed, so a name has a term for each spelling."""


LONGEST_VALUE = 1900
"""The most bytes of a value in a term; a longer one is hashed. PostgreSQL takes lexemes of up to 2,046 bytes."""


AUTHOR_ID = re.compile("author_[0-9a-f]{32}")


PROFILE = ("role", "bio", "url", "avatar_url", "organization")


FACETS = ("publisher", "section", "language", "keyword", "subject", "author")


@cache_short(10_000)
def term_of(kind: str, value: str) -> str:
    """The term `kind_value`: folded in case, blanks collapsed, escaped to one word for both search engines.

    `Arts &amp; Culture` and `Arts & Culture` are one section, and so for the other `PLAIN_KINDS`.
    """
    if kind in PLAIN_KINDS:
        value = plain_value(value)
    folded = " ".join(unicodedata.normalize("NFC", value).casefold().split())
    escaped = re.sub(r"[\x00-\x2f\x3a-\x60\x7b-\x7f]", lambda found: f"_{ord(found[0]):02x}", folded)
    if len(encoded := escaped.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
        # Two underscores cannot result from escaping, so a hash never equals the term of another value.
        return f"{kind}__{hashlib.sha256(encoded).hexdigest()}"
    return f"{kind}_{escaped}"


def term_value(name: str) -> str:
    """The value in a term, folded as `term_of` folded it."""
    return re.sub("_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name.partition("_")[2])


def terms_of(publisher: str, content: Mapping[str, Any], subjects: SubjectMap = NO_SUBJECTS) -> frozenset[str]:
    """The terms of one version, including `profile_terms`; `content` is the article, or its tombstone, as served.

    A language gives a term for each range that matches it, so that a filter by a range is one term as well; so does a
    subject for each broader one. `subjects` is the subject map of the publisher.
    """
    found = {term_of("publisher", publisher), f"image_{'yes' if content.get('images') else 'no'}"}
    found |= identity_terms(content.get("id"), content.get("external_id"))
    for kind in ("section", "urgency"):
        if content.get(kind) is not None:
            found.add(term_of(kind, str(content[kind])))
    if language := content.get("language"):
        found |= {term_of("language", each) for each in matching_ranges(language)}
    for kind, items, names in NAMED:
        found |= {term_of(kind, item[name]) for item in content.get(items, ()) for name in names if item[name]}
    found |= {term_of("subject", plain_value(item["name"])) for item in content.get("subjects", ()) if item["name"]}
    coded = (item for item in content.get("subjects", ()) if item["code"])
    codes = (concept_code(item["code"], item.get("scheme") or "") for item in coded)
    found |= {term_of("subject", code) for code in codes if code is not None}
    found |= {term_of("keyword", keyword) for keyword in content.get("keywords", ())}
    # A publisher may send another author's id as a name: such a term would impersonate that author.
    authors = {term_of("author", author["id"]) for author in content.get("authors", ())}
    forged = {name for name in found if AUTHOR_ID.fullmatch(name)} - authors
    terms = frozenset(found - forged) | profile_terms(content) | link_terms(publisher, content)
    return terms | subjects.implied_terms(terms)


def identity_terms(article_id: str | None, external_id: str | None) -> frozenset[str]:
    """The terms of an article's id and of its publisher's own id; None: there is none, or it is not known yet."""
    named = (("id", article_id), ("external_id", external_id))
    return frozenset(term_of(kind, value) for kind, value in named if value is not None)


def profile_terms(content: Mapping[str, Any]) -> frozenset[str]:
    """Terms for the profile fields that an article gives of its authors, by which the newest such article is found."""
    authors = content.get("authors", ())
    return frozenset(profile_term(name, author["id"]) for author in authors for name in PROFILE if author[name])


def profile_term(name: str, author_id: str) -> str:
    """The term of one profile field. No parameter and no entitlement can ask for terms of this kind."""
    return term_of(f"profile_{name}", author_id)


EVOLVES, RELATES = "evolves", "relates"
"""The kinds of links that a publisher sends: `evolves_from`, and the items of `related`."""
OUR_URI = re.compile("urn:uuid:(.+)", re.DOTALL)


class LinkTarget(NamedTuple):
    """One reading of a link: `name` is an id of ours, or by its `kind` the own id of a publisher."""

    kind: str
    name: str


def link_targets(publisher: str, link: Mapping[str, str] | str) -> list[LinkTarget]:
    """What a link of a publisher can name: an item of `related`, or the text in `evolves_from`.

    A text and a URI may be our URI or id of any article, or the publisher's own id of one of its articles: what came
    as ninjs has its URI as that. An article is found by every reading that fits, so none depends on what others are.
    """
    if isinstance(link, str):
        found = OUR_URI.fullmatch(link)
        return [id_target(found[1] if found else link), own_target(publisher, link)]
    if "id" in link:
        return [id_target(link["id"])]
    if "external_id" in link:
        return [own_target(publisher, link["external_id"])]
    return link_targets(publisher, link["uri"])


def id_target(article_id: str) -> LinkTarget:
    return LinkTarget("id", article_id.lower())


def own_target(publisher: str, external_id: str) -> LinkTarget:
    return LinkTarget(f"of {publisher}", external_id)


def link_terms(publisher: str, content: Mapping[str, Any]) -> frozenset[str]:
    """Terms for what an article's links name, by which those that link to an article are found."""
    evolves_from = content.get("evolves_from")
    links = [(RELATES, link) for link in content.get("related", ())]
    links += [(EVOLVES, evolves_from)] if evolves_from is not None else []
    return frozenset(link_term(kind, target) for kind, link in links for target in link_targets(publisher, link))


def is_link_term(name: str) -> bool:
    return name.startswith((f"{EVOLVES}_", f"{RELATES}_"))


def link_term(kind: str, target: LinkTarget) -> str:
    """The term of a link. It is a hash, as ids differ by case; no parameter and no entitlement can ask for it."""
    return f"{kind}_{fingerprint_of([kind, *target])}"


def _asked_terms(kind: str, value: str) -> set[str]:
    """The terms that a value of a filter or an entitlement asks for, also if it was stored in an older spelling."""
    if kind == "language":
        return {term_of(kind, canonical_tag(value))}
    if kind == "subject":
        return {term_of(kind, written) for written in (value, plain_value(value), concept_code(value) or value)}
    return {term_of(kind, value)}


def is_any_language(kind: str, chosen: Iterable[str]) -> bool:
    """Whether the range `*` is among the alternatives (RFC 4647, 3.3.1)."""
    return kind == "language" and "*" in chosen


LISTED = "listed_"


def listed_term(at: int) -> str:
    """The term of a version that lists do not order by its served time of publication but by `at`, in milliseconds.

    No parameter and no entitlement can ask for it.
    """
    return f"{LISTED}{at}"


def listed_time(terms: Iterable[str]) -> int | None:
    """The time in the `listed_term` among the terms of a version; None: lists order it by the served time."""
    return next((int(name.removeprefix(LISTED)) for name in terms if name.startswith(LISTED)), None)


@dataclass(frozen=True)
class Filter:
    """A condition on terms: one or more of each set in `include`, none of `exclude`. If empty, it matches all."""

    include: tuple[frozenset[str], ...] = ()
    exclude: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Iterable[str]], excluded: Mapping[str, Iterable[str]] | None = None) -> Self:
        """From names and alternatives: {"section": ["world", "uk"], "language": ["en"]}; `excluded` alike.

        Languages are ranges of RFC 4647: in any spelling, and `*` matches every language.
        """
        clauses = [
            frozenset().union(*(_asked_terms(kind, value) for value in chosen))
            for kind, chosen in sorted(values.items())
            if not is_any_language(kind, chosen)
        ]
        excluded = excluded or {}
        if any(is_any_language(kind, chosen) for kind, chosen in excluded.items()):
            return cls(include=(frozenset(),))
        without = (_asked_terms(kind, value) for kind, chosen in excluded.items() for value in chosen)
        return cls(include=tuple(clause for clause in clauses if clause), exclude=frozenset().union(*without))

    def matches(self, terms: frozenset[str]) -> bool:
        return not (self.include and any(map(terms.isdisjoint, self.include))) and terms.isdisjoint(self.exclude)

    def __and__(self, other: "Filter") -> "Filter":
        return Filter(self.include + other.include, self.exclude | other.exclude)

    def canonical(self) -> list[Any]:
        """A JSON form that is the same for equal filters in every process, as sets are not."""
        return [sorted(sorted(clause) for clause in self.include), sorted(self.exclude)]


class Grant(NamedTuple):
    """An entitlement, in force for entries with a number above `since_seq`; a later one has a higher `id`."""

    since_seq: int
    filter: Filter
    id: int = 0


TIMES = ("published_at", "updated_at", "expires_at")
"""The times of an article that a rule may test: columns of the article table and of both search indexes."""


class TimeRule(NamedTuple):
    """A condition on one of `TIMES`: later than `at`, or (`is_later` False) no later. An absent time satisfies it.

    `at` is in milliseconds since 1970, or a bind parameter.
    """

    column: str
    is_later: bool
    at: Any

    @property
    def name(self) -> str:
        """The name of its bind parameter in a statement."""
        return f"{self.column}_{'above' if self.is_later else 'until'}"

    def holds(self, value: int | None) -> bool:
        return value is None or (value > self.at if self.is_later else value <= self.at)


TimeRules = tuple[TimeRule, ...]


class Standing(NamedTuple):
    """The current state of an article on which access depends; `terms` are those of its current version."""

    status: str
    published_at: int
    updated_at: int
    expires_at: int | None
    terms: frozenset[str]


class AccessRule(NamedTuple):
    """The rule of access for a caller at one time: articles in one of `statuses` that match filter and `times`."""

    filter: Filter
    statuses: frozenset[Status]
    times: TimeRules

    def allows(self, standing: Standing) -> bool:
        """Whether the caller may see the article, by any route."""
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
    """The same as SQL text; `parameter` is the format of a bind parameter, such as `%({})s`, for `TimeRule.name`."""
    holds = (
        f"({rule.column} IS NULL OR {rule.column} {'>' if rule.is_later else '<='} {parameter.format(rule.name)})"
        for rule in rules
    )
    return " AND ".join(holds) or "TRUE"


def refused_sql(rules: TimeRules, parameter: str, table: str) -> str:
    """The negation, over the columns of `table`: true for rows that fail a rule, false or NULL for all others."""
    fails = (f"{table}.{rule.column} {'<=' if rule.is_later else '>'} {parameter.format(rule.name)}" for rule in rules)
    return " OR ".join(fails) or "0"


def values_of_rules(rules: TimeRules) -> dict[str, Any]:
    return {rule.name: rule.at for rule in rules}


def rules_among(names: Collection[str], parameter: Callable[[str], Any]) -> TimeRules:
    """The rules in `names`, the keys of `values_of_rules`, with bind parameters instead of values."""
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
        """The rule of access of this caller at `now`."""
        return AccessRule(self.filter, EVERY_STATUS if self.owner else ON_THE_WIRE, self.time_rules(now))

    def time_rules(self, now: int) -> TimeRules:
        """The part of the rule that is neither a term nor a state: only its owner sees an expired article."""
        return () if self.owner else (TimeRule("expires_at", True, now),)

    def allows(self, standing: Standing, now: int) -> bool:
        """Whether the article may be shown at `now`."""
        return self.rule_at(now).allows(standing)

    def allows_version(self, terms: frozenset[str], *, was_told: bool) -> bool:
        """Whether the caller may see a version of a visible article; only its owner sees one never put on the log."""
        return (was_told or self.owner) and self.filter.matches(terms)

    def could_see_at(self, terms: frozenset[str], seq: int, since: int = 0, until: int | None = None) -> bool:
        """Whether an entitlement in force at entry `seq` or later matches a version with these terms.

        A version whose terms a subject map has changed had these while the newest entitlement of the wire went from the
        id `since` to `until` (None: it has them still). Only an entitlement of that time can have shown it.
        """
        # The current one is tested first, because most callers have had no other.
        now = self.grants[-1]
        if (until is None or now.id <= until) and now.filter.matches(terms):
            return True
        return any(
            old.filter.matches(terms)
            for old, new in pairwise(self.grants)
            if new.since_seq >= seq and new.id > since and (until is None or old.id <= until)
        )

    @cached_property
    def follows_the_log(self) -> bool:
        """Whether only log entries and expiries change what the caller sees; if not, its lists have no ETag."""
        return all(rule.column == "expires_at" for rule in self.time_rules(0))

    @cached_property
    def shares_pages(self) -> bool:
        """Whether callers of equal access share cached pages; an owner's view changes without log entries too."""
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
