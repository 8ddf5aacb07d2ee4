"""What HTML may stand in a body: the list of elements and attributes, and the sanitiser that keeps to it.

The list is documented in docs/reference/html.md. Parsing and serialising is ammonia's work (nh3); telling
what was removed, absolute addresses and a result that a second cleaning leaves alone are done here.
"""

import re
from collections import Counter
from typing import NamedTuple, TypedDict
from urllib.parse import quote, urljoin, urlsplit

import nh3

from newswire.article import UNCARRIABLE
from newswire.formats.html.text import from_text, plain_text, word_count
from newswire.formats.html.tokens import ATTRIBUTE_NAME, HOLLOWED, TOKEN, is_small, is_tangled, only

__all__ = ["Sanitised", "Warned", "absolute_url", "from_text", "plain_text", "sanitise", "word_count"]

LISTED = """
    p h1 h2 h3 h4 h5 h6 blockquote pre hr br div section article aside header footer
    ul ol li dl dt dd figure figcaption img table caption colgroup col thead tbody tfoot tr th td
    a span em strong b i u s small mark sub sup del ins code kbd samp var
    abbr bdi bdo cite dfn q time ruby rt rp
"""
ELEMENTS = frozenset(LISTED.split())
EVERYWHERE = frozenset({"dir", "lang", "title"})
ATTRIBUTES = {
    "a": {"href", "hreflang"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "img": {"alt", "height", "src", "width"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"reversed", "start"},
    "q": {"cite"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
ADDRESSES = frozenset({"cite", "href", "src"})
NUMBERS = frozenset({"colspan", "height", "rowspan", "span", "start", "value", "width"})

FLATTENED = "elements nested too deeply or astray in a table: the text was kept without them"
SAFE_NAME = re.compile(r"[a-z_:@][a-z0-9:._@-]{0,39}")
MOST_WARNINGS = MOST_UNRESOLVED = 50
# Two do for nearly all HTML of the web.
MOST_ROUNDS = 6

EMPTY_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>(?:\s|<br>)*</p>")
IMAGE_WITHOUT_SOURCE = re.compile(r'<img(?![^>]* src=")[^>]*>')
# The parser drops one newline here, each time.
NEWLINES_OF_PRE = re.compile(r"(<pre(?: [^>]*)?>)\n+")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
C0_AND_SPACE = "".join(map(chr, range(0x21)))
UNSAFE_IN_ADDRESS = re.compile(r'[\x00-\x20\x7f-\xa0"<>\u2028\u2029]')


class Warned(TypedDict):
    """`code`: removed_element, removed_attribute or flattened_markup; `detail`: a phrase for people."""

    code: str
    detail: str


class Sanitised(NamedTuple):
    """Clean HTML, what was removed from it, and the relative addresses for which there was no base."""

    html: str
    warnings: list[Warned]
    unresolved: list[str]


def sanitise(html: str, base_url: str | None) -> Sanitised:
    """`html` reduced to what docs/reference/html.md lists, addresses made absolute with `base_url`.

    Nothing in it can act, load anything but pictures, or upset XML 1.0; cleaning it again changes nothing and
    warns of nothing. Takes a millisecond for a page and a few seconds for the worst that fits into 2 MiB.
    """
    addresses = Addresses(base_url)
    sent = UNCARRIABLE.sub("", html)
    cleaned = settled(sent, addresses)
    unresolved = list(addresses.unresolved)
    if cleaned == html:
        return Sanitised(html, [], unresolved)
    if cleaned is None:
        flattened = Warned(code="flattened_markup", detail=FLATTENED)
        return Sanitised(from_text(plain_text(only(ELEMENTS, sent))), [flattened], unresolved)
    return Sanitised(cleaned, warnings(sent, cleaned), unresolved)


def settled(html: str, addresses: "Addresses") -> str | None:
    """`html` cleaned until cleaning it again would change nothing; None if that takes too much."""
    cleaner = nh3.Cleaner(
        tags=set(ELEMENTS),
        clean_content_tags=set(HOLLOWED),
        attributes={"*": set(EVERYWHERE), **ATTRIBUTES},
        attribute_filter=addresses.attribute,
        url_schemes={"http", "https"},
        link_rel=None,
    )
    for _ in range(MOST_ROUNDS):
        parsed = html if is_small(html) else only(ELEMENTS, html)
        if parsed is not html and is_tangled(parsed):
            return None
        cleaned = tidy(cleaner.clean(parsed))
        if cleaned == html:
            return cleaned
        html = cleaned
    return None


def tidy(html: str) -> str:
    """What ammonia leaves and news does not want; in its output only tags have angle brackets."""
    html = UNCARRIABLE.sub("", html.replace("&nbsp;", "\xa0").replace("\r", "\n"))
    html = IMAGE_WITHOUT_SOURCE.sub("", html)
    html = EMPTY_PARAGRAPH.sub("", html)
    return NEWLINES_OF_PRE.sub(r"\1", html).strip()


class Addresses:
    """The judge of attribute values; remembers the addresses that it could not make absolute."""

    def __init__(self, base_url: str | None) -> None:
        self.base_url = base_url
        self.unresolved: dict[str, None] = {}
        self.known: dict[str, str | None] = {}

    def attribute(self, element: str, name: str, value: str) -> str | None:
        """The value to keep, None to drop the attribute."""
        if name not in ATTRIBUTES.get(element, EVERYWHERE) and name not in EVERYWHERE:
            return None
        if name in ADDRESSES:
            return self.address(value)
        if name in NUMBERS:
            return value if re.fullmatch("[0-9]{1,5}", value) else None
        if name == "dir":
            return value.lower() if value.lower() in ("ltr", "rtl", "auto") else None
        if name in ("lang", "hreflang"):
            return value if re.fullmatch("[A-Za-z0-9-]{1,35}", value) else None
        return UNCARRIABLE.sub("", value.replace("\r", "\n"))

    def address(self, value: str) -> str | None:
        if value not in self.known:
            try:
                url = absolute_url(value, self.base_url)
            except NoBaseError:
                url = None
                if len(self.unresolved) < MOST_UNRESOLVED:
                    self.unresolved[value] = None
            self.known[value] = url
            if url is not None:
                # The next round meets it again, and it stays as it is.
                self.known[url] = url
        return self.known[value]


class NoBaseError(ValueError):
    """A relative address, and nothing known that it is relative to."""


def absolute_url(url: str, base_url: str | None) -> str | None:
    """`url` made absolute as a browser would (WHATWG URL); None if that gives no http or https address.

    Without a base `//host/…` is taken as https and a mere fragment as nothing. Raises `NoBaseError` for other
    relative addresses without a base.
    """
    url = re.sub("[\t\n\r]", "", url.strip(C0_AND_SPACE))
    path, mark, rest = re.match("([^?#]*)([?#]?)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
    url = UNSAFE_IN_ADDRESS.sub(lambda unsafe: quote(unsafe[0]), path.replace("\\", "/") + mark + rest)
    try:
        if not SCHEME.match(url):
            url = resolved(url, base_url)
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # Both raise what makes no address.
        return url if parts.scheme in ("http", "https") and host else None
    except NoBaseError:
        raise
    except ValueError:
        return None


def resolved(url: str, base_url: str | None) -> str:
    if base_url is not None:
        return urljoin(base_url, url) if url else ""
    if url.startswith("//"):
        return f"https:{url}"
    if url and not url.startswith("#"):
        raise NoBaseError(url)
    return ""


def warnings(before: str, after: str) -> list[Warned]:
    """What `before` has more of than `after`, per name; what was renamed or moved is not told."""
    elements, attributes = counted(before)
    elements_left, attributes_left = counted(after)
    found = [
        *(warned("removed_element", name, times) for name, times in (elements - elements_left).items()),
        *(warned("removed_attribute", name, times) for name, times in (attributes - attributes_left).items()),
    ]
    if len(found) > MOST_WARNINGS:
        rest = f"{len(found) - MOST_WARNINGS + 1} more kinds of elements and attributes removed"
        found[MOST_WARNINGS - 1 :] = [Warned(code="removed_element", detail=rest)]
    return found


def counted(html: str) -> tuple[Counter[str], Counter[str]]:
    """How often each element, and each attribute of a listed element, occurs in `html`."""
    elements: Counter[str] = Counter()
    attributes: Counter[str] = Counter()
    for token in TOKEN.finditer(html):
        name = (token["hollowed"] or token["name"] or "").lower()
        if name and not token["end"]:
            elements[name] += 1
            if token["attributes"] and name in ELEMENTS:
                attributes.update(dict.fromkeys(ATTRIBUTE_NAME.findall(token["attributes"].lower())).keys())
    return elements, attributes


def warned(code: str, name: str, times: int) -> Warned:
    safe = name if SAFE_NAME.fullmatch(name) else "(odd name)"
    what = f"<{safe}>" if code == "removed_element" else f"{safe} attribute"
    content = " with its content" if name in HOLLOWED and code == "removed_element" else ""
    return Warned(code=code, detail=f"{what} removed{content} ({times} {'time' if times == 1 else 'times'})")
