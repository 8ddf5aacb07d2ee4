"""The plain fields of an article: which they are, their cleaning, and its warnings.

They are those that the contract names and no others: biographies, rights and codes stay as they were sent. The cleaning
of one text is in `newswire.plain_text`, the sanitising of bodies in `publishing.draft`. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from newswire.article import ArticleWarning
from newswire.errors import Fault
from newswire.plain_text import PlainText, read_plain_text

PLAIN_FIELDS = ("headline", "slugline", "summary", "byline", "dateline", "section", "editor_note")
PLAIN_PARTS: Mapping[str, tuple[str, ...]] = {
    "subjects": ("name",), "places": ("name",), "authors": ("name",), "images": ("caption", "alt_text", "credit"),
}  # fmt: skip
"""The plain members of the objects in lists. `keywords`, a list of plain texts, and `change.note` are plain as well."""
OF_LINES = frozenset({"summary", "editor_note", "caption", "alt_text", "note"})
"""The plain fields that may have several lines."""
REQUIRED = frozenset({("headline",), ("keywords",), ("places", "name"), ("authors", "name")})
MOST_WARNINGS = 20
MOST_NAMED, LONGEST_NAMED = 3, 40
BLANK = "Must not be blank; without its markup it is."


class PlainSlot(NamedTuple):
    """A plain text in the fields of an article: `holder[key]`; `path` leads to it."""

    holder: Any
    key: Any
    path: tuple[Any, ...]

    @property
    def pointer(self) -> str:
        return "".join(f"/{step}" for step in self.path)

    @property
    def has_lines(self) -> bool:
        return self.path[-1] in OF_LINES

    def is_required(self) -> bool:
        if self.path[0] == "change":
            return bool(self.holder.get("type") == "correction")
        return tuple(step for step in self.path if isinstance(step, str)) in REQUIRED


def clean_plain_fields(fields: dict[str, Any]) -> tuple[list[ArticleWarning], list[Fault]]:
    """Makes the plain fields of an article plain text, in place; returns warnings, and faults of required blank ones.

    `fields` are the valid ones of an article, as `schemas.article` loads them; others may have been refused. A field
    that is blank without its markup becomes None, as if it had been sent blank.
    """
    changed, faults = list[tuple[str, PlainText]](), list[Fault]()
    for slot in _marked_slots(fields):
        text = slot.holder[slot.key]
        plain = read_plain_text(text, lines=slot.has_lines)
        if plain.text == text:
            continue
        slot.holder[slot.key] = plain.text or None
        changed.append((slot.pointer, plain))
        if not plain.text and slot.is_required():
            faults.append(Fault("required", BLANK, pointer=slot.pointer))
    return list(_list_warnings(changed)), faults


def _may_have_markup(text: Any) -> bool:
    """Whether a value is a text with one of the two characters with which markup begins; nearly all have neither."""
    return isinstance(text, str) and ("&" in text or "<" in text)


def _marked_slots(fields: dict[str, Any]) -> Iterator[PlainSlot]:
    """The plain texts of the article in which there may be markup, in the order of its fields."""
    for name in PLAIN_FIELDS:
        if _may_have_markup(fields.get(name)):
            yield PlainSlot(fields, name, (name,))
    keywords = fields.get("keywords") or ()
    for position, keyword in enumerate(keywords):
        if _may_have_markup(keyword):
            yield PlainSlot(keywords, position, ("keywords", position))
    for name, parts in PLAIN_PARTS.items():
        for position, item in enumerate(fields.get(name) or ()):
            # An item that was refused is None.
            for part in parts if item else ():
                if _may_have_markup(item.get(part)):
                    yield PlainSlot(item, part, (name, position, part))
    change = fields.get("change")
    if change and _may_have_markup(change.get("note")):
        yield PlainSlot(change, "note", ("change", "note"))


def _list_warnings(changed: list[tuple[str, PlainText]]) -> Iterator[ArticleWarning]:
    """A warning for each field that was changed, at most `MOST_WARNINGS`; the last one counts the others."""
    for number, (pointer, plain) in enumerate(changed):
        if number == MOST_WARNINGS - 1 and len(changed) > MOST_WARNINGS:
            detail = f"Markup was taken from this field and {len(changed) - number - 1:,} more."
            yield ArticleWarning(pointer=pointer, code="plain_text", detail=detail)
            return
        done = [
            *([f"decoded {_name_some(plain.entities)}"] if plain.entities else ()),
            *([f"removed {_name_some(plain.tags)}"] if plain.tags else ()),
        ]
        yield ArticleWarning(pointer=pointer, code="plain_text", detail=f"This field is plain text: {', '.join(done)}.")


def _name_some(markup: Iterable[str]) -> str:
    """The first few different ones, shortened, and the number of the others."""
    found = [*dict.fromkeys(markup)]
    shown = [each if len(each) <= LONGEST_NAMED else f"{each[: LONGEST_NAMED - 1]}…" for each in found[:MOST_NAMED]]
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    return f"{', '.join(shown)}{more}"
