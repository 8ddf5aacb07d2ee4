"""The article: the table of its fields, drafts and states, and the editorial rules between them. Pure functions.

A `Draft` is an article as a publisher sent it, validated and sanitised; an `ArticleState` is the current row of an
article. Nothing here reads a clock, a database or a request. The stored bytes of a version are in `document`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypedDict

from newswire.errors import Problem, invalid_at
from newswire.subjects import NO_SUBJECTS, SubjectMap
from newswire.timestamps import format_instant, format_optional

# Characters that XML 1.0 (section 2.2) excludes; lone surrogates cannot be encoded as UTF-8 either.
UNCARRIABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Field(NamedTuple):
    """A row of the table of an article's fields.

    `empty` is the value that is served for a version stored before the field existed. `is_sent`: a publisher may send
    it; `is_stored`: it is part of a version, and of what is served. `parts` are the fields of the object, or of each
    object in the list, that it holds. `since` is the stored form (`document.FORM`) that was the first to have it: a
    field added later names the next number, and its `empty` is None or an empty list. `is_optional`: a part that is
    left out of an object that was sent without it, where all others are null.
    """

    name: str
    empty: Any = None
    is_sent: bool = True
    is_stored: bool = True
    in_tombstone: bool = False
    parts: tuple["Field", ...] = ()
    since: int = 1
    is_optional: bool = False


NIL, EPOCH_TEXT = "00000000-0000-0000-0000-000000000000", format_instant(0)
# Fields from the row of an article, or derived from it.
IDENTITY = (
    Field("id", NIL, is_sent=False, in_tombstone=True),
    Field("uri", f"urn:uuid:{NIL}", is_sent=False, in_tombstone=True),
    Field("external_id", in_tombstone=True),
    Field("version", 1, is_sent=False, in_tombstone=True),
    Field("change", {"type": "update", "note": None, "fields": []}, in_tombstone=True, parts=(
        Field("type", "update"), Field("note"), Field("fields", [], is_sent=False),
    )),
    Field("publisher", {"slug": "", "name": "", "url": None}, is_sent=False, in_tombstone=True, parts=(
        Field("slug", ""), Field("name", ""), Field("url"),
    )),
)  # fmt: skip
# Fields from the `Draft`.
CONTENT = (
    Field("headline", ""),
    Field("slugline"),
    Field("summary"),
    Field("body_html"),
    Field("body_text"),
    Field("body_markdown", is_stored=False),
    Field("word_count", 0, is_sent=False),
    Field("byline"),
    Field("dateline"),
    Field("language", "und"),
    Field("section"),
    Field("keywords", []),
    Field("subjects", [], parts=(Field("code"), Field("name"), Field("scheme"))),
    Field("places", [], parts=(Field("name", ""), Field("country"))),
    Field("urgency"),
    Field("authors", [], parts=(
        Field("id", "", is_sent=False), Field("name", ""), Field("role"), Field("bio"), Field("url"),
        Field("avatar_url"), Field("organization"),
    )),
    Field("images", [], parts=(
        Field("id", NIL.replace("-", ""), is_sent=False), Field("image_id", is_stored=False), Field("role", "inline"),
        Field("url", ""), Field("caption"), Field("alt_text"), Field("credit"), Field("copyright_notice"),
        Field("mime_type"), Field("width"), Field("height"), Field("renditions", [], is_sent=False),
    )),
    Field("url"),
    Field("copyright_notice"),
    Field("usage_terms"),
    Field("editor_note"),
    Field("evolves_from", since=2),
    Field("related", [], since=2, parts=tuple(
        Field(name, since=2, is_optional=True) for name in ("external_id", "id", "uri", "relation")
    )),
)  # fmt: skip
TIMES = (
    Field("created_at", EPOCH_TEXT, is_sent=False),
    Field("published_at", EPOCH_TEXT, in_tombstone=True),
    Field("updated_at", EPOCH_TEXT, is_sent=False, in_tombstone=True),
    Field("embargoed_until"),
    Field("expires_at"),
)
FIELDS = tuple(sorted(
    (*IDENTITY, Field("source_version", is_stored=False), *CONTENT, *TIMES,
     Field("digest", "0" * 64, is_sent=False, in_tombstone=True)),
    key=lambda field: field.since,
))  # fmt: skip
"""THE table of an article's fields, in the order in which they are served: a new field is a row here,
a field of the schemas in `schemas.article` and `api.schemas.responses`, and the formats that show it. Those of a later
stored form come last, because they are appended to the bytes of an older one. The log adds `seq` and `status`, the
address adds `links`, when a version is served."""

SENDABLE: Mapping[str, tuple[str, ...]] = {
    "": tuple(field.name for field in FIELDS if field.is_sent),
    **{
        field.name: tuple(part.name for part in field.parts if part.is_sent)
        for field in FIELDS
        if field.is_sent and field.parts
    },
}
"""The names of fields that a publisher may send: of an article, and of the objects in it."""
PARTS: Mapping[str, tuple[Field, ...]] = {
    field.name: tuple(part for part in field.parts if part.is_stored) for field in FIELDS if field.parts
}
"""The fields of the objects in a field, as stored."""
SERVED_FIELDS = (*(field.name for field in FIELDS if field.is_stored), "seq", "status", "links")
COMPARED_FIELDS = tuple(name for name in SERVED_FIELDS if name in SENDABLE[""] and name != "change")
"""The fields whose change makes a new version."""


class Status(StrEnum):
    """What readers may do with an article (IPTC pubStatus): a canceled one stays canceled."""

    USABLE = "usable"
    WITHHELD = "withheld"
    CANCELED = "canceled"


class EntryType(StrEnum):
    """The type of a log entry: the event that it reports to readers."""

    PUBLISHED = "article.published"
    UPDATED = "article.updated"
    CORRECTED = "article.corrected"
    CANCELED = "article.canceled"
    EXPIRED = "article.expired"
    REMOVED = "article.removed"


class Publisher(NamedTuple):
    """A publisher; `url` is the base for relative addresses in the articles that it sends.

    `subjects` is its subject map, and `mapping` the number of that map (`ArticleState.mapped`).
    """

    id: int
    slug: str
    name: str
    url: str | None
    language: str
    mapping: int = 0
    subjects: SubjectMap = NO_SUBJECTS


class ArticleWarning(TypedDict):
    """What was taken from an article as sent, or changed in it: where (a JSON pointer), a code, and a sentence."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True)
