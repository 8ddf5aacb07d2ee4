"""Markup that was escaped twice: a body whose whole text is the source of HTML.

Content systems send it by mistake, and a reader sees tags. An article *about* HTML has such text too, so only a text
that cannot be prose is taken for markup.
"""

import re
from html import unescape

from newswire.formats.html.tokens import TOKEN

BLOCKS_WITH_TEXT = """
    article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header li main ol p pre
    section table tbody td tfoot th thead tr ul
"""
ENCLOSING = frozenset(BLOCKS_WITH_TEXT.split())
# Between words a tag stands as a word does: "<p> begins a paragraph".
PROSE = re.compile(r"[ \xa0]+[^\s<]")


def unescape_markup(html: str) -> str | None:
    """The markup that is the whole text of sanitised `html`; None where it is not.

    There it has no tag, all its text is inside of block elements, these are closed as they were opened, and no word
    is divided from their start tags by a space.
    """
    if "<" in html or "&lt;" not in html:
        return None
    markup = unescape(html)
    return markup if _is_all_in_blocks(markup) else None


def _is_all_in_blocks(markup: str) -> bool:
    opened: list[str] = []
    position = 0
    has_text = False
    for token in TOKEN.finditer(markup):
        if markup[position : token.start()].strip():
            if not opened:
                return False
            has_text = True
        position = token.end()
        name = (token["name"] or "").lower()
        if name not in ENCLOSING:
            continue
        if not token["end"]:
            if PROSE.match(markup, position):
                return False
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return has_text and not opened and not markup[position:].strip()
