"""Jumps within an article: links to a fragment, and the ids that they lead to.

An id of a body may meet an id of the page that shows it, or hide a global of its scripts (DOM clobbering). So each gets
a prefix, the one that GitHub uses, and only ids that a link of the body leads to are kept.
"""

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

PREFIX = "user-content-"
LONGEST_NAME = 200
UNSAFE_IN_NAME = re.compile(r"""[\s"'<>&#%`\\\x00-\x1f\x7f]""")
# An attribute begins after white space or a value, so that a long unquoted value is read once, and not once for each
# "href=" in it.
VALUE = r"""\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"']++))"""
# In lower case, as nearly all are, links are found ten times as fast.
LOWER_LINK = re.compile(rf"""href(?<=[\s"']href){VALUE}""")
LINK = re.compile(LOWER_LINK.pattern, re.IGNORECASE)
ANCHOR = re.compile(rf"""(?<=[\s"'])(?:id|name){VALUE}""", re.IGNORECASE)
# In the output of ammonia only tags have angle brackets, and each attribute stands there once.
NAMED_LINK = re.compile(r'<a(?: [^<>]*)? name="[^<>]*>')
NAME = re.compile(r' name="([^"]*)"')


def safe_name(name: str) -> str | None:
    """The id for a name of the body, with the prefix; None for none and a long one. A safe name stays the same."""
    name = UNSAFE_IN_NAME.sub("_", name.strip().removeprefix(PREFIX))
    return PREFIX + name if 0 < len(name) <= LONGEST_NAME else None


def name_in_url(fragment: str) -> str | None:
    """The id that a fragment, as it stands in a URL, leads to."""
    return safe_name(unquote(fragment))


class Jumps:
    """The jumps of one HTML text. `is_own` says whether a URL without its fragment is that of the article itself."""

    def __init__(self, html: str, is_own: Callable[[str], bool]) -> None:
        self.html = html
        self._is_own = is_own
        self._targets: frozenset[str | None] | None = None
        self._anchors: frozenset[str | None] | None = None

    def has_targets(self) -> bool:
        """Whether any link of the text leads to an id in it."""
        if self._targets is None:
            self._targets = frozenset(self._list_targets()) if "#" in self.html else frozenset()
        return bool(self._targets)

    def kept_id(self, value: str) -> str | None:
        """The id for an attribute of the text, if a link leads to it."""
        name = safe_name(value) if self.has_targets() else None
        return name if name in (self._targets or ()) else None

    def has_anchor(self, name: str | None) -> bool:
        """Whether an element of the text has the id `name`, perhaps without its prefix."""
        if self._anchors is None:
            self._anchors = frozenset(safe_name(value) for value in _values(ANCHOR, self.html))
        return name is not None and name in self._anchors

    def _list_targets(self) -> list[str | None]:
        encoded = self.html.encode()
        is_lower = encoded.count(b"href") == encoded.lower().count(b"href")
        values = _values(LOWER_LINK if is_lower else LINK, self.html)
        found = [value.strip().partition("#") for value in values if "#" in value]
        return [name_in_url(name) for url, _, name in found if not url or self._is_own(url)]


def _values(pattern: re.Pattern[str], html: str) -> list[str]:
    return [unescape("".join(groups)) for groups in pattern.findall(html)]


def ids_for_names(html: str) -> str:
    """Turns `<a name=…>` into `<a id=…>` in the output of ammonia: HTML has no such names any more."""
    if ' name="' not in html:
        return html
    return NAMED_LINK.sub(lambda tag: NAME.sub("" if ' id="' in tag[0] else r' id="\1"', tag[0]), html)