class Draft:
    """An article as a publisher wants it: validated, sanitised, addresses absolute.

    `content` holds the served fields from headline to editor_note; `source` the article as sent,
    on which a later merge-patch works; `sent_note` is `change_note` before it was cleaned; times are milliseconds;
    `warnings` say what was removed or changed. `date_pointer` is where `published_at` was in what was sent.
    `newly_read` are fields as sent that releases before did not read from this format.
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
    warnings: tuple[ArticleWarning, ...] = ()
    sent_note: str | None = None
    date_pointer: str = "/published_at"
    newly_read: frozenset[str] = frozenset()


class ArticleState(NamedTuple):
    """The row of an article: its identity and its current state.

    `published_at` is the time by which lists order it, which is not the served one if that is far ahead
    (`date_version`). `mapped` is the number of the subject map by which its terms were made; one that is not its
    publisher's is out of date.
    """

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
    mapped: int = 0


def article_uri(article_id: str) -> str:
    """The URN of an article, which does not depend on a host (RFC 9562, urn:uuid)."""
    return f"urn:uuid:{article_id}"


def status_of(draft: Draft, now: int) -> Status:
    """The status of a draft at `now`: withheld until its embargo ends, else usable."""
    embargoed = draft.embargoed_until is not None and draft.embargoed_until > now
    return Status.WITHHELD if embargoed else Status.USABLE


def due_at(held: ArticleState) -> int | None:
    """The time at which the wire must append an entry by itself: the release, else the expiry; None: never."""
    if held.status is Status.WITHHELD:
        return held.embargoed_until
    return held.expires_at if held.status is Status.USABLE else None


def check_acceptable(held: ArticleState, draft: Draft, now: int) -> None:
    """Raises the `Problem` that forbids `draft` as the next version of `held`."""
    if draft.external_id not in (None, held.external_id):
        raise invalid_at("/external_id", "immutable", "The external_id of a stored article cannot change.")
    if draft.source_version is not None and draft.source_version < (held.source_version or 0):
        raise Problem(
            "stale_version",
            f"source_version {draft.source_version} is older than the {held.source_version} that is stored.",
            article_id=held.id,
        )
    if held.status is Status.USABLE and status_of(draft, now) is Status.WITHHELD:
        raise invalid_at("/embargoed_until", "already_released", "A released article cannot be embargoed again.")


def article_canceled_problem(held: ArticleState) -> Problem:
    return Problem(
        "article_canceled",
        "This article was killed; nothing can be published under it again.",
        article_id=held.id,
    )


def type_of_entry(draft: Draft, *, first: bool) -> EntryType:
    """The entry type of a usable version: `published` for the first one on the log, else updated or corrected."""
    if first:
        return EntryType.PUBLISHED
    return EntryType.CORRECTED if draft.change_type == "correction" else EntryType.UPDATED


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the content fields in which two rendered articles differ, in served order."""
    return [name for name in COMPARED_FIELDS if before.get(name) != after.get(name)]


