"""Hints on refused fields of articles: the field that was meant, the shape that is wanted, the language tag.

A hint is `did_you_mean` and the detail of a fault; nothing is accepted because of it. Whole documents of other systems
are in `foreign_documents`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from newswire.errors import Fault, closest_name
from newswire.schemas.fields import Language, printable_text

LONGEST_POINTER, LONGEST_EXAMPLE = 50, 60

SYNONYMS = {
    "": """
        headline: title head hed heading name
        slugline: slug
        summary: description excerpt abstract standfirst subtitle subheadline subhead dek deck lead lede teaser intro
            customexcerpt alternativeheadline
        body_html: body content html story contenthtml articlebody encoded contentencoded
        body_text: text plaintext plain contenttext
        body_markdown: markdown md contentmarkdown
        published_at: date published pubdate datepublished publicationdate publishdate publishedon publishedtime created
            createdat datecreated timestamp firstpublished dategmt issued
        embargoed_until: embargo embargoed embargodate
        expires_at: expires expiry expirydate expirationdate
        authors: author creator creators dccreator contributor contributors writer writers
        keywords: tags tag categories topics labels
        subjects: subject concepts genre
        section: category primarytag primarycategory articlesection desk channel rubric
        places: place location locations
        images: image picture pictures photo photos media thumbnail featuredimage featureimage featuredmedia leadimage
            enclosure enclosures imageurl bannerimage jetpackfeaturedmediaurl
        language: lang locale inlanguage
        url: link permalink canonical canonicalurl href externalurl mainentityofpage
        external_id: id guid uuid uid articleid postid
        source_version: version revision
        copyright_notice: copyright rights copyrightholder
        usage_terms: license licence
        editor_note: note ednote editorialnote editorsnote
        urgency: priority
        change: correction
        evolves_from: evolvedfrom rewriteof updateof follows followupto previous predecessor
        related: relateds relatedarticles relatedstories relateditems relatedcontent associations seealso
    """,
    "authors": """
        name: fullname displayname byline author
        role: jobtitle position title
        bio: biography description about
        url: link website href profile
        avatar_url: avatar image photo picture profileimage
        organization: organisation company affiliation
    """,
    "images": """
        url: src href link source sourceurl imageurl contenturl
        caption: title description text figcaption
        alt_text: alt alternative alternativetext
        credit: photographer creator author byline
        copyright_notice: copyright
        mime_type: type contenttype mediatype
    """,
    "subjects": """
        code: id qcode uri
        name: label title value
        scheme: vocabulary
    """,
    "related": """
        external_id: guid articleid
        uri: url href link
        relation: rel type role kind relationship
    """,
    "places": """
        name: city label title location
        country: countrycode countryname
    """,
    "change": """
        note: reason message comment text description
        type: kind
    """,
}
"""Other systems' names of our fields, in lower case without other characters: WordPress, Ghost, JSON Feed, RSS,
schema.org, NewsAPI. By the field whose objects they are in; "" is the article."""


def _read_synonyms(table: str) -> dict[str, str]:
    """The names of one table, each with our own."""
    found: dict[str, str] = {}
    own = ""
    for word in table.split():
        if word.endswith(":"):
            own = word[:-1]
        else:
            found[word] = own
    return found


MEANT: Mapping[str, Mapping[str, str]] = {holder: _read_synonyms(table) for holder, table in SYNONYMS.items()}
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "authors": ("name", "Ann Lee"), "images": ("url", "https://site.example/a.jpg"), "subjects": ("name", "Shipping"),
    "places": ("name", "Lisbon"), "related": ("external_id", "harbour-2"), "change": ("note", "What has changed."),
}  # fmt: skip
"""The fields of objects: the member of an object to which a text in its place belongs, and a value for an example."""
BODIES_HINT = "There is no such field; a body is sent as body_html, body_text or body_markdown."
LANGUAGE_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es",
    "español": "es", "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt", "dutch": "nl",
    "nederlands": "nl", "russian": "ru", "ukrainian": "uk", "polish": "pl", "arabic": "ar", "hebrew": "he",
    "chinese": "zh", "japanese": "ja", "korean": "ko", "hindi": "hi", "turkish": "tr", "swedish": "sv",
    "norwegian": "no", "danish": "da", "finnish": "fi",
}  # fmt: skip
LANGUAGE = Language()


def with_hint(fault: Fault, data: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> Fault:
    """Adds to a fault in `data`, an article as sent, what was meant; `names` are the fields by their holder."""
    pointer = fault.pointer or ""
    if len(pointer) > LONGEST_POINTER:
        return fault
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if fault.code == "unknown_field":
        return _hint_at_name(fault, steps, data, names)
    if fault.code == "invalid_type":
        return _hint_at_shape(fault, steps, _value_at(data, steps))
    if fault.code == "invalid_language" and (tag := suggest_language(_value_at(data, steps))) is not None:
        return replace(fault, did_you_mean=tag)
    return fault


def _hint_at_name(
    fault: Fault, steps: Sequence[str], data: Mapping[str, Any], names: Mapping[str, Sequence[str]]
) -> Fault:
    """Adds the field that another system calls by this name, else the known name that is most similar."""
    holder = steps[0] if len(steps) > 1 else ""
    meant = MEANT.get(holder, {}).get(re.sub(r"[\W_]", "", steps[-1].lower()))
    if meant == "external_id" and meant in data:
        # The article was served by a wire, with its `id` there.
        meant = None
    if meant is None:
        return replace(fault, did_you_mean=closest_name(steps[-1], names.get(holder, ())))
    if holder:
        return replace(fault, did_you_mean=meant)
    if meant.startswith("body_"):
        return replace(fault, did_you_mean=meant, detail=BODIES_HINT)
    example = _example_of(meant, data.get(steps[-1]), is_list=meant != "change")
    detail = fault.detail if example is None else f"There is no such field; send {meant}: {example}."
    return replace(fault, did_you_mean=meant, detail=detail)


def _hint_at_shape(fault: Fault, steps: Sequence[str], value: Any) -> Fault:
    """Adds to the fault of a text in place of an object, or of the list of them, what is to be sent instead."""
    if not steps or len(steps) > 2 or not isinstance(value, str | dict):
        return fault
    is_list = len(steps) == 1 and steps[0] != "change"
    if isinstance(value, dict) and not is_list:
        return fault
    if (example := _example_of(steps[0], value, is_list=is_list)) is None:
        return fault
    return replace(fault, detail=f"{fault.detail.rstrip('.')}: {example}.", did_you_mean=example)


def _example_of(name: str, value: Any, *, is_list: bool) -> str | None:
    """The JSON that is wanted for a field, with the value that was sent if it is a short text; None: another field."""
    text = value.strip() if isinstance(value, str) and len(value) <= LONGEST_EXAMPLE else ""
    if name == "keywords":
        found = [part.strip() for part in text.split(",") if part.strip()] or ["shipping", "ports"]
        return printable_text(json.dumps(found, ensure_ascii=False))
    if name not in EXAMPLES:
        return None
    member, other = EXAMPLES[name]
    item = {member: text or other}
    return printable_text(json.dumps([item] if is_list else item, ensure_ascii=False))


def _value_at(data: Any, steps: Sequence[str]) -> Any:
    """The value at the steps of a JSON pointer; None where there is none."""
    for step in steps:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def suggest_language(value: Any) -> str | None:
    """The BCP 47 tag that was meant by a locale of POSIX (en_US.UTF-8), by blanks, or by the name of a language."""
    if not isinstance(value, str) or len(value) > LONGEST_EXAMPLE:
        return None
    text = re.split(r"[.@]", value.strip().casefold())[0]
    text = LANGUAGE_NAMES.get(text, re.sub(r"[\s_-]+", "-", text))
    try:
        tag = LANGUAGE.deserialize(text)
    except ValidationError:
        return None
    return None if tag in (None, value) else tag
