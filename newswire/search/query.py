"""Queries and cursors: the filters, times, order and position of a list; pure. Not here: parsing of `q` and SQL."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from newswire.errors import Problem
from newswire.search.expression import Expression
from newswire.search.synonyms import Added
from newswire.timestamps import EARLIEST, LATEST
from newswire.visibility import Filter, fingerprint_of


class Position(NamedTuple):
    """A position in an order by time: milliseconds since 1970, then the article number, which breaks ties."""

    at: int
    number: int


class Times(NamedTuple):
    """Two ranges of time in milliseconds since 1970; from is inclusive, to exclusive, None is no bound."""

    published_from: int | None = None
    published_to: int | None = None
    updated_from: int | None = None
    updated_to: int | None = None


@dataclass(frozen=True)
class Query:
    """The request for a list of articles. `text` is `q` as typed, `expression` is `q` parsed and relaxed by `match`.

    `items` are those of which `match` wants some, which counts in the order of relevance (`search.relaxation`).
    `synonyms` are those that the operator's dictionary has added, `summary` tells how `q` was understood.

    `times` are absolute, `asked` are the same times as the reader wrote them (now-2d). `order` is published_at or
    updated_at. If `ranked_at` (milliseconds) is given, the order is relevance, with the age of articles at that time.
    `collapse`: near-duplicates are shown once.
    """

    text: str | None = None
    expression: Expression | None = None
    match: str = "all"
    items: tuple[Expression, ...] = ()
    summary: Mapping[str, Any] | None = field(default=None, compare=False)
    synonyms: tuple[Added, ...] = ()
    filter: Filter = field(default_factory=Filter)
    status: str = "usable"
    times: Times = field(default_factory=Times)
    asked: tuple[str | int | None, ...] = ()
    order: str = "published_at"
    descending: bool = True
    limit: int = 25
    include_body: bool = False
    highlight: bool = False
    ranked_at: int | None = None
    cursor: str | None = None
    collapse: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that determines the articles and their order. A cursor is valid for one fingerprint.

        It takes the times as written: with `now-2d` they are others at each page, but the query is the same.
        """
        order = ["relevance" if self.ranked_at is not None else self.order, self.descending, self.status]
        # Cursors that were made before there were these belong to `all`, to whole lists and to no dictionary.
        match = [] if self.match == "all" else [self.match]
        collapse = ["collapse"] if self.collapse else []
        # Another dictionary can mean another query.
        added = [[list(each) for each in self.synonyms]] if self.synonyms else []
        parts = [self.text, self.filter.canonical(), self.asked or list(self.times), order]
        return fingerprint_of([*parts, *match, *collapse, *added])

    def cursor_at(self, place: Position, *rest: Any) -> str:
        """An opaque cursor that continues behind `place`, with the absolute times of the first page.

        `rest` is one more part, for the order of relevance.
        """
        return encode_cursor([self.fingerprint, *place, *self.times, *rest])

    def resume(self) -> tuple["Query", Position | None]:
        """The query with the absolute times of its first page, and the position behind which this page begins.

        Raises `Problem` for an invalid cursor and for one of another query.
        """
        if self.cursor is None:
            return self, None
        match decode_cursor(self.cursor):
            # A cursor of a list by relevance has one part more.
            case [str() as fingerprint, at, number, *rest] if is_valid_position(at, number) and len(rest) in (4, 5):
                if fingerprint != self.fingerprint:
                    raise cursor_mismatch()
                times = tuple(rest if self.ranked_at is None else rest[:-1])
                if len(times) == len(self.times) and all(time is None or is_valid_position(time, 0) for time in times):
                    return self if times == self.times else replace(self, times=Times(*times)), Position(at, number)
        raise invalid_cursor()


def cursor_mismatch() -> Problem:
    return Problem("cursor_mismatch", "The cursor was made for another query; start again without it.")


def invalid_cursor() -> Problem:
    return Problem("invalid_cursor", "The cursor is not one of this wire; start again without it.")


def is_valid_position(at: Any, number: Any) -> bool:
    """Whether an article can have this time and number. The numbers in a forged cursor may exceed 64 bits."""
    return type(at) is type(number) is int and EARLIEST <= at < LATEST and 0 <= number < 2**62


def encode_cursor(content: Sequence[Any]) -> str:
    """An opaque cursor: URL-safe Base64 of a JSON array."""
    return base64.urlsafe_b64encode(orjson.dumps(content)).decode("ascii").rstrip("=")


def decode_cursor(cursor: str) -> Sequence[Any] | None:
    """The parts of a cursor; None for a text that `encode_cursor` cannot have made."""
    try:
        content = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    return content if isinstance(content, list) else None
