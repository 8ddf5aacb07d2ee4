"""What belongs to a ninjs document: its concepts, places, authors and pictures."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from newswire.formats.html.sanitise import plain_text, sanitise
from newswire.formats.ninjs.document import Found, Part, Prose, Reading, numbered

AUTHORS = frozenset({"author", "creator", "contributor", "writer", "reporter", "photographer", "byline"})
PICTURES = frozenset({"picture", "graphic"})
OUR_SUBJECT = re.compile("urn:newswire:subject:([^:]*):(.*)", re.DOTALL)
VOCABULARY_END = re.compile("[/#=:](?=[^/#=:]+$)")
LONGEST_HTML = 100_000
MOST_PIXELS = 1_000_000
MOST_PICTURES = 200
# How the associations of a Superdesk and of the IPTC's examples are called, and what we call them ourselves.
ROLES = {
    "lead": re.compile("lead|featuremedia|main", re.IGNORECASE),
    "inline": re.compile("inline|embedded|editor", re.IGNORECASE),
    "gallery": re.compile("gallery|media", re.IGNORECASE),
}


def concepts(reading: Reading, root: Part) -> None:
    """Subjects, and the keywords and section that stand among them or, from a Superdesk, beside them."""
    for item in root.parts("subjects", "subject"):
        name, relation = item.text("name"), item.text("rel")
        if relation == "keyword" and name:
            reading.add("keywords", Found(name, item.pointer))
        elif relation == "section" and name:
            reading.put("section", Found(name, item.pointer))
        elif subject := filled(name=name, **identifier(item)):
            reading.add("subjects", Found(subject, item.pointer))
        else:
            reading.warn("not_kept", f"{item.pointer}: has neither name nor code.")
    for keyword, place in numbered(root.take("keywords", "keyword")):
        if not isinstance(keyword, str) or keyword.strip():
            reading.add("keywords", Found(keyword, place))
    services = [item for item in root.parts("service") if item.text("name", "code")]
    for item in services[1:] if "section" not in reading.article else services:
        reading.warn("not_kept", f"{item.pointer}: is not kept; an article has one section.")
    if services and "section" not in reading.article:
        reading.put("section", Found(services[0].text("name", "code"), services[0].pointer))


def identifier(item: Part) -> dict[str, str | None]:
    """`code` and `scheme` of a concept: ninjs 1 names both, since 2 they are one `uri`, with the code as `literal`."""
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


def places(reading: Reading, root: Part) -> None:
    for item in root.parts("places", "place"):
        name = item.text("name", "literal", "code", "qcode")
        addresses = [part for contact in item.parts("contactinfo") for part in contact.parts("address")]
        country = item.text("country") or next((part.text("country") for part in addresses), None)
        if name is None:
            reading.warn("not_kept", f"{item.pointer}: is a place without a name.")
        else:
            reading.add("places", Found(filled(name=name, country=country), item.pointer))


def authors(reading: Reading, root: Part) -> None:
    """`authors` of a Superdesk, and of the people those who are there as authors."""
    people = root.parts("people", "person")
    wrote = [item for item in people if (item.text("rel") or "").lower().rpartition("/")[2] in AUTHORS]
    for item in [*root.parts("authors"), *wrote]:
        author = author_of(reading, item)
        if author is None:
            reading.warn("not_kept", f"{item.pointer}: is an author without a name.")
        else:
            reading.add("authors", Found(author, item.pointer))
    if len(wrote) < len(people):
        reading.warn("not_kept", f"{people[0].pointer.rpartition('/')[0]}: only the authors among them are kept.")


def author_of(reading: Reading, item: Part) -> dict[str, Any] | None:
    name = item.text("name")
    contacts = {contact.text("role"): contact for contact in item.parts("contactinfo")}
    said = {role: contact.text("value") for role, contact in contacts.items()}
    titles = [title.text("name") for title in item.parts("jobtitle")]
    return None if name is None else filled(
        name=name,
        role=item.text("role") or said.get("jobtitle") or next(iter(titles), None),
        bio=item.text("biography", "bio") or said.get("biography"),
        url=usable(reading, item, said.get("profile")),
        avatar_url=usable(reading, item, item.text("avatar_url") or said.get("avatar")),
        organization=said.get("organisation"),
    )  # fmt: skip


def usable(reading: Reading, item: Part, address: str | None) -> str | None:
    """An address on the web, if it is one."""
    if address is None or is_web(address):
        return address
    reading.warn("not_kept", f"{item.pointer}: {address[:200]!r} is no address on the web.")
    return None


def is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def pictures(reading: Reading, root: Part) -> None:
    """The pictures among what is associated, and a picture that is a document of its own; and its page on the web."""
    kind, renditions = root.text("type"), root.named_parts("renditions")
    own = picture_of(root, reading) if kind is None or kind in PICTURES else None
    if own is not None:
        reading.add("images", Found(own, root.under("renditions")))
    pages = [part for _, part in renditions if "html" in (media_of(part) or "")]
    page = next((found for part in pages if (found := part.take("href")) and is_web(str(found.value))), None)
    reading.put("url", page)
    if renditions and own is None and page is None:
        reading.warn("not_kept", f"{root.under('renditions')}: are not kept; none is a picture or a page on the web.")
    associated(reading, root)


def associated(reading: Reading, root: Part) -> None:
    """The pictures among the associations."""
    for name, item in root.named_parts("associations"):
        if len(reading.article.get("images", ())) > MOST_PICTURES:
            # More than an article may have: it is refused anyway, and captions are the slow part.
            return
        kind = item.text("type")
        image = picture_of(item, reading) if kind is None or kind in PICTURES else None
        if image is not None:
            role = role_of(item.text("rel") or name) or role_of(name)
            reading.add("images", Found(image | filled(role=role), item.pointer))
        elif kind in PICTURES:
            reading.warn("not_kept", f"{item.pointer}: is a picture without a rendition on the web.")
        else:
            reading.warn("not_kept", f"{item.pointer}: is not kept; only pictures can belong to an article.")


def role_of(name: str) -> str | None:
    return next((role for role, pattern in ROLES.items() if pattern.match(name)), None)


def picture_of(item: Part, reading: Reading) -> dict[str, Any] | None:
    """A picture in its largest rendition; None where there is none."""
    found = [(name, part) for name, part in item.named_parts("renditions") if is_picture(part)]
    if not found:
        return None
    chosen = max(found, key=lambda each: (each[0] == "original", pixels(each[1])))[1]
    texts = item.prose("description", reading)
    alternative = next((text for text in texts if text.role in ("alt_text", "alt")), None)
    captions = [text for text in texts if text is not alternative]
    caption = min(captions, key=lambda text: (text.role != "caption", text.html), default=None)
    own_text = next((text for text in item.prose("body", reading) if not text.html), None)
    return filled(
        url=chosen.text("href"),
        caption=said(caption) or item.text("headline"),
        alt_text=said(alternative or own_text),
        credit=item.text("by", "byline") or item.text("copyrightholder"),
        copyright_notice=item.text("copyrightnotice"),
        mime_type=media_of(chosen),
        width=whole(chosen, "width"),
        height=whole(chosen, "height"),
    )


def said(text: Prose | None) -> str | None:
    """A text without markup."""
    if text is None or not isinstance(text.value, str):
        return None
    if text.html and len(text.value) <= LONGEST_HTML:
        return plain_text(sanitise(text.value, None).html)
    return text.value


def is_picture(rendition: Part) -> bool:
    address, media = rendition.text("href"), media_of(rendition)
    return address is not None and is_web(address) and (media is None or media.startswith("image/"))


def media_of(rendition: Part) -> str | None:
    return rendition.text("contenttype", "mimetype")


def pixels(rendition: Part) -> int:
    return (whole(rendition, "width") or 0) * (whole(rendition, "height") or 0)


def whole(part: Part, name: str) -> int | None:
    """A number of pixels, if it can be one."""
    found = part.take(name)
    value = None if found is None else found.value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 < value <= MOST_PIXELS and value is not True else None


def filled(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
