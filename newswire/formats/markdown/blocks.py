"""The blocks of a Markdown article: paragraphs, lists, quotes …, each with its pictures taken out.

Which block is a byline or a biography is decided in `read`.
"""

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from newswire.formats.markdown.footnotes import add_footnotes

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
LIST_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?:\s|$)")
TABLE_RULE = re.compile(r" {0,3}\|?\s*+:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+\|?\s*+")
OPEN_PICTURE = re.compile(r"!\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*+$")
MOST_LINES_OF_ALT = 5
# In the worst case the parser takes about 25 µs for each bracket, list item or line, so a few seconds for this many.
# Long articles have 1,000.
MARKS = re.compile(r"[\[\]*_`<!&|\\~]|(?<!\S)(?:[-+]|\d{1,9}[.)])(?!\S)")
MOST_MARKS = MOST_LINES = 50_000
# Elements that are removed if a picture was their only content.
HOLDERS = ("paragraph", "list_item", "bullet_list", "ordered_list", "blockquote", "heading", "link", "em", "strong")


class MarkdownParser(MarkdownIt):
    """CommonMark with tables, whose cells carry no alignment: the sanitiser would remove it with a warning."""

    def validateLink(self, url: str) -> bool:
        """Accepts every URL: the sanitiser checks them, and warns of those that it removes."""
        return True

    def parse(self, src: str, env: MutableMapping[str, Any] | None = None) -> list[Token]:
        tokens = super().parse(src, env)
        for token in tokens:
            if token.type in ("th_open", "td_open"):
                token.attrs.pop("style", None)
        return tokens


COMMONMARK = MarkdownParser("commonmark").enable(["table", "strikethrough"])
WITH_FOOTNOTES = add_footnotes(MarkdownParser("commonmark").enable(["table", "strikethrough"]))
# In an article a line of dashes is a divider and no heading, and an indented line is a paragraph and no code. It has no
# footnotes: what it makes of a document is "the article as sent", which must stay the same for the same document.
FORM = MarkdownParser("commonmark").enable(["table", "strikethrough"]).disable(["lheading", "code"])


def is_heavy(markdown: str) -> bool:
    """Whether parsing `markdown` could take longer than a few seconds."""
    return markdown.count("\n") > MOST_LINES or len(MARKS.findall(markdown)) > MOST_MARKS


@dataclass
class Block:
    """A paragraph, list, quote …: its tokens without pictures, its pictures, and its plain text."""

    tokens: list[Token]
    pictures: list[Token]
    text: str


def read_blocks(lines: Sequence[str]) -> list[Block]:
    """Parses the lines of an article into blocks; each line of text is a paragraph of its own."""
    blocks = []
    tokens: list[Token] = []
    for token in FORM.parse("\n".join(_with_blank_lines(_one_line_pictures(lines)))):
        tokens.append(token)
        if token.level == 0 and token.nesting <= 0:
            blocks.append(_without_pictures(tokens))
            tokens = []
    return [block for block in blocks if block.tokens or block.pictures]


def _one_line_pictures(lines: Sequence[str]) -> Iterator[str]:
    """Joins the lines of each picture whose alternative text is wrapped, five lines at most."""
    number = 0
    while number < len(lines):
        line, end = lines[number], number + 1
        while OPEN_PICTURE.search(line) and end - number < MOST_LINES_OF_ALT and "".join(lines[end : end + 1]).strip():
            line, end = f"{line.rstrip()} {lines[end].strip()}", end + 1
        if OPEN_PICTURE.search(line):
            line, end = lines[number], number + 1
        yield line
        number = end


def _with_blank_lines(lines: Iterable[str]) -> Iterator[str]:
    """Puts a blank line between lines that Markdown would join to one paragraph."""
    fence = kind = line = ""
    for following in lines:
        previous, last, line = kind, line, following
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        else:
            kind = _line_kind(line, last, previous)
            if kind and previous and kind != "rule" and (kind != previous or kind == "text"):
                yield ""
            if kind == "fence":
                fence = FENCE.match(line)[1]  # type: ignore[index]
            kind = "table" if kind == "rule" else kind
        yield line


def _line_kind(line: str, last: str, previous: str) -> str:
    """The kind of block that a line belongs to; "" for a blank line, "rule" for the line below the head of a table."""
    if not line.strip():
        return ""
    if FENCE.match(line):
        return "fence"
    if LIST_ITEM.match(line) or (previous == "list" and line[0].isspace()):
        return "list"
    if line.lstrip().startswith(">"):
        return "quote"
    if "|" in line and previous == "table":
        return "table"
    return "rule" if "|" in line and "|" in last and previous == "text" and TABLE_RULE.fullmatch(line) else "text"


def _without_pictures(tokens: list[Token]) -> Block:
    pictures: list[Token] = []
    for token in tokens:
        if token.children:
            taken = [child for child in token.children if _has_address(child)]
            if taken:
                pictures += taken
                rest = _without_empty([child for child in token.children if not _has_address(child)])
                token.children = rest if inline_text(rest) else []
    text = inline_text(tokens)
    if pictures:
        tokens = _without_empty([token for token in tokens if token.type != "inline" or token.children])
    return Block(tokens, pictures, text)


def _has_address(token: Token) -> bool:
    """Whether a token is a picture that can be one of `images`; a pasted one stays in the text for the sanitiser."""
    return token.type == "image" and not str(token.attrs.get("src", "")).lower().startswith("data:")


def _without_empty(tokens: Iterable[Token]) -> list[Token]:
    kept: list[Token] = []
    for token in tokens:
        if token.type.endswith("_close") and token.type[:-6] in HOLDERS and kept and kept[-1].nesting == 1:
            kept.pop()
        else:
            kept.append(token)
    return kept


def inline_text(tokens: Iterable[Token]) -> str:
    """The plain text of `tokens`, on one line without repeated spaces."""

    def parts(tokens: Iterable[Token]) -> Iterator[str]:
        for token in tokens:
            if token.type in ("softbreak", "hardbreak"):
                yield " "
            elif token.children is not None:
                yield from parts(token.children)
            elif token.nesting == 0:
                yield token.content

    return " ".join("".join(parts(tokens)).split())
