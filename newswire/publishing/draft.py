"""From validated fields to a `Draft`: bodies, pictures and authors as served."""

import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from newswire.article import Draft, Publisher
from newswire.formats.html.sanitise import Sanitised, from_text, plain_text, sanitise, word_count
from newswire.formats.markdown.read import markdown_to_html

AUTHORS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:newswire:authors")
PLAIN_FIELDS = ("headline", "slugline", "summary")
LATER_FIELDS = ("byline", "dateline")


def draft(fields: Mapping[str, Any], source: Mapping[str, Any], publisher: Publisher) -> Draft:
    """The draft made of `fields` (already validated, addresses absolute, HTML sanitised) and `source` (as sent)."""
    body_html, body_text, warnings = bodies(fields)
    change = fields.get("change") or {}
    content = {
        **{name: fields.get(name) for name in PLAIN_FIELDS},
        "body_html": body_html,
        "body_text": body_text,
        "word_count": word_count(body_text or ""),
        **{name: fields.get(name) for name in LATER_FIELDS},
        "language": fields.get("language") or publisher.language,
        "section": fields.get("section"),
        "keywords": list(dict.fromkeys(fields.get("keywords") or ())),
        "subjects": [with_all(item, ("code", "name", "scheme")) for item in fields.get("subjects") or ()],
        "places": [with_all(item, ("name", "country")) for item in fields.get("places") or ()],
        "urgency": fields.get("urgency"),
        "authors": [author(item, publisher) for item in fields.get("authors") or ()],
        "images": images(fields.get("images") or ()),
        **{name: fields.get(name) for name in ("url", "copyright_notice", "usage_terms", "editor_note")},
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
        warnings=tuple(warnings),
    )


def bodies(fields: Mapping[str, Any]) -> tuple[str | None, str | None, Sequence[Any]]:
    """HTML and plain text of whichever body was sent, and what the sanitiser removed."""
    if text := fields.get("body_text"):
        return from_text(text), text, ()
    cleaned: Sanitised | None = fields.get("body_html") or fields.get("body_markdown")
    if cleaned is None:
        return None, None, ()
    return cleaned.html, plain_text(cleaned.html), cleaned.warnings


def cleaned_markdown(markdown: str, base_url: str | None) -> Sanitised:
    """A Markdown body as sanitised HTML."""
    return sanitise(markdown_to_html(markdown), base_url)


def with_all(item: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: item.get(name) for name in names}


def author(item: Mapping[str, Any], publisher: Publisher) -> dict[str, Any]:
    return {
        "id": author_id(publisher.slug, item["name"]),
        **with_all(item, ("name", "role", "bio", "url", "avatar_url", "organization")),
    }


@lru_cache(10_000)
def author_id(publisher: str, name: str) -> str:
    """The same name at the same publisher is the same author, in every article and on every machine."""
    return uuid.uuid5(AUTHORS, f"{publisher}\n{' '.join(name.casefold().split())}").hex


def images(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pictures as served; the first one leads when none is said to."""
    led = any(item.get("role") == "lead" for item in items)
    names = ("url", "caption", "alt_text", "credit", "copyright_notice", "mime_type", "width", "height")
    return [
        {
            "id": uuid.uuid5(uuid.NAMESPACE_URL, item["url"]).hex,
            "role": item.get("role") or ("inline" if led or position else "lead"),
            **with_all(item, names),
            "renditions": [],
        }
        for position, item in enumerate(items)
    ]
