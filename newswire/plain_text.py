"""Plain text from text that carries remains of HTML: entities are decoded, tags that pair as formatting are removed.

It is for fields that are plain text by contract, such as headlines, whose senders often have them as HTML. Text *about*
markup must stay, so this is no parser of HTML: a tag counts only where it is closed and only formats. The markup of
bodies is in `formats.html`; which fields are plain is in `publishing.plain_fields`.

The result is stable: read again, it is the same. So an article that was served can be sent back. For that formatting
tags are removed as well where they were escaped, and an entity stays where decoding it would leave another one.
"""

import re
from html import unescape
from html.entities import html5
from typing import NamedTuple

from newswire.article import UNCARRIABLE

# Entities need their semicolon: "AT&T", "R&D" and "&copy" are text. HTML's longest name has 31 characters.
ENTITY = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{1,31});")
# A tag as the HTML standard writes it (13.1.2). A value in quotation marks may hold ">", none may hold "<": so the
# search from each "<" ends at the next one, and a text of nothing but beginnings of tags takes linear time.
TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]{0,14})(?:[ \t\n\f\r/](?:[^<>"']++|"[^"<]*"|'[^'<]*'|["'])*+)?+>""")
INLINE = """
    a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time
    tt u var
"""
APART = """
    address article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup li
    main nav ol p pre section table tbody td tfoot th thead tr ul
"""
BREAKS = frozenset({"br", "wbr"})
"""Elements without an end tag that only format; they are removed wherever they are."""
VOID = BREAKS | {"hr", "img"}
"""They are removed from a text that has pairs of tags as well, because that is HTML."""
SEPARATING = frozenset(APART.split()) | {"br", "hr", "img"}
PAIRED = frozenset(INLINE.split()) | frozenset(APART.split())
ROUNDS = 3
"""Removing tags can join the text around them to another tag; a text that needs more rounds stays as it is."""


class PlainText(NamedTuple):
    """A text without its remains of HTML; `entities` were decoded, `tags` removed, each as it was written."""

    text: str
    entities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def read_plain_text(text: str, *, lines: bool = False) -> PlainText:
    """Reads a text as plain text; a text without markup is returned unchanged.

    Where tags of blocks and line breaks were, words are separated by a blank, or with `lines` by a line feed. White
    space is put in order as `schemas.fields.Text` does it.
    """
    if "&" not in text and "<" not in text:
        return PlainText(text)
    bare, tags = _remove_tags(_tidy(text, lines), lines)
    if bare is None:
        return PlainText(text)
    whole, entities = _decode_entities(bare, lines)
    if not entities:
        return PlainText(whole, (), tuple(tags)) if tags else PlainText(text)
    shown, more = _remove_tags(whole, lines)
    if more and shown is not None:
        # Decoding has shown formatting: the text is HTML that was escaped, and has entities of its own.
        whole, _ = _decode_entities(shown, lines)
        shown, _ = _remove_tags(whole, lines)
    if shown == whole and not any(map(_entity_characters, ENTITY.findall(whole))):
        return PlainText(whole, tuple(entities), (*tags, *more))
    # It would be read in another way the next time.
    whole, entities = _decode_entities(bare, lines, harmless=True)
    return PlainText(whole, tuple(entities), tuple(tags)) if entities or tags else PlainText(text)


def plain_value(text: str) -> str:
    """The text of `read_plain_text` alone, on one line; a text of nothing but markup stays as it is."""
    return read_plain_text(text).text or text


def _remove_tags(text: str, lines: bool) -> tuple[str | None, list[str]]:
    """The text without formatting tags, and these; None for the text if there are still some after `ROUNDS`."""
    removed: list[str] = []
    for _ in range(ROUNDS):
        tags = _formatting_tags(text)
        if not tags:
            return text, removed
        removed += [tag[0] for tag in tags]
        text = _cut_out(text, tags, "\n" if lines else " ")
    return (None if _formatting_tags(text) else text), removed


def _formatting_tags(text: str) -> list[re.Match[str]]:
    """The tags that format: those of known elements that pair, and with them those of elements without an end tag."""
    if "<" not in text:
        return []
    opened: dict[str, list[re.Match[str]]] = {}
    paired: list[re.Match[str]] = []
    void: list[re.Match[str]] = []
    for tag in TAG.finditer(text):
        name = tag[2].lower()
        if name in VOID:
            void.append(tag)
        elif name in PAIRED and not tag[1]:
            opened.setdefault(name, []).append(tag)
        elif opened.get(name):
            # Not by nesting: <b><i>wrong</b></i> formats as well.
            paired += [opened[name].pop(), tag]
    return sorted(paired + [tag for tag in void if paired or tag[2].lower() in BREAKS], key=re.Match.start)


def _cut_out(text: str, tags: list[re.Match[str]], separator: str) -> str:
    """The text without these tags, in parts that are joined by the separator where a tag was that separates."""
    parts, pieces, position = list[str](), list[str](), 0
    for tag in tags:
        pieces.append(text[position : tag.start()])
        position = tag.end()
        if tag[2].lower() in SEPARATING:
            parts.append("".join(pieces).strip())
            pieces = []
    parts.append("".join([*pieces, text[position:]]).strip())
    return separator.join(filter(None, parts))


def _decode_entities(text: str, lines: bool, *, harmless: bool = False) -> tuple[str, list[str]]:
    """The text, tidied, with its entities decoded once, and these entities.

    With `harmless` only those that stand for visible characters outside of ASCII: they cannot become a part of a tag
    or of another entity.
    """
    decoded: list[str] = []

    def characters_of(found: re.Match[str]) -> str:
        characters = _entity_characters(found[0])
        if not characters or (harmless and any(each.isascii() or each.isspace() for each in characters)):
            return found[0]
        decoded.append(found[0])
        return characters

    return _tidy(ENTITY.sub(characters_of, text), lines), decoded


def _entity_characters(entity: str) -> str | None:
    """The characters that an entity stands for; None if it is unknown, or for what XML cannot carry.

    `html.unescape` decodes numbers as the standard says, &#146; as in windows-1252. Of a name that it does not know it
    would decode the beginning: &notit; is no &not;.
    """
    characters = unescape(entity) if entity[1] == "#" else html5.get(entity[1:])
    return None if not characters or characters == "\ufffd" or UNCARRIABLE.search(characters) else characters


def _tidy(text: str, lines: bool) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip() if lines else " ".join(text.split())