def publisher_document(publisher: Publisher) -> dict[str, Any]:
    return {"slug": publisher.slug, "name": publisher.name, "url": publisher.url}


FAR_AHEAD = 24 * 3_600_000
"""Milliseconds from the reception of a version after which a time of publication does not order lists."""


class Publication(NamedTuple):
    """The time of publication of a version, in milliseconds: as it is served, and the one by which lists order it."""

    served: int
    listed: int


def date_version(draft: Draft, now: int, held: ArticleState | None = None, served: int = 0) -> Publication:
    """The times of publication of a first version, or of the next one of `held`, which was served with `served`.

    Without a time the first one has that of its reception, and later ones keep it. A time that is more than a day ahead
    of the reception counts as the reception, or a publisher could keep an article on top of every list for years. What
    is embargoed is received by readers when it is released. The same time again moves nothing, whatever the clock says.
    """
    received = max(now, draft.embargoed_until or now)
    sent = draft.published_at if draft.published_at is not None else now if held is None else served
    if held is not None and sent == served and held.status is not Status.WITHHELD:
        return Publication(served, held.published_at)
    return Publication(sent, sent if sent <= received + FAR_AHEAD else received)


def list_date_warnings(draft: Draft, held: ArticleState) -> tuple[ArticleWarning, ...]:
    """The warnings of a draft, and one more if its time of publication is not the one by which lists order it."""
    if draft.published_at in (None, held.published_at):
        return draft.warnings
    detail = (
        f"Is more than 24 hours after its reception: it is served as sent, and lists have the article at"
        f" {format_instant(held.published_at)}."
    )
    return (*draft.warnings, ArticleWarning(pointer=draft.date_pointer, code="far_ahead", detail=detail))


def next_state(held: ArticleState, draft: Draft, listed_at: int, now: int) -> ArticleState:
    """The state of an article once `draft` is its newest version; `listed_at` is that of its `Publication`."""
    return held._replace(
        version=held.version + 1,
        status=status_of(draft, now),
        source_version=max(draft.source_version or 0, held.source_version or 0) or None,
        published_at=listed_at,
        updated_at=now,
        embargoed_until=draft.embargoed_until,
        expires_at=draft.expires_at,
    )


def article_document(draft: Draft, publisher: Publisher, held: ArticleState, published_at: int) -> dict[str, Any]:
    """The public document of an article in the state `held`; `published_at` is the served time.

    Without `seq`, `status` and `links`; `render_version` adds `digest`, the publishing transaction `change`.
    """
    return {
        "id": held.id,
        "uri": article_uri(held.id),
        "external_id": held.external_id,
        "version": held.version,
        "change": None,
        "publisher": publisher_document(publisher),
        **draft.content,
        "created_at": format_instant(held.created_at),
        "published_at": format_instant(published_at),
        "updated_at": format_instant(held.updated_at),
        "embargoed_until": format_optional(held.embargoed_until),
        "expires_at": format_optional(held.expires_at),
    }


def tombstone_document(
    held: ArticleState, publisher: Publisher, note: str | None, published_at: str, now: int
) -> dict[str, Any]:
    """The tombstone of a killed article (`held` after the kill): identity and reason, nothing of its content.

    `published_at` is the time that was served before.
    """
    return {
        "id": held.id,
        "uri": article_uri(held.id),
        "external_id": held.external_id,
        "version": held.version,
        "publisher": publisher_document(publisher),
        "change": {"type": "kill", "note": note, "fields": []},
        "published_at": published_at,
        "updated_at": format_instant(now),
    }


class Killed(NamedTuple):
    """An article that must not be used any more: when it was killed, in milliseconds, and why, if that was said."""

    uri: str
    at: int
    note: str | None
