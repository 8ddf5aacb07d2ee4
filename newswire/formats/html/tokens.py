"""The tokens of HTML: the elements that a body may have, the pattern of a tag, and the guard against documents that
would take a parser minutes.

What becomes of the elements that may not stay is decided in `rewriting` and `sanitise`; `text` converts markup to text.
"""

import re
from collections.abc import Set
from html import unescape

LISTED = """
    p h1 h2 h3 h4 h5 h6 blockquote pre hr br div section article aside header footer
    ul ol li dl dt dd figure figcaption img table caption colgroup col thead tbody tfoot tr th td
    a span em strong b i u s small mark sub sup del ins code kbd samp var
    abbr bdi bdo cite dfn q time ruby rt rp
"""
ELEMENTS = frozenset(LISTED.split())
VOID = frozenset({"br", "col", "hr", "img", "wbr"})
CELLS = frozenset({"caption", "td", "th"})
TABLE_PARTS = CELLS | {"col", "colgroup", "table", "tbody", "tfoot", "thead", "tr"}
# These are removed together with their content, which no reader of a page sees in it.
HOLLOWED = frozenset({"script", "style", "template", "title"})
REMOVED = "<!---->"
"""What is left of a tag: without it the text on both sides could form a new one."""
RAW = HOLLOWED | {"noscript", "plaintext", "textarea", "xmp"}

