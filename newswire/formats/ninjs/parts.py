"""The reader of the parts of a ninjs document: its concepts, places, authors and pictures."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from newswire.formats.html.sanitise import prose_to_text
from newswire.formats.ninjs.document import EMPTY, SIGNALS, FoundValue, NinjsReader, Part, Prose, list_items
from newswire.urls import URI

AUTHORS = frozenset({"author", "creator", "contributor", "writer", "reporter", "photographer", "byline"})
PICTURES = frozenset({"picture", "graphic"})
OUR_SUBJECT = re.compile("urn:newswire:subject:([^:]*):(.*)", re.DOTALL)
VOCABULARY_END = re.compile("[/#=:](?=[^/#=:]+$)")
LONGEST_HTML = 100_000
MOST_PIXELS = 1_000_000
MOST_PICTURES = 200
# Associations that are links, as our writer names them, and the numbers at the end of their names.
EVOLVES_FROM, RELATED = "evolvesFrom", "related"
OUR_ARTICLE = re.compile("urn:newswire:article:[^:]*:(.+)", re.DOTALL)
NUMBERED = re.compile("-{1,2}[0-9]+$")
LONGEST_URI, MOST_LINKS, LONGEST_RELATION = 2048, 100, 250
# The names of associations in Superdesk, in the IPTC's examples and in our own ninjs, by the role that they mean.
ROLES = {
    "lead": re.compile("lead|featuremedia|main", re.IGNORECASE),
    "inline": re.compile("inline|embedded|editor", re.IGNORECASE),
    "gallery": re.compile("gallery|media", re.IGNORECASE),
}


def read_concepts(reading: NinjsReader, root: Part) -> None:
    """Reads subjects, keywords and section. The latter two are subjects with a relation, or Superdesk's own members."""
    for item in root.parts("subjects", "subject"):
        name, relation = item.text("name"), item.text("rel")
        if relation == "keyword" and name:
            reading.add("keywords", FoundValue(name, item.pointer))
        elif relation == "section" and name:
            reading.put("section", FoundValue(name, item.pointer))
        elif relation == "signal" and (item.text("uri") or "").startswith(SIGNALS):
            # Our writer's: `formats.ninjs.read` has read it with the note of the change.
            item.take("literal")
        elif subject := _without_nulls(name=name, **_concept_code(item)):
            reading.add("subjects", FoundValue(subject, item.pointer))
        else:
            reading.warn(item.pointer, "not_kept", "has neither name nor code.")
    for keyword, pointer in list_items(root.take("keywords", "keyword")):
        if not isinstance(keyword, str) or keyword.strip():
            reading.add("keywords", FoundValue(keyword, pointer))
    services = [item for item in root.parts("service") if item.text("name", "code")]
    for item in services[1:] if "section" not in reading.article else services:
        reading.warn(item.pointer, "not_kept", "is not kept; an article has one section.")
    if services and "section" not in reading.article:
        reading.put("section", FoundValue(services[0].text("name", "code"), services[0].pointer))


def _concept_code(item: Part) -> dict[str, str | None]:
    """`code` and `scheme` of a concept: members in ninjs 1; since ninjs 2 one `uri`, with the code as `literal`."""
    uri, literal = item.text("uri"), item.text("literal")
    code, scheme = item.text("code", "qcode"), item.text("scheme")
    if uri is None or code is not None:
        return {"code": code or literal, "scheme": scheme}
    if ours := OUR_SUBJECT.fullmatch(uri):
        return {"code": literal or unquote(ours[2]), "scheme": unquote(ours[1])}
    if literal is not None and unquote(uri).endswith(literal):
        return {"code": literal, "scheme": unquote(uri)[: -len(literal)]}
    if literal is None and (found := VOCABULARY_END.search(uri)):
        return {"code": uri[found.end() :], "scheme": uri[: found.end()]}
    return {"code": literal or uri, "scheme": None}


def read_places(reading: NinjsReader, root: Part) -> None:
    for item in root.parts("places", "place"):
        name = item.text("name", "literal", "code", "qcode")
        addresses = [part for contact in item.parts("contactinfo") for part in contact.parts("address")]
        country = item.text("country") or next((part.text("country") for part in addresses), None)
        if name is None:
            reading.warn(item.pointer, "not_kept", "is a place without a name.")
        else:
            reading.add("places", FoundValue(_without_nulls(name=name, country=country), item.pointer))


def read_authors(reading: NinjsReader, root: Part) -> None:
    """Reads Superdesk's `authors`, and the people whose relation is that of an author."""
    people = root.parts("people", "person")
    wrote = [item for item in people if (item.text("rel") or "").lower().rpartition("/")[2] in AUTHORS]
    for item in [*root.parts("authors"), *wrote]:
        author = _author_fields(reading, item)
        if author is None:
            reading.warn(item.pointer, "not_kept", "is an author without a name.")
        else:
            reading.add("authors", FoundValue(author, item.pointer))
    if len(wrote) < len(people):
        reading.warn(people[0].pointer.rpartition("/")[0], "not_kept", "only the authors among them are kept.")


def _author_fields(reading: NinjsReader, item: Part) -> dict[str, Any] | None:
    name = item.text("name")
    contacts = {contact.text("role"): contact for contact in item.parts("contactinfo")}
    said = {role: contact.text("value") for role, contact in contacts.items()}
    titles = [title.text("name") for title in item.parts("jobtitle")]
    return None if name is None else _without_nulls(
        name=name,
        role=item.text("role") or said.get("jobtitle") or next(iter(titles), None),
        bio=item.text("biography", "bio") or said.get("biography"),
        url=_web_address_or_warn(reading, item, said.get("profile")),
        avatar_url=_web_address_or_warn(reading, item, item.text("avatar_url") or said.get("avatar")),
        organization=said.get("organisation"),
    )  # fmt: skip


