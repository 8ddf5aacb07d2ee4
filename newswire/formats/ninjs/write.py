"""The writer of ninjs, the IPTC's News in JSON: version 3.1, or 2.1, which has other names for the same members.

Sources: the IPTC's JSON Schemas of both versions. Neither has a property for keywords, section, canonical URL or
biography: these are written under roles and relations that name them, and that `formats.ninjs.read` reads back.
Digest, id of the publisher and computed changes have no place in ninjs, and are left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson

from newswire.article import article_uri
from newswire.formats.corrections import correction_note
from newswire.formats.ninjs.document import SIGNALS
from newswire.formats.ninjs.parts import EVOLVES_FROM, RELATED
from newswire.timestamps import END_OF_TIME
from newswire.urls import URI

Json = dict[str, Any]

VERSIONS = ("3.1", "2.1")
SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_{}.json"
# A URI of a vocabulary to which a code can be appended.
VOCABULARY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}%]*[/#=:]")
# The characters of RFC 3986 that stay unescaped in the code of a concept.
SAFE_IN_CODE = "~!$'()*,;:@/?-._"


def write_ninjs(article: Mapping[str, Any], version: str) -> bytes:
    """Writes an article as served; the document is valid against the IPTC's schema of `version`.

    The article can be a tombstone, or have only some of its fields; without `body_html` it is `partial`.
    """
    document = {
        "standard": {"name": "ninjs", "version": version, "schema": SCHEMA.format(version)},
        "uri": article_uri(article["id"]),
        "type": "text",
        "representationType": "full" if "body_html" in article else "partial",
        **_without_empty(_identity_members(article) | _text_members(article) | _part_members(article)),
    }
    return orjson.dumps(document if version == "3.1" else _as_version_2(document))


def _identity_members(article: Mapping[str, Any]) -> Json:
    """The members for ids, times, status, rights and source."""
    embargo = article.get("embargoed_until")
    number, external_id, publisher = article.get("version"), article.get("external_id"), article.get("publisher")
    return {
        "version": None if number is None else str(number),
        "firstCreated": article.get("published_at"),
        "versionCreated": article.get("updated_at"),
        # The reader turns `withheld` into an embargo until the end of time; this is the way back.
        "embargoedUntil": None if embargo == END_OF_TIME else embargo,
        "expires": article.get("expires_at"),
        "pubStatus": "canceled" if article.get("status") == "canceled" else
                     "withheld" if embargo == END_OF_TIME else "usable",
        "urgency": article.get("urgency"),
        "copyrightNotice": article.get("copyright_notice"),
        "usageTerms": article.get("usage_terms"),
        "edNote": _editorial_note(article),
        "language": article.get("language"),
        "altIds": [{"role": "external_id", "value": external_id}] if external_id else None,
        "infoSources": [_without_empty({"name": publisher["name"], "role": "publisher", "uri": publisher["url"],
                                "literal": publisher["slug"]})] if publisher else None,
    }  # fmt: skip


def _editorial_note(article: Mapping[str, Any]) -> str | None:
    """The note to editors, after the note of a correction; `read` parts the two again."""
    note = correction_note(article)
    return "\n\n".join(text for text in (note and f"Correction: {note}", article.get("editor_note")) if text) or None


def _text_members(article: Mapping[str, Any]) -> Json:
    """The members for headline, bodies, summary, byline and dateline."""
    change, html, text = article.get("change") or {}, article.get("body_html"), article.get("body_text")
    return {
        "headlines": _text_objects(main=article.get("headline")),
        # The type of change is the role of its note, which `read` recognises for corrections and updates.
        "descriptions": _text_objects(
            summary=article.get("summary"), **{change.get("type", "update"): change.get("note")}
        ),
        "bodies": [
            _without_empty({"role": "main", "contentType": media, "charCount": len(text or ""),
                    "wordCount": article.get("word_count"), "value": value})
            for media, value in (("text/html", html), ("text/plain", text)) if value
        ],
        "slugline": article.get("slugline"),
        "by": article.get("byline"),
        "located": article.get("dateline"),
    }  # fmt: skip


def _text_objects(**by_role: str | None) -> list[Json]:
    """Text objects in plain text, each with its role; empty ones are left out."""
    return [{"role": role, "contentType": "text/plain", "value": text} for role, text in by_role.items() if text]


def _part_members(article: Mapping[str, Any]) -> Json:
    """The members for authors, places, subjects and pictures; the canonical URL is a rendition."""
    page, section = article.get("url"), article.get("section")
    return {
        "people": [_person_object(author) for author in article.get("authors", ())],
        "places": [_place_object(item) for item in article.get("places", ())],
        "subjects": [
            *([{"name": section, "rel": "section"}] if section else ()),
            *({"name": keyword, "rel": "keyword"} for keyword in article.get("keywords", ())),
            *map(_subject_object, article.get("subjects", ())),
            # The schemas have no `signal`, which a Superdesk sends; this is its concept of the IPTC.
            *(
                [{"name": "Correction", "rel": "signal", "uri": f"{SIGNALS}correction", "literal": "correction"}]
                if correction_note(article)
                else ()
            ),
        ],
        "renditions": [{"name": "web", "href": page, "contentType": "text/html"}] if page else None,
        "associations": [
            *(_picture_object(image, number) for number, image in enumerate(article.get("images", ()), 1)),
            *_link_objects(article),
        ],
    }


def _person_object(author: Mapping[str, Any]) -> Json:
    contacts = [
        _without_empty({"type": kind, "role": role, "value": author[name]})
        for kind, role, name in (
            ("web", "profile", "url"), ("web", "avatar", "avatar_url"), (None, "jobtitle", "role"),
            (None, "biography", "bio"), (None, "organisation", "organization"),
        )
        if author[name]
    ]  # fmt: skip
    return _without_empty({"name": author["name"], "rel": "author", "literal": author["id"], "contactInfo": contacts})


def _place_object(item: Mapping[str, Any]) -> Json:
    country = item["country"]
    contacts = [{"role": "country", "address": {"country": country}}] if country else None
    return _without_empty({"name": item["name"], "contactInfo": contacts})


def _subject_object(item: Mapping[str, Any]) -> Json:
    """A concept. `literal` is its code; `uri` is the vocabulary followed by the code."""
    code, scheme = item["code"], item["scheme"]
    escaped = quote(code or "", safe=SAFE_IN_CODE)
    identifier = None
    if scheme and code and VOCABULARY.fullmatch(scheme) and scheme.isascii():
        identifier = scheme + escaped
    elif scheme:
        identifier = f"urn:newswire:subject:{quote(scheme, safe='')}:{escaped}"
    return _without_empty({"name": item["name"], "rel": "about", "uri": identifier, "literal": code})


def _picture_object(image: Mapping[str, Any], number: int) -> Json:
    original = {"name": "original"} | {name: image[name] for name in ("url", "mime_type", "width", "height")}
    return _without_empty({
        "name": f"{image['role']}-{number}",
        "rel": image["role"],
        "uri": f"urn:uuid:{UUID(image['id'])}",
        "type": "picture",
        "descriptions": _text_objects(caption=image["caption"], alt_text=image["alt_text"]),
        "by": image["credit"],
        "copyrightNotice": image["copyright_notice"],
        "renditions": [_rendition_object(item) for item in (original, *image["renditions"])],
    })  # fmt: skip


def _link_objects(article: Mapping[str, Any]) -> Iterator[Json]:
    """The links of an article; the IPTC's schemas have no `evolvedFrom`, so that one is an association as well."""
    own = f"urn:newswire:article:{(article.get('publisher') or {}).get('slug', '')}:"
    if (former := article.get("evolves_from")) is not None:
        uri = former if URI.fullmatch(former) else own + quote(former, safe="")
        yield {"name": EVOLVES_FROM, "rel": EVOLVES_FROM, "uri": uri}
    for number, link in enumerate(article.get("related", ()), 1):
        relation = link.get("relation")
        named = (
            link.get("uri") or (article_uri(link["id"]) if "id" in link else own + quote(link["external_id"], safe=""))
        )  # fmt: skip
        # Version 2.1 has no `rel`, so the name tells the relation too.
        yield _without_empty({"name": f"{relation or RELATED}-{number}", "rel": relation, "uri": named})


def _rendition_object(item: Mapping[str, Any]) -> Json:
    return _without_empty({
        "name": item["name"], "href": item["url"], "contentType": item["mime_type"], "width": item["width"],
        "height": item["height"], "sizeInBytes": item.get("size_bytes"),
    })  # fmt: skip


def _without_empty(members: Mapping[str, Any]) -> Json:
    """The members that are neither null, which ninjs does not allow, nor an empty list."""
    return {name: value for name, value in members.items() if value is not None and value != []}


def _as_version_2(document: Json) -> Json:
    """Converts a document of 3.1 to 2.1, whose names are in lower case and whose pictures have no relation."""
    for association in document.get("associations", ()):
        association.pop("rel", None)
    found: Json = _lowercase_names(document)
    if "embargoeduntil" in found:
        found["embargoed"] = found.pop("embargoeduntil")
    return found


def _lowercase_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.lower(): _lowercase_names(item) for name, item in value.items()}
    return [_lowercase_names(item) for item in value] if isinstance(value, list) else value
