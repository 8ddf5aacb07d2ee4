"""ninjs, the IPTC's News in JSON, of any version (1.0 to 3.1) or as a Superdesk sends it, read as an article as sent.

The versions differ in how names are spelled (`pubstatus`, `pubStatus`), in singular and plural, and in
whether texts are members by suffix (`body_html`) or items of a list (`bodies`); so all are read alike,
by their small letters. What this wire has no place for refuses nothing: it is named in the warnings.
Pictures, people and concepts are read in `parts`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from newswire.errors import Fault
from newswire.formats.html.text import from_text
from newswire.formats.ninjs.document import Found, Part, Prose, Reading
from newswire.formats.ninjs.parts import authors, concepts, pictures, places, said
from newswire.formats.strict_json import parsed_json
from newswire.timestamps import END_OF_TIME, parse_instant

NAMES = ("guid", "uri")
# Of these at least one stands in every ninjs that says something, and none in an article of our own form.
NINJS_ONLY = frozenset({
    "$standard", "standard", "type", "pubstatus", "pubStatus", "versioncreated", "versionCreated", "firstcreated",
    "firstCreated", "headlines", "bodies", "descriptions", "associations", "renditions", "representationtype",
    "representationType",
})  # fmt: skip
# What is counted anew, and what says how the document is built.
OF_NO_CONSEQUENCE = frozenset({
    "$schema", "$standard", "standard", "type", "representationtype", "profile", "mimetype", "charcount", "wordcount",
    "readtime",
})  # fmt: skip
LONGEST_HEADLINE = 500
STATUSES = ("usable", "withheld", "canceled")


class Ninjs(NamedTuple):
    """`article` is the article as sent; with `canceled` it is a kill of its `external_id`.

    `places` are JSON pointers into `article` with those into the document, where the same stood.
    """

    article: dict[str, Any]
    places: Mapping[str, str]
    canceled: bool
    warnings: list[dict[str, str]]
    faults: list[Fault]


def is_ninjs(content: object) -> bool:
    """Whether some JSON is ninjs beyond doubt; an article of our own form never is."""
    return (
        isinstance(content, Mapping)
        and any(isinstance(content.get(name), str) for name in NAMES)
        and not NINJS_ONLY.isdisjoint(content)
    )


def parse_ninjs(body: bytes) -> Any:
    """The article in the bytes of a ninjs document; JSON that is no object as it is, for its reader to refuse."""
    content = parsed_json(body)
    return read_ninjs(content) if isinstance(content, dict) else content


def read_ninjs(document: Mapping[str, Any]) -> Ninjs:
    """The article in a ninjs document. It raises nothing: `faults` are what refuses it."""
    reading, root = Reading(), Part(document, "")
    identity(reading, root)
    canceled = root.text("pubstatus") == "canceled"
    status(reading, root)
    words(reading, root)
    conditions(reading, root)
    concepts(reading, root)
    places(reading, root)
    authors(reading, root)
    pictures(reading, root)
    for name, value in root.unread():
        if name.lower() not in OF_NO_CONSEQUENCE and value not in (None, "", [], {}):
            reading.warn("not_kept", f"{root.under(name)}: is not kept; this wire has no place for it.")
    return Ninjs(reading.article, reading.places, canceled, reading.warnings, reading.faults)


def identity(reading: Reading, root: Part) -> None:
    """Which article and which version: of what is not numbered the time of its version is the number."""
    reading.put("external_id", root.take(*NAMES))
    version, created = root.take("version"), root.take("versioncreated")
    number = integer(version)
    if number is None and created is not None and (moment := instant(created.value)) is not None:
        number, version = parse_instant(moment), created
    if number is not None and version is not None and number > 0:
        reading.put("source_version", Found(number, version.pointer))
    dated(reading, root.take("firstpublished"), root.take("firstcreated"), created)
    if (former := root.take("evolvedfrom")) is not None:
        reading.warn("not_kept", f"{former.pointer}: the story that this one evolved from stays an article of its own.")


def dated(reading: Reading, *candidates: Found | None) -> None:
    """`published_at`: the first of the times that can be read."""
    for found in filter(None, candidates):
        moment = instant(found.value)
        if moment is None:
            reading.warn("unusable_time", f"{found.pointer}: is not a time with an offset; it is passed over.")
        elif "published_at" not in reading.article:
            reading.put("published_at", Found(moment, found.pointer))


def status(reading: Reading, root: Part) -> None:
    """`pubstatus`, embargo and expiry. What is withheld, or until when cannot be read, stays so until a version says
    otherwise: nothing is shown that its sender did not want to be."""
    found, embargo, expires = root.take("pubstatus"), root.take("embargoeduntil", "embargoed"), root.take("expires")
    if found is not None and found.value not in STATUSES:
        reading.fault(found.pointer, "invalid_choice", f"Must be one of: {', '.join(STATUSES)}.")
    if expires is not None:
        reading.put("expires_at", Found(instant(expires.value) or expires.value, expires.pointer))
    withheld = found if found is not None and found.value == "withheld" else None
    moment = None if embargo is None else instant(embargo.value)
    if embargo is not None and moment is None:
        reading.warn("unusable_time", f"{embargo.pointer}: is not a time with an offset; nobody will see the article"
                     " until a version comes that has none, or another.")  # fmt: skip
        withheld = embargo
    if withheld is not None:
        reading.put("embargoed_until", Found(END_OF_TIME, withheld.pointer))
        if reading.drop("expires_at"):
            reading.warn("not_kept", f"{root.under('expires')}: is not kept while the article is withheld.")
    elif embargo is not None:
        reading.put("embargoed_until", Found(moment, embargo.pointer))


def words(reading: Reading, root: Part) -> None:
    """Headline, bodies, summary and the lines around them."""
    headlines, bodies, descriptions = (root.prose(stem, reading) for stem in ("headline", "body", "description"))
    note = next((text for text in descriptions if text.role in ("correction", "update") and text.is_text), None)
    descriptions = [text for text in descriptions if text is not note]
    summary = first(descriptions, "summary", "text", "", "caption", "main")
    slugline = root.take("slugline")
    headline = first(headlines, "", "main", "headline")
    if headline is None:
        stand_in(reading, root, root.take("title"), slugline, None if summary is None else plain(summary))
    else:
        reading.put("headline", headline.found)
    reading.put("slugline", slugline)
    used = [headline, summary, *body(reading, bodies)]
    # The same description in plain text and in HTML is one.
    for text in (*headlines, *bodies, *(each for each in descriptions if not each.html)):
        if text not in used:
            reading.warn("not_kept", f"{text.pointer}: is not kept; another text of its kind is.")
    if summary is not None:
        reading.put("summary", plain(summary))
    reading.put("byline", root.take("by", "byline"))
    reading.put("dateline", root.take("located"))
    signals = [item.text("code", "qcode", "name") for item in root.parts("signal")]
    if note is not None and note.is_text:
        reading.put("change", Found({"type": note.role, "note": note.value}, note.pointer))
    elif any((signal or "").lower().rpartition(":")[2] == "correction" for signal in signals):
        said = root.text("ednote") or "Correction"
        reading.put("change", Found({"type": "correction", "note": said}, root.under("signal")))


def stand_in(reading: Reading, root: Part, *candidates: Found | None) -> None:
    """Something else for a missing headline: the best that there is, at last the document's own name."""
    for found in (*candidates, root.take(*NAMES)):
        if found is not None and isinstance(found.value, str) and found.value.strip():
            text = " ".join(found.value.split())
            short = text if len(text) <= LONGEST_HEADLINE else text[: LONGEST_HEADLINE - 1] + "…"
            reading.put("headline", Found(short, found.pointer))
            reading.warn("no_headline", f"{found.pointer}: stands in for the headline, which the document has not.")
            return


