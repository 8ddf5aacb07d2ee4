"""The words of the trade (draft, version, status, change) and the editorial rules; pure.

A `Draft` is what a publisher asks for, already validated and cleaned; `Held` is what the
wire holds of an article now. The rules say what may become of the two; nothing here
reads a clock, a database or a request.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from newswire.errors import Problem, invalid
from newswire.instant import format_instant, format_optional

BODY_FIELDS = ("body_html", "body_text")
# What XML 1.0 (2.2) cannot carry; lone surrogates cannot even be written as UTF-8.
UNCARRIABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


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


class Version(NamedTuple):
    """One version, rendered: JSON members without the braces, body apart, and the digest over both."""

    digest: str
    rendered: bytes
    body: bytes


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


def render(article: Mapping[str, Any]) -> Version:
    """The bytes that every reader will get for this version."""
    digest = digest_of(article)
    rest = {name: value for name, value in article.items() if name not in BODY_FIELDS} | {"digest": digest}
    body = {name: article[name] for name in BODY_FIELDS if name in article}
    return Version(digest, orjson.dumps(rest)[1:-1], orjson.dumps(body)[1:-1])


def parsed(rendered: bytes, body: bytes) -> dict[str, Any]:
    """The article back from its stored bytes."""
    article: dict[str, Any] = orjson.loads(b"{" + b",".join(part for part in (rendered, body) if part) + b"}")
    return article


def digest_of(article: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the canonical form (RFC 8785) of the article as stored.

    Keys are ASCII and numbers are integers here, so sorted keys without blanks are that form.
    """
    kept = {name: value for name, value in article.items() if name not in {"seq", "status", "links", "digest"}}
    if any(image["renditions"] for image in kept.get("images", ())):
        kept["images"] = [without_addresses(image) for image in kept["images"]]
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def without_addresses(image: Mapping[str, Any]) -> dict[str, Any]:
    bare = [{key: value for key, value in item.items() if key != "url"} for item in image["renditions"]]
    return {**image, "renditions": bare}
