"""The reader of ninjs, the IPTC's News in JSON, in any version (1.0 to 3.1) or as Superdesk sends it.

The versions differ in the case of names (`pubstatus`, `pubStatus`), in singular and plural, and in whether texts are
members with suffixes (`body_html`) or items of a list (`bodies`). One reader takes all of them, by names in lower
case. Content for which an article has no field is not refused; a warning names it. Pictures, people and concepts are
read in `parts`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from newswire.article import ArticleWarning
from newswire.errors import Fault
from newswire.formats.html.text import text_to_html
from newswire.formats.ninjs.document import FoundValue, NinjsReader, Part, Prose
from newswire.formats.ninjs.parts import (
    read_associations,
    read_authors,
    read_concepts,
    read_pictures,
    read_places,
    text_without_markup,
)
from newswire.formats.strict_json import parse_json
from newswire.timestamps import END_OF_TIME, parse_instant

NAMES = ("guid", "uri")
# Every usable ninjs document has at least one of these members, and an article of our own form has none.
NINJS_ONLY = frozenset({
    "$standard", "standard", "type", "pubstatus", "pubStatus", "versioncreated", "versionCreated", "firstcreated",
    "firstCreated", "headlines", "bodies", "descriptions", "associations", "renditions", "representationtype",
    "representationType",
})  # fmt: skip
# Members whose loss needs no warning: counts, which are computed again, and the structure of the document.
OF_NO_CONSEQUENCE = frozenset({
    "$schema", "$standard", "standard", "type", "representationtype", "profile", "mimetype", "charcount", "wordcount",
    "readtime",
})  # fmt: skip
LONGEST_HEADLINE = 500
STATUSES = ("usable", "withheld", "canceled")


class Ninjs(NamedTuple):
    """The result of reading a ninjs document: `article` is the article as sent; with `canceled` it is a kill.

    `pointers` maps each JSON pointer into `article` to the pointer of the same value in the document.
    """

    article: dict[str, Any]
    pointers: Mapping[str, str]
    canceled: bool
    warnings: list[ArticleWarning]
    faults: list[Fault]


def is_ninjs(content: object) -> bool:
    """Whether parsed JSON is ninjs; False for every article of our own form."""
    return (
        isinstance(content, Mapping)
        and any(isinstance(content.get(name), str) for name in NAMES)
        and not NINJS_ONLY.isdisjoint(content)
    )


def parse_ninjs(body: bytes) -> Any:
    """Parses and reads a ninjs document; JSON other than an object is returned unread, and the schema refuses it."""
    content = parse_json(body)
    return read_ninjs(content) if isinstance(content, dict) else content


def read_ninjs(document: Mapping[str, Any]) -> Ninjs:
    """Reads an article from a ninjs document. It never raises: the caller refuses a document with `faults`."""
    reading, root = NinjsReader(), Part(document, "")
    _read_identity(reading, root)
    canceled = root.text("pubstatus") == "canceled"
    _read_status(reading, root)
    _read_texts(reading, root)
    _read_conditions(reading, root)
    read_concepts(reading, root)
    read_places(reading, root)
    read_authors(reading, root)
    read_pictures(reading, root)
    read_associations(reading, root)
    for name, value in root.unread():
        if name.lower() not in OF_NO_CONSEQUENCE and value not in (None, "", [], {}):
            reading.warn(root.under(name), "not_kept", "is not kept; this wire has no place for it.")
    return Ninjs(reading.article, reading.pointers, canceled, reading.warnings, reading.faults)


def _read_identity(reading: NinjsReader, root: Part) -> None:
    """Reads the ids of article and version; a version without a number is numbered by its time in milliseconds."""
    reading.put("external_id", root.take(*NAMES))
    version, created = root.take("version"), root.take("versioncreated")
    number = _whole_number(version)
    if number is None and created is not None and (moment := _rfc3339_time(created.value)) is not None:
        number, version = parse_instant(moment), created
    if number is not None and version is not None and number > 0:
        reading.put("source_version", FoundValue(number, version.pointer))
    _read_published_at(reading, root.take("firstpublished"), root.take("firstcreated"), created)
    reading.put("evolves_from", root.take("evolvedfrom"))


def _read_published_at(reading: NinjsReader, *candidates: FoundValue | None) -> None:
    """Reads `published_at`: the first of these times that is valid."""
    for found in filter(None, candidates):
        moment = _rfc3339_time(found.value)
        if moment is None:
            reading.warn(found.pointer, "unusable_time", "is not a time with an offset; it is passed over.")
        elif "published_at" not in reading.article:
            reading.put("published_at", FoundValue(moment, found.pointer))


def _read_status(reading: NinjsReader, root: Part) -> None:
    """Reads `pubstatus`, embargo and expiry.

    A withheld article, or one whose embargo cannot be read, stays withheld until another version changes that:
    nothing may be shown that its sender did not release.
    """
    found, embargo, expires = root.take("pubstatus"), root.take("embargoeduntil", "embargoed"), root.take("expires")
    if found is not None and found.value not in STATUSES:
        reading.fault(found.pointer, "invalid_choice", f"Must be one of: {', '.join(STATUSES)}.")
    if expires is not None:
        reading.put("expires_at", FoundValue(_rfc3339_time(expires.value) or expires.value, expires.pointer))
    withheld = found if found is not None and found.value == "withheld" else None
    moment = None if embargo is None else _rfc3339_time(embargo.value)
    if embargo is not None and moment is None:
        reading.warn(embargo.pointer, "unusable_time", "is not a time with an offset; nobody will see the article"
                     " until a version comes that has none, or another.")  # fmt: skip
        withheld = embargo
    # The embargo takes the place of a status: it withholds the article, and never ends by itself.
    if withheld is not None:
        reading.put("embargoed_until", FoundValue(END_OF_TIME, withheld.pointer))
        if reading.drop("expires_at"):
            reading.warn(root.under("expires"), "not_kept", "is not kept while the article is withheld.")
    elif embargo is not None:
        reading.put("embargoed_until", FoundValue(moment, embargo.pointer))


def _read_texts(reading: NinjsReader, root: Part) -> None:
    """Reads headline, body, summary, byline, dateline and the note of a correction."""
    headlines, bodies, descriptions = (root.prose(stem, reading) for stem in ("headline", "body", "description"))
    note = next((text for text in descriptions if text.role in ("correction", "update") and text.is_text), None)
    descriptions = [text for text in descriptions if text is not note]
    summary = _preferred_text(descriptions, "summary", "text", "", "caption", "main")
    slugline = root.take("slugline")
    headline = _preferred_text(headlines, "", "main", "headline")
    if headline is None:
        _replace_headline(
            reading, root, root.take("title"), slugline, None if summary is None else _plain_text(summary)
        )
    else:
        reading.put("headline", headline.found)
    reading.put("slugline", slugline)
    used = [headline, summary, *_read_body(reading, bodies)]
    # No warning for a description in HTML: it repeats the one in plain text.
    for text in (*headlines, *bodies, *(each for each in descriptions if not each.html)):
        if text not in used:
            reading.warn(text.pointer, "not_kept", "is not kept; another text of its kind is.")
    if summary is not None:
        reading.put("summary", _plain_text(summary))
    reading.put("byline", root.take("by", "byline"))
    reading.put("dateline", root.take("located"))
    signals = _read_signals(root)
    if note is not None and note.is_text:
        reading.put("change", FoundValue({"type": note.role, "note": note.value}, note.pointer))
    elif (signal := signals.get("correction")) is not None:
        said = root.text("ednote") or "Correction"
        reading.put("change", FoundValue({"type": "correction", "note": said}, signal))


def _read_signals(root: Part) -> dict[str, str]:
    """The signals of a document with their pointers: their codes in lower case, without scheme or vocabulary.

    They are in `signal` or `signals`: a text, objects with `code`, `qcode` or `uri`, or only with a name.
    """
    found = root.take("signal", "signals")
    if found is not None and isinstance(found.value, str):
        spelled = [(found.value, found.pointer)]
    else:
        items = root.parts("signal", "signals")
        spelled = [(item.text("code", "qcode", "literal", "uri", "name") or "", item.pointer) for item in items]
    return {re.split("[:/#]", text.strip().rstrip("/").lower())[-1]: pointer for text, pointer in spelled}


def _replace_headline(reading: NinjsReader, root: Part, *candidates: FoundValue | None) -> None:
    """Replaces a missing headline by the first candidate with text, at last by the id of the document, and warns."""
    for found in (*candidates, root.take(*NAMES)):
        if found is not None and isinstance(found.value, str) and found.value.strip():
            text = " ".join(found.value.split())
            short = text if len(text) <= LONGEST_HEADLINE else text[: LONGEST_HEADLINE - 1] + "…"
            reading.put("headline", FoundValue(short, found.pointer))
            reading.warn(found.pointer, "no_headline", "stands in for the headline, which the document has not.")
            return


def _read_body(reading: NinjsReader, bodies: list[Prose]) -> list[Prose | None]:
    """Reads the body: HTML, unless there is none or it is only the plain text with tags; returns the texts it used."""
    html = _preferred_text([text for text in bodies if text.html], "html", "main", "richtext", "xhtml", "html5")
    text = _preferred_text([text for text in bodies if not text.html], "text", "main", "", "plain")
    same = html and text and html.is_text and text.is_text and text_to_html(text.value) == html.value
    chosen = text if same else html or text
    if chosen is not None:
        reading.put("body_html" if chosen.html else "body_text", chosen.found)
    return [html, text]


def _preferred_text(texts: list[Prose], *roles: str) -> Prose | None:
    """The text with the earliest of these roles, plain text before HTML; the first text if none has such a role."""
    ranked = [text for role in roles for text in sorted(texts, key=lambda text: text.html) if text.role == role]
    return next(iter([*ranked, *texts]), None)


def _plain_text(text: Prose) -> FoundValue:
    return FoundValue(text_without_markup(text), text.pointer) if text.is_text else text.found


def _read_conditions(reading: NinjsReader, root: Part) -> None:
    """Reads language, urgency, rights and the note to editors."""
    language = root.take("language")
    if language is not None and isinstance(language.value, str):
        language = FoundValue(language.value.replace("_", "-"), language.pointer)
    reading.put("language", language)
    urgency = root.take("urgency")
    number = _whole_number(urgency)
    if urgency is not None and (number is None or not 1 <= number <= 9):
        reading.warn(urgency.pointer, "out_of_range", "is not from 1 to 9; it is passed over.")
    elif urgency is not None:
        reading.put("urgency", FoundValue(number, urgency.pointer))
    notice, holder = root.take("copyrightnotice"), root.take("copyrightholder")
    reading.put("copyright_notice", notice or holder)
    if notice and holder and isinstance(notice.value, str) and str(holder.value) not in notice.value:
        reading.warn(holder.pointer, "not_kept", "is not kept beside the copyright notice.")
    reading.put("usage_terms", root.take("usageterms"))
    reading.put("editor_note", _note_to_editors(root.take("ednote"), reading.article.get("change")))


def _note_to_editors(found: FoundValue | None, change: Any) -> FoundValue | None:
    """The note to editors without the note of a correction, which our writer puts before it."""
    if found is None or not isinstance(found.value, str) or not change or change["type"] != "correction":
        return found
    own = f"Correction: {change['note']}"
    if found.value == own:
        return None
    return FoundValue(found.value.removeprefix(f"{own}\n\n"), found.pointer)


def _whole_number(found: FoundValue | None) -> int | None:
    """A whole number, also from a string of digits or a float without a fraction; None for anything else."""
    value = None if found is None else found.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else None


def _rfc3339_time(value: Any) -> str | None:
    """A time with an offset as `published_at` takes it; None if it is not one.

    Superdesk writes offsets without the colon, which is put in: the article as sent has had it since the first release.
    """
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
