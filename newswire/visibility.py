"""Who may see what: filter terms, filters, entitlements and their history; pure.

Every filter is a set of *terms*. A term is one word such as `section_world` or
`author_jane_20doe`; each version of an article carries its own, the search index of both
engines holds them, and an entitlement is made of them too. So one representation serves
SQL, in-process matching and access alike.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Self

import orjson

NAMED = (
    ("author", "authors", ("id", "name")), ("subject", "subjects", ("code", "name")), ("place", "places", ("name",)),
)  # fmt: skip


LONGEST_VALUE = 1900
"""Bytes of a value in a term: PostgreSQL takes words of 2,046; few letters make 250 of them longer."""


AUTHOR_ID = re.compile("author_[0-9a-f]{32}")


PROFILE = ("role", "bio", "url", "avatar_url", "organization")


FACETS = ("publisher", "section", "language", "keyword", "author")


@lru_cache(10_000)
def term(kind: str, value: str) -> str:
    """`kind_value`, blind to case and to how blanks are typed; one word for both search engines."""
    folded = " ".join(unicodedata.normalize("NFC", value).casefold().split())
    escaped = re.sub(r"[\x00-\x2f\x3a-\x60\x7b-\x7f]", lambda found: f"_{ord(found[0]):02x}", folded)
    if len(encoded := escaped.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
        # Two underscores: no value is escaped so.
        return f"{kind}__{hashlib.sha256(encoded).hexdigest()}"
    return f"{kind}_{escaped}"


def untermed(name: str) -> str:
    """The value of a term, as `term` left it: in small letters, its blanks made one."""
    return re.sub("_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name.partition("_")[2])


def terms_of(publisher: str, content: Mapping[str, Any]) -> frozenset[str]:
    """The terms of one version: `content` is the article, or its tombstone, as served.

    A language counts with and without its region. Those of `profile_terms` are among them.
    """
    found = {term("publisher", publisher), f"image_{'yes' if content.get('images') else 'no'}"}
    for kind in ("id", "external_id", "section", "urgency"):
        if content.get(kind) is not None:
            found.add(term(kind, str(content[kind])))
    if language := content.get("language"):
        found |= {term("language", language), term("language", language.split("-")[0])}
    for kind, items, names in NAMED:
        found |= {term(kind, item[name]) for item in content.get(items, ()) for name in names if item[name]}
    found |= {term("keyword", keyword) for keyword in content.get("keywords", ())}
    # Whoever gives an author's id for a name must not be found, counted and named as that author.
    authors = {term("author", author["id"]) for author in content.get("authors", ())}
    feigned = {name for name in found if AUTHOR_ID.fullmatch(name)} - authors
    return frozenset(found - feigned) | profile_terms(content)


def profile_terms(content: Mapping[str, Any]) -> frozenset[str]:
    """Which fields of which authors an article gives, so that the newest one that does is a single look-up."""
    authors = content.get("authors", ())
    return frozenset(profile_term(name, author["id"]) for author in authors for name in PROFILE if author[name])


def profile_term(name: str, author_id: str) -> str:
    """No parameter and no entitlement has terms of this kind, so nobody can ask for them."""
    return term(f"profile_{name}", author_id)


@dataclass(frozen=True)
class Filter:
    """Conditions that all must hold: one of each set in `include`, none of `exclude`. Empty: everything."""

    include: tuple[frozenset[str], ...] = ()
    exclude: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Iterable[str]], excluded: Mapping[str, Iterable[str]] | None = None) -> Self:
        """From names and alternatives: {"section": ["world", "uk"], "language": ["en"]}; `excluded` alike."""
        clauses = (frozenset(term(kind, value) for value in chosen) for kind, chosen in sorted(values.items()))
        without = (term(kind, value) for kind, chosen in (excluded or {}).items() for value in chosen)
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


@dataclass(frozen=True)
class Visibility:
    """What one caller may see. `owner`: a publisher among its own articles, or an admin; sees every state.

    `grants` is the entitlement's history, oldest first; the last one is in force now.
    """

    grants: tuple[Grant, ...]
    owner: bool = False

    @cached_property
    def filter(self) -> Filter:
        return self.grants[-1].filter

    def shows(self, terms: frozenset[str]) -> bool:
        """Whether a version with these terms may be read now. THE one entitlement function."""
        return self.filter.matches(terms)

    def told(self, terms: frozenset[str], seq: int) -> bool:
        """Whether this caller could have read, when entry `seq` was written or later, a version with these terms."""
        # The one in force, which most callers have had from the start, and then those that were in force later.
        if self.grants[-1].filter.matches(terms):
            return True
        return any(old.filter.matches(terms) for old, new in pairwise(self.grants) if new.since_seq >= seq)

    @cached_property
    def fingerprint(self) -> str:
        """A part of every list's ETag: changes whenever what may be seen changes."""
        return fingerprint_of([self.owner, [[grant.since_seq, grant.filter.canonical()] for grant in self.grants]])


EVERYTHING = (Grant(0, Filter()),)


NOTHING = Filter(include=(frozenset(),))


def fingerprint_of(content: object) -> str:
    """The same for equal contents, in every process."""
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]
