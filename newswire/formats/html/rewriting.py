"""The first pass of the sanitiser over a text: markup whose words a parser would drop, or join to others, becomes other
markup, with the same words, that may stay.

CDATA sections, embedded media, drawings and formulas, form controls, raw text, and blocks that are not on the list.
Nothing here makes a text safe: `sanitise` does that afterwards, whatever this pass lets through.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from typing import NamedTuple

from newswire.formats.html.embeds import EMBEDS, VOID_EMBEDS, Caption, Embed, attribute_values
from newswire.formats.html.text import BLOCKS, UNSPACED, html_to_text
from newswire.formats.html.tokens import ATTRIBUTES, ELEMENTS, REMOVED

# Elements that are not on the list, by the one that takes their place.
DIVISIONS = """
    address center datalist details dialog fieldset form hgroup legend main marquee nav optgroup option search select
    summary
"""
REPLACED = {**dict.fromkeys(DIVISIONS.split(), "div"), "dir": "ul", "menu": "ul", "listing": "pre"}
# Their content is text, not markup (WHATWG HTML 13.1.2), and a reader sees it.
SHOWN_RAW = frozenset({"plaintext", "textarea", "xmp"})
DROPPED_RAW = frozenset({"script", "style", "template"})
ANNOTATIONS = frozenset({"annotation", "annotation-xml"})
RAW_END = {
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*+(?:>|\Z)", re.IGNORECASE)
    for name in SHOWN_RAW | DROPPED_RAW | ANNOTATIONS | {"title"}
}
FOREIGN = frozenset({"math", "svg"})
# An operator between the first and the second child, so that a half is not read as twelve.
OPERATORS = {"mfrac": " / ", "msup": " ^ "}
# Elements that are removed and leave the letters on both sides in one word, as a browser does.
WITHIN_WORDS = """
    acronym amp-anim amp-img base basefont big blink body data font head html image link meta nobr noscript picture
    source strike tt wbr