def body(reading: Reading, bodies: list[Prose]) -> list[Prose | None]:
    """The HTML, or the plain text where there is none or the HTML says nothing beyond it; gives both."""
    html = first([text for text in bodies if text.html], "html", "main", "richtext", "xhtml", "html5")
    text = first([text for text in bodies if not text.html], "text", "main", "", "plain")
    same = html and text and html.is_text and text.is_text and from_text(text.value) == html.value
    chosen = text if same else html or text
    if chosen is not None:
        reading.put("body_html" if chosen.html else "body_text", chosen.found)
    return [html, text]


def first(texts: list[Prose], *roles: str) -> Prose | None:
    """The text with the earliest of these roles, plain before HTML; else the first of all."""
    ranked = [text for role in roles for text in sorted(texts, key=lambda text: text.html) if text.role == role]
    return next(iter([*ranked, *texts]), None)


def plain(text: Prose) -> Found:
    return Found(said(text), text.pointer) if text.is_text else text.found


def conditions(reading: Reading, root: Part) -> None:
    """Language, urgency, rights, and the note to editors."""
    language = root.take("language")
    if language is not None and isinstance(language.value, str):
        language = Found(language.value.replace("_", "-"), language.pointer)
    reading.put("language", language)
    urgency = root.take("urgency")
    number = integer(urgency)
    if urgency is not None and (number is None or not 1 <= number <= 9):
        reading.warn("out_of_range", f"{urgency.pointer}: is not from 1 to 9; it is passed over.")
    elif urgency is not None:
        reading.put("urgency", Found(number, urgency.pointer))
    notice, holder = root.take("copyrightnotice"), root.take("copyrightholder")
    reading.put("copyright_notice", notice or holder)
    if notice and holder and isinstance(notice.value, str) and str(holder.value) not in notice.value:
        reading.warn("not_kept", f"{holder.pointer}: is not kept beside the copyright notice.")
    reading.put("usage_terms", root.take("usageterms"))
    reading.put("editor_note", root.take("ednote"))


def integer(found: Found | None) -> int | None:
    """A whole number, written as one, as a string, or with a fraction of nothing."""
    value = None if found is None else found.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else None


def instant(value: Any) -> str | None:
    """A time in RFC 3339; a Superdesk writes its offset without the colon. None when it cannot be read."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > 5 and text[-5] in "+-" and text[-4:].isdigit():
        text = f"{text[:-2]}:{text[-2:]}"
    try:
        parse_instant(text)
    except ValueError:
        return None
    return text
