"""The making of a `Draft` from validated fields: absolute URLs, sanitised bodies, authors and pictures as served.

Pure: nothing here reads a clock, a request or the database. Types and lengths were checked before, by
`newswire.schemas`; the checks here need the publisher as well, above all its base URL.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from newswire.article import CONTENT, PARTS, ArticleWarning, Draft, Field, Publisher
from newswire.caches import cache_short
from newswire.errors import Fault, Problem, invalid_at
from newswire.formats.html.sanitise import sanitise
from newswire.formats.html.text import count_words, html_to_text, text_to_html
from newswire.formats.markdown.read import markdown_to_html
from newswire.language_tags import canonical_tag
from newswire.publishing.body_pictures import complete_images
from newswire.urls import NoBaseError, absolute_url, has_credentials

IS_WEB = re.compile(r"\s*https?://[^/?#]", re.IGNORECASE)
BODIES = frozenset({"body_html", "body_text", "body_markdown"})
LONGEST_URL = 2048
MOST_UNRESOLVED = 20
CREDENTIALS = "The user name and the password were removed from the address."
INVALID_URL = "Must be an http or https address."
INVALID_HOST = f"{INVALID_URL} Its host or its port is none (names in other scripts follow IDNA 2008)."
BASELESS = "is relative, and neither the article's url nor the publisher's address is known."

AUTHOR_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:newswire:authors")


class Kill(NamedTuple):
    """A publisher's order that an article must not be used any more.

    `external_id` is the publisher's own id of the article (None: the URL of the request names it), `note` the reason.
    """

    external_id: str | None
    note: str | None


def apply_merge_patch(source: bytes, patch: dict[str, Any]) -> dict[str, Any]:
    """Applies a merge-patch (RFC 7396) to the article as sent (`source`, JSON).

    One body in the patch replaces the stored one, also one of another kind.
    """
    target = orjson.loads(source)
    # The patch was not made from the stored `source_version`, unless it says so itself.
    target.pop("source_version", None)
    if any(patch.get(name) is not None for name in BODIES):
        target = {name: value for name, value in target.items() if name not in BODIES}
    result: dict[str, Any] = _merge(target, patch)
    return result


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), value)
    return result


def clean_fields(
    fields: Mapping[str, Any], base_url: str | None
) -> tuple[dict[str, Any], list[Fault], list[ArticleWarning]]:
    """Resolves URLs and sanitises bodies; returns the fields, faults and warnings.

    There is a fault for each URL that cannot be resolved, and a warning for what was taken from a field. Those of a
    body are with it.

    `base_url` is the publisher's; if the article has a `url`, all its other URLs are resolved against that. A body
    becomes a `Sanitised`. Fields with a fault are left out. `fields` may be the valid ones of an article of which other
    fields were refused, so that all faults are found at once.
    """
    faults: list[Fault] = []
    warnings: list[ArticleWarning] = []
    cleaned = _resolve_urls(fields, ("url",), base_url, "", faults, warnings)
    own_url = cleaned.get("url")
    base_url = own_url or base_url
    for name, url_names in (("authors", ("url", "avatar_url")), ("images", ("url",))):
        items = enumerate(cleaned.get(name) or ())
        cleaned[name] = [
            # An item that was refused before is None. It keeps its position, so that the pointers of others are right.
            _resolve_urls(item or {}, url_names, base_url, f"/{name}/{position}", faults, warnings)
            for position, item in items
        ]
    listed = [item["url"] for item in cleaned["images"] if "url" in item]
    for name in ("body_html", "body_markdown"):
        if text := cleaned.pop(name, None):
            body = sanitise(text if name == "body_html" else markdown_to_html(text), base_url, own_url, listed)
            if not body.unresolved:
                cleaned[name] = body
            for url in body.unresolved[:MOST_UNRESOLVED]:
                faults.append(Fault("relative_url", f"{url[:200]!r} {BASELESS}", pointer=f"/{name}"))
    return cleaned, faults, warnings


def _resolve_urls(
    item: Mapping[str, Any],
    names: Sequence[str],
    base_url: str | None,
    pointer: str,
    faults: list[Fault],
    warnings: list[ArticleWarning],
) -> dict[str, Any]:
    """Resolves the URLs in `names`; leaves out those that cannot be resolved, and adds them to `faults`."""
    resolved = dict(item)
    for name in names:
        if url := resolved.pop(name, None):
            try:
                resolved[name] = resolve_url(url, base_url, f"{pointer}/{name}")
            except Problem as problem:
                faults += problem.errors
            if has_credentials(url):
                warnings.append(
                    ArticleWarning(pointer=f"{pointer}/{name}", code="removed_credentials", detail=CREDENTIALS)
                )
    return resolved


def resolve_url(text: str, base_url: str | None, pointer: str) -> str:
    """Resolves a URL as `absolute_url` does.

    Raises `validation_failed` at `pointer` for a relative URL without a base, and for one that is not http or https.
    """
    try:
        url = absolute_url(text, base_url)
    except NoBaseError:
        raise invalid_at(pointer, "relative_url", f"The address {BASELESS}") from None
    if url is None:
        raise invalid_at(pointer, "invalid_url", INVALID_HOST if IS_WEB.match(text) else INVALID_URL)
    if len(url) > LONGEST_URL:
        too_long = f"Must have at most {LONGEST_URL:,} characters once it is absolute and percent-encoded."
        raise invalid_at(pointer, "too_long", too_long)
    return url


def make_draft(
    fields: Mapping[str, Any], source: Mapping[str, Any], publisher: Publisher, warnings: Sequence[ArticleWarning]
) -> Draft:
    """Makes a draft from `fields` and `warnings`, as `clean_fields` returns them, and `source`, the article as sent."""
    body_html, body_text, warnings_of_body = _bodies(fields)
    images, warnings_of_pictures = complete_images(
        fields.get("images") or (), body_html or "", _body_pointer(fields), _picture_url
    )
    change = fields.get("change") or {}
    computed = {
        "body_html": body_html,
        "body_text": body_text,
        "word_count": count_words(body_text or ""),
        "language": fields.get("language") or canonical_tag(publisher.language),
        "keywords": list(dict.fromkeys(fields.get("keywords") or ())),
        "authors": [_author_document(item, publisher) for item in fields.get("authors") or ()],
        "images": _image_documents(images),
    }
    content = {
        field.name: computed[field.name] if field.name in computed else _sent_value(field, fields)
        for field in CONTENT
        if field.is_stored
    }
    return Draft(
        content=content,
        source={name: value for name, value in source.items() if name != "change"},
        external_id=fields.get("external_id"),
        source_version=fields.get("source_version"),
        change_type=change.get("type") or "update",
        change_note=change.get("note"),
        published_at=fields.get("published_at"),
        embargoed_until=fields.get("embargoed_until"),
        expires_at=fields.get("expires_at"),
        warnings=(*warnings, *warnings_of_body, *warnings_of_pictures),
        sent_note=_sent_note(source),
    )


def _sent_note(source: Mapping[str, Any]) -> str | None:
    """The note of the change as it was sent, without the white space around it, which every release has removed."""
    note = (source.get("change") or {}).get("note")
    return note.replace("\r\n", "\n").strip() or None if isinstance(note, str) else None


def _bodies(fields: Mapping[str, Any]) -> tuple[str | None, str | None, list[ArticleWarning]]:
    """The body as HTML and as plain text, and the warnings of the sanitiser."""
    if text := fields.get("body_text"):
        return text_to_html(text), text, []
    pointer = _body_pointer(fields)
    if not pointer:
        return None, None, []
    body = fields[pointer.removeprefix("/")]
    warnings = [ArticleWarning(pointer=pointer, code=each["code"], detail=each["detail"]) for each in body.warnings]
    if not body.html:
        # Cleaning has left nothing: that is an article without a body, not one with an empty body.
        return None, None, warnings
    return body.html, html_to_text(body.html), warnings


def _body_pointer(fields: Mapping[str, Any]) -> str:
    """The JSON pointer of the body in markup; empty without one."""
    return next((f"/{name}" for name in ("body_html", "body_markdown") if fields.get(name)), "")


def _picture_url(url: str) -> str | None:
    """The URL of a picture in a clean body, as one of `images` is written; None if it is too long for one."""
    try:
        return resolve_url(url, None, "")
    except Problem:
        return None


def _sent_value(field: Field, fields: Mapping[str, Any]) -> Any:
    """The value of a field as it was sent; a list is never null, and the objects in it have all their parts."""
    value = fields.get(field.name)
    if not isinstance(field.empty, list):
        return value
    return [_item_document(field.name, item) if field.parts else item for item in value or ()]


def _item_document(field_name: str, item: Mapping[str, Any], **computed: Any) -> dict[str, Any]:
    """An object in a field with its parts, in the order of `PARTS`; null where one is neither computed nor sent.

    Optional parts are left out instead.
    """
    return {
        part.name: computed[part.name] if part.name in computed else item.get(part.name)
        for part in PARTS[field_name]
        if not part.is_optional or item.get(part.name) is not None
    }


def _author_document(item: Mapping[str, Any], publisher: Publisher) -> dict[str, Any]:
    return _item_document("authors", item, id=author_id(publisher.slug, item["name"]))


@cache_short(10_000)
def author_id(publisher: str, name: str) -> str:
    """The id of an author, a UUID of version 5: the same for the same name at the same publisher, on every machine."""
    return uuid.uuid5(AUTHOR_NAMESPACE, f"{publisher}\n{' '.join(name.casefold().split())}").hex


def _image_documents(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pictures as served; where none has the role `lead`, the first one gets it."""
    has_lead = any(item.get("role") == "lead" for item in items)
    return [
        _item_document(
            "images",
            item,
            id=uuid.uuid5(uuid.NAMESPACE_URL, item["url"]).hex,
            role=item.get("role") or ("inline" if has_lead or position else "lead"),
            renditions=[],
        )
        for position, item in enumerate(items)
    ]