"""
JOINED = frozenset(WITHIN_WORDS.split())
HOLDERS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "pre"})
# Tags that stay and divide nothing: most of a text, which the pass skips.
PHRASES = ELEMENTS - BLOCKS - HOLDERS - {"br", "td", "th"}
APART = BLOCKS | {"br", "td", "th"}
LONGEST_QUOTED = 300
MOST_QUOTED = 10
LONGEST_CAPTION = 10_000
MOST_CANDIDATES = 10
MOST_LINKS = 1_000

CDATA = "<![CDATA["
TOKEN = re.compile(
    rf"""<!\[CDATA\[|<!--(?:-?>|.*?(?:--!?>|\Z))
    |<(?P<end>/?)(?P<name>[a-z][^\s/>]*+)(?P<attributes>{ATTRIBUTES})(?:>|\Z)
    |<(?:[!?]|/[^a-z])[^>]*+(?:>|\Z)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE | re.ASCII,
)

# Tags of these elements need nothing of this pass; a text that has no others is not read.
UNTOUCHED = ELEMENTS | JOINED | DROPPED_RAW
TAG_NAME = re.compile(r"<([a-z][^\s/>]*+)", re.IGNORECASE)


class Rewritten(NamedTuple):
    """The text after the pass, how many elements of each name it has taken out, and the titles of pages in it."""

    html: str
    removed: Counter[str]
    titles: list[str]


def rewrite_markup(html: str, find_url: Callable[[str], str | None]) -> Rewritten:
    """Rewrites what would lose words; `find_url` makes a URL absolute, or says with None that it leads nowhere.

    Linear in the length of the text, about 2 µs for each tag.
    """
    names = set(TAG_NAME.findall(html))
    if CDATA not in html and (names <= UNTOUCHED or {name.lower() for name in names} <= UNTOUCHED):
        return Rewritten(html, Counter(), [])
    rewriter = Rewriter(find_url)
    rewriter.feed(html)
    return Rewritten(rewriter.finish(), +rewriter.removed, rewriter.titles)


@dataclass
class ForeignElement:
    """An open element of a drawing or a formula."""

    name: str
    children: int = 0


class Rewriter:
    """The state of the pass over one text."""

    def __init__(self, find_url: Callable[[str], str | None]) -> None:
        self.find_url = find_url
        self.removed: Counter[str] = Counter()
        self.titles: list[str] = []
        self.pieces: list[str] = []
        self.html = ""
        self.copied = 0
        # The names of raw elements of which the text has no end tag any more: it is searched for once.
        self.endless: set[str] = set()
        # The last character of text, a space after what divides words; whether a removed tag came after it.
        self.last = " "
        self.is_divided = False
        self.is_in_paragraph = False
        # Open elements that are replaced, and the piece and the end of a start tag that may turn out to be empty.
        self.replaced: Counter[str] = Counter()
        self.blank: tuple[int, int] | None = None
        # The figures that are open, and the piece at which the text of the newest caption begins.
        self.captions: list[Caption] = []
        self.caption_start: int | None = None
        # The embedded media that are open, their links, and when each address was last met.
        self.embeds: list[Embed] = []
        self.open_embeds: Counter[str] = Counter()
        self.links: dict[str, Embed] = {}
        self.addresses: dict[str, int] = {}
        self.met = 0
        # The open elements of a formula with the number of their children, or the drawing that is open.
        self.foreign: list[ForeignElement] = []
        self.is_formula_read = False

    def feed(self, html: str) -> None:
        """Reads a text; the content of a CDATA section is one of its own."""
        self.html, self.copied, position = html, 0, 0
        self.endless, self.blank = set(), None
        while token := TOKEN.search(html, position):
            start, end = token.span()
            if start > position:
                if self.is_divided or self.foreign:
                    self.add_text(position, start)
                else:
                    self.last = html[start - 1]
            if (name := token["name"]) in ELEMENTS and html[end - 1] == ">":
                if self.embeds or name not in PHRASES:
                    self.read_listed(name, token)
                position = end
            else:
                position = self.read_token(token)
        if position < len(html):
            self.add_text(position, len(html))
        self.pieces.append(html[self.copied :])

    def finish(self) -> str:
        """The whole result, with the links of embedded media in their places."""
        self.end_caption(len(self.html))
        while self.embeds:
            self.close_embed(self.embeds.pop())
        for url, embed in self.links.items():
            piece, caption = embed.piece, embed.caption
            if caption and caption.piece is not None and caption.piece < piece:
                piece, embed.is_in_paragraph = caption.piece, False
            self.pieces[piece] += embed.link_html(url)
        return "".join(self.pieces)

    def replace(self, start: int, end: int, piece: str) -> int:
        """Puts `piece` in the place of a part of the text; returns its number."""
        if piece == REMOVED and start == self.copied and self.pieces and self.pieces[-1].startswith(REMOVED):
            self.copied = end
            return len(self.pieces) - 1
        self.pieces += [self.html[self.copied : start], piece]
        self.copied = end
        return len(self.pieces) - 1

    def add_text(self, start: int, end: int) -> None:
        """Reads a text between two tags: where a removed tag stands between two words, a space takes its place."""
        first = self.html[start]
        if self.is_divided and (self.foreign or self._begins_word(first)) and not self.last.isspace():
            self.replace(start, start, " ")
        self.is_divided = False
        self.last = self.html[end - 1]
        if self.foreign and not self.is_formula_read:
            self.is_formula_read = not self.html[start:end].isspace()

    def _begins_word(self, first: str) -> bool:
        if not (first.isalnum() or first == "&") or not (self.last.isalnum() or self.last == ";"):
            return False
        return not (UNSPACED.match(first) or UNSPACED.match(self.last))

    def read_token(self, token: re.Match[str]) -> int:
        """Reads a tag, a comment or the start of a CDATA section; returns where to go on."""
        start, position = token.span()
        if token[0] == CDATA:
            return self.read_section(start, position)
        if not token[0].endswith(">"):
            # A comment or a tag that the text does not end would take in what follows a CDATA section.
            self.replace(start, position, REMOVED)
            return position
        if (name := token["name"]) is None:
            return position
        name = name.lower()
        if name in ELEMENTS:
            self.read_listed(name, token)
        elif name in EMBEDS:
            self.read_embed(name, token)
        elif (name in FOREIGN and not token["end"]) or self.foreign:
            return self.read_foreign(name, token)
        elif name in RAW_END and name not in ANNOTATIONS:
            return self.read_raw(name, token)
        elif name in ("source", "param") and self.embeds:
            self.removed[name] += not token["end"]
            self.embeds[-1].add_child(name, attribute_values(token["attributes"]))
            self.replace(start, position, REMOVED)
        elif name in REPLACED:
            self.read_replaced(name, token)
        elif name not in JOINED:
            # ammonia removes those with the names of drawings and formulas, <text> or <desc>, with their content.
            self.removed[name] += not token["end"]
            self.is_divided = True
            self.replace(start, position, REMOVED)
        return position

    def read_section(self, start: int, position: int) -> int:
        """Reads a CDATA section: markup, as content systems export it; in a drawing or a formula it is text (XML)."""
        outer, endless = self.html, self.endless
        end = outer.find("]]>", position)
        after = len(outer) if end < 0 else end + len("]]>")
        content = outer[position : after if end < 0 else end].replace(CDATA, "")
        self.replace(start, after, REMOVED)
        self.feed(escape(content, quote=False) if self.foreign else content)
        self.pieces.append(REMOVED)
        self.html, self.endless, self.copied, self.blank = outer, endless, after, None
        return after

    def read_listed(self, name: str, token: re.Match[str]) -> None:
        """Reads a tag that stays, for what this pass must know of it."""
        starts = not token["end"]
        if name in HOLDERS:
            self.is_in_paragraph = starts
        elif name in BLOCKS:
            self.is_in_paragraph = False
        if name in APART:
            self.last, self.is_divided = " ", False
            if name in BLOCKS:
                # The parser leaves a drawing at a block of HTML (WHATWG HTML 13.2.6.5).
                self.foreign.clear()
            if name == "figure" or name == "figcaption":
                self.read_figure(name, token)
        if self.embeds and starts and name in ("a", "img"):
            values = attribute_values(token["attributes"])
            if url := self.find_url(values.get("href" if name == "a" else "src", "")):
                self.meet(url)

    def read_figure(self, name: str, token: re.Match[str]) -> None:
        if name == "figure":
            if not token["end"]:
                self.captions.append(Caption())
            elif self.captions:
                self.end_caption(token.start())
                self.captions.pop()
        elif self.captions:
            self.end_caption(token.start())
            if not token["end"]:
                self.captions[-1].piece = self.replace(token.start(), token.start(), "")
                self.caption_start = self.captions[-1].piece

    def end_caption(self, end: int) -> None:
        if self.caption_start is not None:
            self.replace(end, end, "")
            self.captions[-1].text = html_to_text("".join(self.pieces[self.caption_start :])[:LONGEST_CAPTION])
            self.caption_start = None

    def meet(self, url: str) -> None:
        """Notes that the text holds an address."""
        self.addresses[url] = self.met
        self.met += 1

    def read_embed(self, name: str, token: re.Match[str]) -> None:
        """Reads a tag of an embedded medium. Its content is markup, in an `iframe` too, and stays."""
        self.removed[name] += not token["end"]
        piece = self.replace(token.start(), token.end(), REMOVED)
        self.is_divided = True
        if token["end"]:
            while self.open_embeds[name]:
                embed = self.embeds.pop()
                self.close_embed(embed)
                if embed.name == name:
                    break
            return
        attributes, caption = attribute_values(token["attributes"]), self.captions[-1] if self.captions else None
        embed = Embed(name, attributes, piece, self.met, self.is_in_paragraph, caption)
        self.open_embeds[name] += 1
        if name in VOID_EMBEDS or token["attributes"].endswith("/"):
            self.close_embed(embed)
        else:
            self.embeds.append(embed)

    def close_embed(self, embed: Embed) -> None:
        """Leaves a link to what the medium shows, unless its content, or an earlier medium, has one already."""
        self.open_embeds[embed.name] -= 1
        if not embed.is_shown():
            return
        for value in embed.candidates[:MOST_CANDIDATES]:
            if url := self.find_url(value):
                break
        else:
            return
        if self.addresses.get(url, -1) < embed.began and url not in self.links and len(self.links) < MOST_LINKS:
            self.links[url] = embed
        self.meet(url)

    def read_replaced(self, name: str, token: re.Match[str]) -> None:
        """Reads a tag of a block that another element takes the place of; an empty one leaves nothing."""
        self.removed[name] += not token["end"]
        start, end = token.span()
        self.last, self.is_divided, self.is_in_paragraph = " ", False, False
        if not token["end"]:
            self.replaced[name] += 1
            self.blank = self.replace(start, end, f"<{REPLACED[name]}{token['attributes']}>"), end
        elif not self.replaced[name]:
            self.replace(start, end, REMOVED)
        else:
            self.replaced[name] -= 1
            is_blank = self.blank is not None and not self.html[self.blank[1] : start].strip()
            if self.blank is not None and is_blank:
                self.pieces[self.blank[0]] = REMOVED
            self.replace(start, end, REMOVED if is_blank else f"</{REPLACED[name]}>")
            self.blank = None

    def read_foreign(self, name: str, token: re.Match[str]) -> int:
        """Reads a tag of a drawing or a formula, whose elements are removed; a space divides their texts."""
        start, end = token.span()
        is_empty = token["attributes"].endswith("/")
        self.removed[name] += not token["end"] and name in FOREIGN | ANNOTATIONS
        if name in RAW_END and not token["end"] and not is_empty and (name in DROPPED_RAW or self._is_annotation(name)):
            end = self.find_end(name, end)[1]
            self.replace(start, end, REMOVED)
            return end
        piece = REMOVED
        if token["end"]:
            if name in FOREIGN or self.foreign[-1].name == name:
                while self.foreign and self.foreign.pop().name != name:
                    pass
        else:
            if name in FOREIGN:
                self.is_formula_read = False
            elif self.foreign[-1].name in OPERATORS:
                piece = OPERATORS[self.foreign[-1].name] if self.foreign[-1].children == 1 else REMOVED
            if self.foreign:
                self.foreign[-1].children += 1
            if not is_empty and (name in FOREIGN or self.foreign[0].name == "math"):
                self.foreign.append(ForeignElement(name))
        self.is_divided = True
        if name != "image":
            self.replace(start, end, piece)
        return end

    def _is_annotation(self, name: str) -> bool:
        """Whether an element repeats the formula in another notation, for machines."""
        return name in ANNOTATIONS and self.is_formula_read

    def read_raw(self, name: str, token: re.Match[str]) -> int:
        """Reads an element whose content is text for the parser."""
        start, position = token.span()
        self.is_divided = self.is_divided or name not in DROPPED_RAW
        if token["end"]:
            return position
        until, end = (len(self.html), len(self.html)) if name == "plaintext" else self.find_end(name, position)
        if name in DROPPED_RAW:
            if until == len(self.html):
                self.removed[name] += 1
                self.replace(start, end, REMOVED)
            return end
        self.removed[name] += 1
        if until == len(self.html) and name != "plaintext":
            # The end tag was forgotten: what follows is the rest of the article.
            self.replace(start, position, REMOVED)
            return position
        content = self.html[position:until]
        title = " ".join(unescape(content).split())
        if name == "title" and len(title) <= LONGEST_QUOTED and len(self.titles) < MOST_QUOTED:
            self.titles.append(title)
            self.removed[name] -= 1
            self.replace(start, end, REMOVED)
        elif content.strip():
            text = escape(content, quote=False) if name in ("plaintext", "xmp") else content.replace("<", "&lt;")
            self.replace(start, end, f"<div>{text}</div>" if name == "title" else f"<pre>{text}</pre>")
            self.last, self.is_divided, self.is_in_paragraph = " ", False, False
        return end

    def find_end(self, name: str, position: int) -> tuple[int, int]:
        """Where the end tag of a raw element begins and ends; the end of the text where there is none."""
        found = None if name in self.endless else RAW_END[name].search(self.html, position)
        if found is None:
            self.endless.add(name)
            return len(self.html), len(self.html)
        return found.span()