def _web_address_or_warn(reading: NinjsReader, item: Part, address: str | None) -> str | None:
    """The URL if it is http or https; otherwise None, with a warning."""
    if address is None or _is_web_address(address):
        return address
    reading.warn(item.pointer, "not_kept", f"{address[:200]!r} is no address on the web.")
    return None


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def read_pictures(reading: NinjsReader, root: Part) -> None:
    """Reads the pictures among the associations, the document itself if it is a picture, and the canonical URL."""
    kind, renditions = root.text("type"), root.named_parts("renditions")
    own = _picture_fields(root, reading) if kind is None or kind in PICTURES else None
    if own is not None:
        reading.add("images", FoundValue(own, root.under("renditions")))
    pages = [part for _, part in renditions if "html" in (_media_type(part) or "")]
    page = next((found for part in pages if (found := part.take("href")) and _is_web_address(str(found.value))), None)
    reading.put("url", page)
    if renditions and own is None and page is None:
        reading.warn(root.under("renditions"), "not_kept", "are not kept; none is a picture or a page on the web.")


def read_associations(reading: NinjsReader, root: Part) -> None:
    """Reads the associations: pictures, and links to other documents, of which only their names are kept."""
    for name, item in root.named_parts("associations"):
        if len(reading.article.get("images", ())) > MOST_PICTURES:
            # An article with so many is refused anyway, and sanitising their captions is slow.
            return
        kind = item.text("type")
        image = _picture_fields(item, reading) if kind is None or kind in PICTURES else None
        if image is not None:
            role = _picture_role(item.text("rel") or name) or _picture_role(name)
            reading.add("images", FoundValue(image | _without_nulls(role=role), item.pointer))
        elif kind in PICTURES:
            reading.warn(item.pointer, "not_kept", "is a picture without a rendition on the web.")
        else:
            _read_link(reading, item, name)


def _read_link(reading: NinjsReader, item: Part, name: str) -> None:
    """Reads an association that is another document, by its URI, as one of `related` or as `evolves_from`.

    Its relation is `rel`, else the name without the number at its end: `sidebars--1`.
    """
    uri, relation = item.text("uri", "guid"), item.text("rel") or NUMBERED.sub("", name).strip()
    if uri is None or len(uri) > LONGEST_URI:
        reading.warn(item.pointer, "not_kept", "is not kept; it is neither a picture nor has it a URI to link to.")
        return
    ours = OUR_ARTICLE.fullmatch(uri)
    if relation == EVOLVES_FROM and "evolves_from" not in reading.article:
        reading.put("evolves_from", FoundValue(unquote(ours[1]) if ours else uri, item.under("uri")))
    elif len(reading.article.get("related", ())) == MOST_LINKS:
        reading.warn(item.pointer, "not_kept", f"is not kept; an article has at most {MOST_LINKS} links.")
    else:
        named = {"external_id": unquote(ours[1])} if ours else {"uri" if URI.fullmatch(uri) else "external_id": uri}
        kept = relation[:LONGEST_RELATION] if relation not in ("", RELATED) else None
        reading.add("related", FoundValue(named | _without_nulls(relation=kept), item.pointer))
    item.text("name")
    if any(value not in EMPTY for member, value in item.unread() if member != "$standard"):
        reading.warn(item.pointer, "not_kept", "is kept as a link; its content is not.")


def _picture_role(name: str) -> str | None:
    return next((role for role, pattern in ROLES.items() if pattern.match(name)), None)


def _picture_fields(item: Part, reading: NinjsReader) -> dict[str, Any] | None:
    """A picture in its largest rendition; None where there is none."""
    found = [(name, part) for name, part in item.named_parts("renditions") if _is_picture(part)]
    if not found:
        return None
    chosen = max(found, key=lambda each: (each[0] == "original", _count_pixels(each[1])))[1]
    texts = item.prose("description", reading)
    alternative = next((text for text in texts if text.role in ("alt_text", "alt")), None)
    captions = [text for text in texts if text is not alternative]
    caption = min(captions, key=lambda text: (text.role != "caption", text.html), default=None)
    own_text = next((text for text in item.prose("body", reading) if not text.html), None)
    return _without_nulls(
        url=chosen.text("href"),
        caption=text_without_markup(caption) or item.text("headline"),
        alt_text=text_without_markup(alternative or own_text),
        credit=item.text("by", "byline") or item.text("copyrightholder"),
        copyright_notice=item.text("copyrightnotice"),
        mime_type=_media_type(chosen),
        width=_pixel_number(chosen, "width"),
        height=_pixel_number(chosen, "height"),
    )


def text_without_markup(text: Prose | None) -> str | None:
    """The plain text of a `Prose`; None if there is none."""
    if text is None or not isinstance(text.value, str):
        return None
    if text.html and len(text.value) <= LONGEST_HTML:
        return prose_to_text(text.value)
    return text.value


def _is_picture(rendition: Part) -> bool:
    address, media = rendition.text("href"), _media_type(rendition)
    return address is not None and _is_web_address(address) and (media is None or media.startswith("image/"))


def _media_type(rendition: Part) -> str | None:
    return rendition.text("contenttype", "mimetype")


def _count_pixels(rendition: Part) -> int:
    return (_pixel_number(rendition, "width") or 0) * (_pixel_number(rendition, "height") or 0)


def _pixel_number(part: Part, name: str) -> int | None:
    """A number of pixels up to a million, also from a string or a float; None for anything else."""
    found = part.take(name)
    value = None if found is None else found.value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 < value <= MOST_PIXELS and value is not True else None


def _without_nulls(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
