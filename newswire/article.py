"""The words of the trade (draft, version, status, change) and the editorial rules; pure.

A `Draft` is what a publisher asks for, already validated and cleaned; `Held` is what the
wire holds of an article now. The rules say what may become of the two; nothing here
reads a clock, a database or a request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from newswire.errors import Problem, invalid
from newswire.timestamps import format_instant, format_optional

# What XML 1.0 (2.2) cannot carry; lone surrogates cannot even be written as UTF-8.
UNCARRIABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

SENDABLE: Mapping[str, tuple[str, ...]] = {
    "": (
        "headline", "external_id", "source_version", "url", "slugline", "summary", "body_html", "body_text",
        "body_markdown", "byline", "dateline", "language", "section", "keywords", "subjects", "places", "urgency",
        "authors", "images", "published_at", "embargoed_until", "expires_at", "copyright_notice", "usage_terms",
        "editor_note", "change",
    ),
    "change": ("type", "note"),
    "subjects": ("code", "name", "scheme"),
    "places": ("name", "country"),
    "authors": ("name", "role", "bio", "url", "avatar_url", "organization"),
    "images": ("url", "image_id", "role", "caption", "alt_text", "credit", "copyright_notice", "width", "height",
               "mime_type"),
}  # fmt: skip
"""The fields that a publisher may send: of an article, and of the objects in it."""


class Status(StrEnum):
    """What readers may do with an article (IPTC pubStatus): a canceled one stays canceled."""

    USABLE = "usable"
    WITHHELD = "withheld"
    CANCELED = "canceled"


class EntryType(StrEnum):
    """What an entry of the log tells its readers."""

    PUBLISHED = "article.published"
    UPDATED = "article.updated"
    CORRECTED = "article.corrected"
    CANCELED = "article.canceled"
    EXPIRED = "article.expired"
    REMOVED = "article.removed"


class Publisher(NamedTuple):
    """Who sends; `url` is the base of relative addresses in what it sends."""

    id: int
    slug: str
    name: str
    url: str | None
    language: str


@dataclass(frozen=True)
class Draft:
    """An article as a publisher wants it: validated, sanitised, addresses absolute.

    `content` holds the served fields from headline to editor_note; `source` the article as sent,
    on which a later merge-patch works; times are milliseconds; `warnings` say what was removed.
    """

    content: Mapping[str, Any]
    source: Mapping[str, Any]
    external_id: str | None
    source_version: int | None
    change_type: str
    change_note: str | None
    published_at: int | None
    embargoed_until: int | None
    expires_at: int | None
    warnings: tuple[Mapping[str, str], ...] = ()


class Held(NamedTuple):
    """The row of an article: its identity and its current state."""

    number: int
    id: str
    publisher_id: int
    external_id: str | None
    source_version: int | None
    version: int
    status: Status
    seq: int | None
    created_at: int
    published_at: int
    updated_at: int
    embargoed_until: int | None
    expires_at: int | None


def uri(article_id: str) -> str:
    """The name of an article that no host owns (RFC 9562, urn:uuid)."""
    return f"urn:uuid:{article_id}"


def status_of(draft: Draft, now: int) -> Status:
    """Withheld while its embargo lies ahead."""
    embargoed = draft.embargoed_until is not None and draft.embargoed_until > now
    return Status.WITHHELD if embargoed else Status.USABLE


def due_at(held: Held) -> int | None:
    """When the wire has to tell of an article by itself: of its release, else of its expiry."""
    if held.status is Status.WITHHELD:
        return held.embargoed_until
    return held.expires_at if held.status is Status.USABLE else None


def check_acceptable(held: Held, draft: Draft, now: int) -> None:
    """Raises the `Problem` that forbids `draft` as the next version of `held`."""
    if draft.external_id not in (None, held.external_id):
        raise invalid("/external_id", "immutable", "The external_id of a stored article cannot change.")
    if draft.source_version is not None and draft.source_version < (held.source_version or 0):
        raise Problem(
            "stale_version",
            f"source_version {draft.source_version} is older than the {held.source_version} that is stored.",
            article_id=held.id,
        )
    if held.status is Status.USABLE and status_of(draft, now) is Status.WITHHELD:
        raise invalid("/embargoed_until", "already_released", "A released article cannot be embargoed again.")


def canceled(held: Held) -> Problem:
    return Problem(
        "article_canceled",
        "This article was killed; nothing can be published under it again.",
        article_id=held.id,
    )


def entry_type(draft: Draft, *, first: bool) -> EntryType:
    """What the log says of a usable version: the first one that readers see is `published`."""
    if first:
        return EntryType.PUBLISHED
    return EntryType.CORRECTED if draft.change_type == "correction" else EntryType.UPDATED


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the content fields in which two rendered articles differ, in served order."""
    ignored = {
        "id",
        "uri",
        "version",
        "change",
        "publisher",
        "created_at",
        "updated_at",
        "digest",
        "word_count",
    }
    return [name for name, value in after.items() if name not in ignored and before.get(name) != value]


def shown(publisher: Publisher) -> dict[str, Any]:
    return {"slug": publisher.slug, "name": publisher.name, "url": publisher.url}


def successor(held: Held, draft: Draft, now: int) -> Held:
    """The row of an article once `draft` is its newest version."""
    return held._replace(
        version=held.version + 1,
        status=status_of(draft, now),
        source_version=max(draft.source_version or 0, held.source_version or 0) or None,
        published_at=held.published_at if draft.published_at is None else draft.published_at,
        updated_at=now,
        embargoed_until=draft.embargoed_until,
        expires_at=draft.expires_at,
    )


def served(draft: Draft, publisher: Publisher, held: Held) -> dict[str, Any]:
    """The article as readers get it once `held` is its row.

    Without `seq`, `status` and `links`; `digest` is put in by `render`, `change` by who knows it.
    """
    return {
        "id": held.id,
        "uri": uri(held.id),
        "external_id": held.external_id,
        "version": held.version,
        "change": None,
        "publisher": shown(publisher),
        **draft.content,
        "created_at": format_instant(held.created_at),
        "published_at": format_instant(held.published_at),
        "updated_at": format_instant(held.updated_at),
        "embargoed_until": format_optional(held.embargoed_until),
        "expires_at": format_optional(held.expires_at),
    }


def tombstone(held: Held, publisher: Publisher, note: str | None, now: int) -> dict[str, Any]:
    """What remains of a killed article (`held` after the kill): identity and reason, no word of its content."""
    return {
        "id": held.id,
        "uri": uri(held.id),
        "external_id": held.external_id,
        "version": held.version,
        "publisher": shown(publisher),
        "change": {"type": "kill", "note": note, "fields": []},
        "published_at": format_instant(held.published_at),
        "updated_at": format_instant(now),
    }


class Killed(NamedTuple):
    """An article that must not be used any more: when it was killed, in milliseconds, and why, if that was said."""

    uri: str
    at: int
    note: str | None
