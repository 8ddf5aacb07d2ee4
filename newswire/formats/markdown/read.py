"""The reader of Markdown: articles in the form of publishers' sites (text/markdown), and the field `body_markdown`.

The form (docs/reference/markdown.md): the headline, a lead picture whose alternative text is caption and credit, one
paragraph a line, at the end a picture and a biography of the author. The HTML of the result is not sanitised.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it.token import Token

from newswire.article import UNCARRIABLE
from newswire.errors import invalid_at
from newswire.formats.corrections import is_correction_line
from newswire.formats.html.text import text_to_html
from newswire.formats.markdown.blocks import COMMONMARK, FORM, WITH_FOOTNOTES, Block, inline_text, is_heavy, read_blocks
from newswire.formats.markdown.bylines import biography_name, bold_name, byline_names, is_biography_of, split_credit
from newswire.formats.markdown.footnotes import has_footnotes
from newswire.formats.markdown.front_matter import MarkdownError, read_front_matter
from newswire.formats.markdown.pasted import cut_pasted
from newswire.formats.strict_json import decode_text

LONGEST_BIOGRAPHY = 1_000
# Four times what the schema allows. A longer line is not parsed, because the schema will refuse it anyway.
LONGEST_HEADLINE = 2_000


def parse_markdown(body: bytes) -> dict[str, Any]:
    """Parses a Markdown document into an article as sent, in the form of our own JSON.

    Raises `validation_failed` with the number of the line.
    """
    text = decode_text(body)
    if found := UNCARRIABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise invalid_at("", "unusable_character", f"Line {line} holds U+{ord(found[0]):04X}, which XML cannot carry.")
    try:
        return read_markdown(text)
    except MarkdownError as error:
        raise invalid_at("", "invalid_markdown", f"Line {error.line}: {error.detail}") from None


def markdown_to_html(markdown: str) -> str:
    """Converts CommonMark with tables and footnotes to HTML that is not sanitised: raw HTML passes unchanged.

    Text with more than 50,000 marks or lines, which could take the parser longer than seconds, is read as plain text.
    Long `data:` URLs of pictures are cut.
    """
    markdown = cut_pasted(markdown)
    if is_heavy(markdown):
        return text_to_html(markdown)
    return str((WITH_FOOTNOTES if has_footnotes(markdown) else COMMONMARK).render(markdown))


def read_markdown(text: str) -> dict[str, Any]:
    """Reads an article in the Markdown form; front matter takes precedence over the text.

    Returns `headline` and, where there are any, `byline`, `body_html` (not sanitised), `images` and `authors`;
    relative URLs stay relative. Raises `MarkdownError`.
    """
    # HTML stays as it was sent: an article whose HTML has pasted pictures was always taken.
    text = cut_pasted(text, attributes=False)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fields, start = read_front_matter(lines)
    headline, start = _read_headline(lines, start, fields.get("headline"))
    start = _skip_notice(lines, start, fields.get("change"))
    if is_heavy(text):
        return {"headline": headline, "body_html": text_to_html("\n".join(lines[start:])), **fields}
    blocks = read_blocks(lines[start:])
    byline = _take_byline(blocks)
    authors = _take_authors(blocks, byline_names(byline or ""))
    article = {
        "headline": headline,
        "byline": byline,
        "body_html": FORM.renderer.render([token for block in blocks for token in block.tokens], FORM.options, {}),
        "images": _list_images(blocks),
        "authors": authors,
    }
    return {**{name: value for name, value in article.items() if value}, **fields}


def _read_headline(lines: Sequence[str], start: int, given: Any) -> tuple[Any, int]:
    """The headline, and the number of the line after it; `given`, that of the front matter, takes precedence."""
    first = next((number for number in range(start, len(lines)) if lines[number].strip()), None)
    line = "" if first is None else lines[first].strip()
    marked = line.startswith("# ")
    written = _plain_headline(line)
    if given is not None:
        return given, first + 1 if first is not None and (marked or written == given) else start
    if first is None or not written:
        raise MarkdownError("The article has no headline: its first line must be one.", (first or start) + 1)
    underlined = first + 1 < len(lines) and re.fullmatch(r"=+|-{2,}", lines[first + 1].strip())
    return written, first + (2 if underlined else 1)


def _skip_notice(lines: Sequence[str], start: int, change: Any) -> int:
    """The number of the line after the notice of a correction, if `write` has put one there; else `start`."""
    first = next((number for number in range(start, len(lines)) if lines[number].strip()), None)
    return first + 1 if first is not None and is_correction_line(lines[first], change) else start


def _plain_headline(line: str) -> str:
    """The plain text of a headline in Markdown; empty for a picture."""
    if len(line) > LONGEST_HEADLINE:
        return line
    return "" if line.startswith("![") else inline_text(FORM.parseInline(re.sub(r"^#\s+(.*?)(?:\s+#+)?$", r"\1", line)))


def _take_byline(blocks: list[Block]) -> str | None:
    """Takes the byline ("By …") out of `blocks`, if it is the first text."""
    first = next((block for block in blocks if block.text), None)
    if first is None or first.tokens[0].type != "paragraph_open" or not byline_names(first.text):
        return None
    byline = first.text
    first.tokens, first.text = [], ""
    return byline


def _take_authors(blocks: list[Block], names: list[str]) -> list[dict[str, str]]:
    """The authors in the byline and in the portraits with biographies at the end, which are taken out of `blocks`."""
    described: list[dict[str, str]] = []
    while author := _author_at_end(blocks, names):
        described.insert(0, author)
        del blocks[-2:]
    while described and blocks and blocks[-1].tokens and blocks[-1].tokens[0].type == "hr":
        del blocks[-1]
    known = {author["name"].casefold(): author for author in described}
    listed = [known.pop(name.casefold(), {"name": name}) for name in names]
    return [*listed, *known.values()]


def _author_at_end(blocks: list[Block], names: list[str]) -> dict[str, str] | None:
    """The author whose portrait and biography end the article; None if they could be a picture and its story."""
    if len(blocks) < 3:
        return None
    *_, portrait, words = blocks
    if portrait.text or len(portrait.pictures) != 1 or words.pictures or words.tokens[0].type != "paragraph_open":
        return None
    if not 0 < len(words.text) < LONGEST_BIOGRAPHY:
        return None
    name = _author_name(inline_text(portrait.pictures), words, names)
    if name is None:
        return None
    return {"name": name, "bio": words.text, "avatar_url": str(portrait.pictures[0].attrs["src"])}


def _author_name(alternative: str, words: Block, names: list[str]) -> str | None:
    if alternative:
        return alternative if alternative in names or is_biography_of(alternative, words.text) else None
    in_byline = next((name for name in names if words.text.casefold().startswith(name.casefold())), None)
    children = [child for child in words.tokens[1].children or [] if child.type != "text" or child.content]
    if in_byline is None and [child.type for child in children[:3]] == ["strong_open", "text", "strong_close"]:
        return bold_name(children[1].content.strip(), inline_text(children[3:]))
    return in_byline or biography_name(words.text)


def _list_images(blocks: list[Block]) -> list[dict[str, str]]:
    """The pictures with their roles: lead above the text, else inline, or gallery in an article without text."""
    found: list[dict[str, str]] = []
    reading = False
    has_text = any(block.text for block in blocks)
    for block in blocks:
        for picture in block.pictures:
            later = "inline" if has_text else "gallery"
            found.append(_image_fields(picture, later if reading or found else "lead"))
        reading = reading or bool(block.text)
    return found


def _image_fields(picture: Token, role: str) -> dict[str, str]:
    """A picture as sent. Its caption is the title (`![…](… "title")`) or, without one, the alternative text."""
    alternative, title = inline_text([picture]), " ".join(str(picture.attrs.get("title") or "").split())
    caption, credit = split_credit(title or alternative)
    described = {"caption": caption, "credit": credit, "alt_text": alternative if title else None}
    found = {"url": str(picture.attrs["src"]), "role": role}
    return {**found, **{name: value for name, value in described.items() if value}}