# Attributes as the HTML tokenizer reads them (WHATWG HTML 13.2.5.32 and following). All quantifiers are possessive, and
# an open quotation may end with the text, so that no input makes the pattern backtrack: it takes linear time.
NAME = r"[^\s/>][^\s/>=]*+"
VALUE = r"""(?:\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>"'][^\s>]*+)?+)?+"""
ATTRIBUTES = rf"(?:[\s/]++|{NAME}{VALUE})*+"
ATTRIBUTE_NAME = re.compile(f"({NAME}){VALUE}", re.ASCII)
TOKEN = re.compile(
    rf"""<!--(?:-?>|.*?(?:--!?>|\Z))
    |<(?=[{"".join(sorted({name[0] for name in RAW}))}][{"".join(sorted({name[1] for name in RAW}))}])
        (?P<hollowed>{"|".join(sorted(RAW))})(?=[\s/>]){ATTRIBUTES}(?:>|\Z)
        .*?(?:</(?P=hollowed)(?=[\s/>])[^>]*+(?:>|\Z)|\Z)
    |<(?P<end>/?)(?P<name>[a-z][^\s/>]*+)(?P<attributes>{ATTRIBUTES})(?:>|\Z)
    |<(?:[!?]|/[^a-z])[^>]*+(?:>|\Z)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE | re.ASCII,
)

NOSCRIPT_TAGS = re.compile(rf"\A<noscript{ATTRIBUTES}>?|</noscript[\s/]?[^>]*+>?\Z", re.IGNORECASE | re.ASCII)
MOST_ESCAPED = 1_000

# An HTML parser takes time, and with unclosed <b lang=…> memory too, in proportion to tags times depth:
# 200 kB of nothing but <div> took it 5 s. News stays under 180,000 (a Wikipedia page of 400 kB).
SMALL = 500
SMALL_LENGTH = 50_000
MOST_WORK = 1_000_000
# The parser moves every node that is in a table but outside its cells to before the table, and each time searches the
# table's siblings: 400,000 times <br>x took it minutes.
MOST_MOVES = 2_000_000_000
# ammonia copies a text or a value at every ampersand and every character from U+0080 to U+00BF in it (a million
# no-break spaces took it 47 s), and compares every attribute with all before it. So <wbr>, which is removed again,
# divides long texts, even where the parser moves them out of a table; and an overlong tag loses its attributes.
LONGEST_TAG = 10_000
COPYING = "[&\x80-\xbf]"
MOST_COPYING = 500
MANY_COPYING = re.compile(f"(?:{COPYING}[^&\x80-\xbf]*+){{{MOST_COPYING}}}(?={COPYING})")
COPIED = re.compile(COPYING)
LONG_TAG = re.compile(f"<[^>]{{{LONGEST_TAG - 1}}}")

NOSCRIPT = re.compile(r"<noscript(?=[\s/>])", re.IGNORECASE)
# The tags in a `noscript` that go: its own, and those of the pictures, which were taken out of it before.
PICTURE_TAGS = re.compile(r"</?(?:amp-img|img|noscript|picture|source)(?=[\s/>])[^>]*+(?:>|\Z)", re.IGNORECASE)


def is_small(html: str) -> bool:
    """Whether `html` is so small that it cannot take a parser long, whatever its content."""
    return len(html) <= SMALL_LENGTH and html.count("<") <= SMALL


def keep_only_elements(elements: Set[str], html: str) -> str:
    """Removes all comments, declarations and tags except the tags of `elements`.

    `TOKEN` and a real parser read the result alike, so that its nesting can be judged without a parser. An empty
    comment takes the place of each removal: otherwise the text on both sides could form a new tag.
    """
    pieces = []
    position = copied = undivided = 0
    is_crowded = _has_much_copying(html)
    for token in TOKEN.finditer(html):
        start, end = token.span()
        if is_crowded:
            undivided += len(COPIED.findall(html, position, start))
        elif token["name"] in elements and end - start <= LONGEST_TAG:
            # Most tags stay: the text is copied in long pieces.
            continue
        text = html[copied:start]
        if undivided > MOST_COPYING:
            text = MANY_COPYING.sub(r"\g<0><wbr>", text) + "<wbr>"
            undivided = 0
        pieces += [text, _kept_tag(elements, token)]
        position = copied = end
    rest = html[copied:]
    return "".join([*pieces, MANY_COPYING.sub(r"\g<0><wbr>", rest) if is_crowded else rest])


def _kept_tag(elements: Set[str], token: re.Match[str]) -> str:
    name = (token["name"] or "").lower()
    if name not in elements:
        return REMOVED
    return token[0] if len(token[0]) <= LONGEST_TAG else f"<{token['end']}{name}>"


def _has_much_copying(html: str) -> bool:
    encoded = html.encode()
    # In UTF-8 the characters from U+0080 to U+00BF begin with this byte, and no others do.
    return encoded.count(b"&") + encoded.count(b"\xc2") > MOST_COPYING


def is_divided(clean: str) -> bool:
    """Whether `keep_only_elements` would leave the output of ammonia, in which only tags have angle brackets, as is."""
    return not _has_much_copying(clean) and not LONG_TAG.search(clean)


def is_tangled(html: str) -> bool:
    """Whether parsing `html`, the result of `keep_only_elements`, could take too long.

    The estimate is pessimistic: an end tag closes an element only where that is the innermost open one.
    """
    most = html.count("<")
    if most * (most - html.count("</")) <= MOST_WORK and most * len(html) <= MOST_MOVES:
        # Not even with every start tag inside of the one before.
        return False
    count = deepest = 0
    open_elements: list[str] = []
    for token in TOKEN.finditer(html):
        if not (name := token["name"]):
            continue
        count += 1
        if not token["end"]:
            if name.lower() not in VOID:
                open_elements.append(name.lower())
                deepest = max(deepest, len(open_elements))
        elif open_elements and open_elements[-1] == name.lower():
            open_elements.pop()
    return count * deepest > MOST_WORK or count * _count_misplaced(html) > MOST_MOVES


def _count_misplaced(html: str) -> int:
    """An upper bound of the tags and characters in tables of `html` but outside of cells."""
    if "<table" not in html.lower():
        return 0
    moved = position = 0
    in_cell: list[bool] = []
    for token in TOKEN.finditer(html):
        name = (token["name"] or "").lower()
        if in_cell and not in_cell[-1]:
            moved += len(html[position : token.start()].strip(" \t\n\r")) + (name not in TABLE_PARTS)
        position = token.end()
        if name == "table":
            if token["end"]:
                del in_cell[-1:]
            else:
                in_cell.append(False)
        elif in_cell and name in TABLE_PARTS:
            in_cell[-1] = name in CELLS and not token["end"]
    return moved + (len(html) - position if in_cell and not in_cell[-1] else 0)


def noscript_markup(element: str) -> str:
    """The markup in a `noscript`, as `TOKEN` matches it: scripts that load pictures late write a little, escaped."""
    content = NOSCRIPT_TAGS.sub("", element)
    is_escaped = "<" not in content and "&gt;" in content and content.count("&lt;") <= MOST_ESCAPED
    return unescape(content) if is_escaped else content


def unwrap_noscripts(html: str) -> tuple[str, int]:
    """Leaves of each `noscript` its text and markup; returns the text, and how many there were."""
    if not NOSCRIPT.search(html):
        return html, 0
    pieces, position, number = [], 0, 0
    for token in TOKEN.finditer(html):
        if (token["hollowed"] or "").lower() == "noscript":
            pieces += [html[position : token.start()], " ", PICTURE_TAGS.sub(REMOVED, noscript_markup(token[0])), " "]
            position, number = token.end(), number + 1
    return "".join([*pieces, html[position:]]), number
