"""Conversion between text and HTML: the plain text of a body, its word count, and paragraphs from plain text.

Which elements a body may have is decided in `sanitise`.
"""

import html as entities
import re
from itertools import groupby, pairwise

import regex

from newswire.article import UNCARRIABLE
from newswire.formats.html.tokens import TOKEN

APART = """
    address article aside blockquote caption center dd div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul
"""
BLOCKS = frozenset(APART.split())
# Ruby readings are left out: in the text they would split the words that they annotate.
UNREAD = frozenset({"rt", "rp"})
HTML_SPACE = regex.compile(r"[ \t\n\f\r]+")

# Letters and digits, joined by apostrophes and hyphens, by points and commas between digits, and by the quotation
# mark inside a Hebrew abbreviation.
WORD = regex.compile(
    r"""[\p{L}\p{M}\p{N}]+
    (?:(?:['’ʼ׳״\u200c\u200d-]|(?<=\p{N})[.,:](?=\p{N})|(?<=\p{Hebrew})"(?=\p{Hebrew}))[\p{L}\p{M}\p{N}]+)*""",
    regex.VERBOSE,
)
# The same for text that is ASCII alone, in a third of the time.
ASCII_WORD = re.compile(r"[a-z0-9]+(?:(?:['-]|(?<=[0-9])[.,:](?=[0-9]))[a-z0-9]+)*", re.IGNORECASE)
# A quick test: these ranges contain every script without spaces, and others.
EASTERN = re.compile("[\u0e00-\u1fff\u2e80-\U0010ffff]")
UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
IDEOGRAPH = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]")
UNSPACED_LETTER = regex.compile(r"(?=\p{L})[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
LETTERS_OF_A_WORD = 4

WIDEST_WIRE = 80
NARROWEST_WIRE = 30
SENTENCE_ENDS = ".!?。！？"
INDENTED = regex.compile(r"(?: {3,}|\t)\s*\S")
# A novel has fewer. A million paragraphs would take every later parser of the body minutes.
MOST_BLOCKS = 20_000
# Wrapped text has lines of more than twenty characters, so 2 MiB of it have fewer.
MOST_LINES = 100_000
TABULAR = regex.compile(r"\S {3,}\S")


class TextBlocks:
    """A builder of text blocks that collapses white space as a browser does."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.pieces: list[str] = []
        self.is_divided = False

    def add(self, text: str, preformatted: bool) -> None:
        if not preformatted:
            text = HTML_SPACE.sub(" ", text)
            if not self.pieces or self.pieces[-1][-1] in " \n\t":
                text = text.removeprefix(" ")
        if text:
            if self.is_divided and self.pieces and self.pieces[-1][-1].isalnum() and text[0].isalnum():
                self.pieces.append(" ")
            self.is_divided = False
            self.pieces.append(text)

    def divide(self, divider: str) -> None:
        """Ends a line or a table cell within the block."""
        if self.pieces:
            last = self.pieces.pop().rstrip(" ")
            self.pieces += [last, divider] if last else [divider]

    def end(self, preformatted: bool) -> None:
        text = "".join(self.pieces)
        if text := text.strip("\n").rstrip() if preformatted else text.strip():
            self.finished.append(text)
        self.pieces = []
        self.is_divided = False


def html_to_text(html: str) -> str:
    """The plain text of sanitised `html`: a blank line between blocks, a newline for `<br>`, a tab between cells.

    Captions are included, alternative texts and ruby readings are not. Entities are decoded.
    """
    blocks = TextBlocks()
    position = 0
    unread = preformatted = False
    for token in TOKEN.finditer(html):
        if not unread and position < token.start():
            blocks.add(entities.unescape(html[position : token.start()]), preformatted)
        position = token.end()
        name, starts = (token["name"] or "").lower(), not token["end"]
        if name in BLOCKS:
            blocks.end(preformatted)
            preformatted = name == "pre" and starts
            unread = False
        elif name in UNREAD:
            unread = starts
        elif name == "img":
            blocks.is_divided = True
        elif name == "br":
            blocks.divide("\n")
        elif name in ("td", "th") and starts:
            blocks.divide("\t")
    blocks.add(entities.unescape(html[position:]), preformatted)
    blocks.end(preformatted)
    return "\n\n".join(blocks.finished)


def count_words(text: str) -> int:
    """Counts words.

    In scripts with spaces as a person would: "don't", "well-known", "1,000.5" and צה"ל are one word each. In scripts
    without spaces each Han or kana character is a word, and every four letters of Thai, Lao, Khmer or Burmese, rounded
    up.
    """
    if text.isascii():
        return len(ASCII_WORD.findall(text))
    if not EASTERN.search(text):
        return len(WORD.findall(text))
    letters = len(UNSPACED_LETTER.findall(text))
    spaced = WORD.findall(UNSPACED.sub(" ", text))
    return len(IDEOGRAPH.findall(text)) + -(-letters // LETTERS_OF_A_WORD) + len(spaced)


def text_to_html(text: str) -> str:
    """Converts plain text to HTML paragraphs, escaped.

    Text that is wrapped at up to 80 columns, as on a teleprinter wire, is joined: there a blank or indented line starts
    a paragraph, and tables become `<pre>`. In any other text each line is a paragraph. More than 20,000 paragraphs
    become one `<pre>`, and so do more than 100,000 lines.
    """
    lines = UNCARRIABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    if len(lines) > MOST_LINES and sum(map(bool, map(str.strip, lines))) > MOST_LINES:
        return _preformatted_html(lines)
    blocks = (
        _wrapped_blocks(lines) if _is_wrapped(lines) else [_paragraph_html([line]) for line in lines if line.strip()]
    )
    return "\n".join(blocks) if len(blocks) <= MOST_BLOCKS else _preformatted_html(lines)


def _wrapped_blocks(lines: list[str]) -> list[str]:
    """The paragraphs and tables of wrapped `lines`, as HTML."""
    blocks = []
    for tabular, group in groupby(lines, lambda line: bool(TABULAR.search(line))):
        block = list(group)
        if tabular and len(block) > 1:
            blocks.append(_preformatted_html(block))
        else:
            blocks += [_paragraph_html(lines_of_one) for lines_of_one in _wrapped_paragraphs(block)]
    return blocks


def _is_wrapped(lines: list[str]) -> bool:
    """Whether `lines` were wrapped at a column width, and not broken where a paragraph ends."""
    filled = [line for line in lines if line.strip()]
    width = max(map(len, filled), default=0)
    if sum(len(line) > WIDEST_WIRE for line in filled) * 20 > len(filled):
        return False
    if any(INDENTED.match(line) for line in filled[1:]):
        return True
    # A line is full if the first word of the next one would not have fitted. Most lines of wrapped text are full.
    pairs = [(line, following) for line, following in pairwise(lines) if line.strip() and following.strip()]
    full = sum(
        len(line) + len(following.split()[0][:15]) >= width * 0.75 and line.rstrip()[-1] not in SENTENCE_ENDS
        for line, following in pairs
    )
    return width >= NARROWEST_WIRE and bool(pairs) and full >= len(pairs) * 0.7


def _wrapped_paragraphs(lines: list[str]) -> list[list[str]]:
    paragraphs: list[list[str]] = []
    open_paragraph = False
    for line in lines:
        if not line.strip():
            open_paragraph = False
        elif open_paragraph and not line[0].isspace():
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
            open_paragraph = True
    return paragraphs


def _paragraph_html(lines: list[str]) -> str:
    """A paragraph of joined lines; between letters of scripts without spaces none is put in."""
    text = ""
    for line in map(str.strip, lines):
        unspaced = text and line and UNSPACED.match(text[-1]) and UNSPACED.match(line[0])
        text += line if not text or unspaced else f" {line}"
    return f"<p>{entities.escape(text, quote=False)}</p>"


def _preformatted_html(lines: list[str]) -> str:
    """A `<pre>` of `lines`, unchanged."""
    text = "\n".join(lines).strip("\n")
    return f"<pre>{entities.escape(text, quote=False)}</pre>"
