"""The HTML sanitiser: the elements and attributes that a body may have, and the removal of all others.

The allow list is documented in docs/reference/html.md. ammonia (nh3) parses and serialises. This module adds warnings
of removals, absolute URLs, and idempotence: sanitising the result again changes nothing.
"""

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple, TypedDict
from urllib.parse import quote, urljoin, urlsplit

import nh3

from newswire.article import UNCARRIABLE
from newswire.formats.html.pictures import choose_addresses, without_empty_pictures
from newswire.formats.html.text import html_to_text, text_to_html
from newswire.formats.html.tokens import ATTRIBUTE_NAME, HOLLOWED, TOKEN, is_small, is_tangled, keep_only_elements

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

FLATTENED = (
    "too many elements or addresses, or elements nested too deeply or astray in a table: the text was kept without them"
)
SAFE_NAME = re.compile(r"[a-z_:@][a-z0-9:._@-]{0,39}")
MOST_WARNINGS = MOST_UNRESOLVED = 50
# Two rounds are enough for nearly all HTML of the web.
MOST_ROUNDS = 6
# A tag takes about 5 µs, a different address 25. The Wikipedia pages of 400 kB have fewer than 20,000 tags.
MOST_TAGS = 200_000
MOST_ADDRESSES = 20_000

EMPTY_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>(?:\s|<br>)*</p>")
# The parser drops one newline after <pre> in each round (WHATWG HTML 13.2.6.4.7), so the result would keep changing.
NEWLINES_OF_PRE = re.compile(r"(<pre(?: [^>]*)?>)\n+")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
C0_AND_SPACE = "".join(map(chr, range(0x21)))
UNSAFE_IN_ADDRESS = re.compile(r'[\x00-\x20\x7f-\xa0"<>\u2028\u2029]')


class RemovalWarning(TypedDict):
    """A warning: `code` is removed_element, removed_attribute …, `detail` a phrase for people."""

    code: str
    detail: str


class Sanitised(NamedTuple):
    """Clean HTML, what was removed from it, and the relative URLs for which there was no base URL."""

    html: str
    warnings: list[RemovalWarning]
    unresolved: list[str]


def sanitise(html: str, base_url: str | None, listed_pictures: Collection[str] = ()) -> Sanitised:
    """Reduces `html` to the allow list in docs/reference/html.md, and resolves URLs against `base_url`.

    Of several addresses of a picture, those in `listed_pictures` are preferred.
    The result has no scripts, loads nothing but pictures, and XML 1.0 can carry it. Sanitising it again changes nothing
    and gives no warning. Takes a millisecond for a page, and about one second for the worst 2 MiB.
    """
    attributes = AttributeFilter(base_url)
    sent = UNCARRIABLE.sub("", html)
    sent, pasted = choose_addresses(sent, base_url, listed_pictures)
    cleaned = _clean_until_stable(sent, attributes)
    unresolved = list(attributes.unresolved)
    # Most articles of a wire are clean already, and need no comparison of their tags.
    if cleaned == html:
        return Sanitised(html, [], unresolved)
    if cleaned is None:
        flattened = RemovalWarning(code="flattened_markup", detail=FLATTENED)
        return Sanitised(text_to_html(html_to_text(sent)), [*_describe_pasted(pasted), flattened], unresolved)
    return Sanitised(cleaned, [*_describe_pasted(pasted), *_list_removals(sent, cleaned)], unresolved)


def _clean_until_stable(html: str, attributes: "AttributeFilter") -> str | None:
    """Cleans `html` until another round changes nothing; None when that takes too many rounds or too much work."""
    if html.count("<") > MOST_TAGS:
        return None
    # One round is not enough: the parser moves elements (out of a table, say), and the result is parsed another way.
    cleaner = nh3.Cleaner(
        tags=set(ELEMENTS),
        clean_content_tags=set(HOLLOWED),
        attributes={"*": set(EVERYWHERE), **ATTRIBUTES},
        attribute_filter=attributes.filter_attribute,
        url_schemes={"http", "https"},
        link_rel=None,
    )
    for _ in range(MOST_ROUNDS):
        parsed = html if is_small(html) else keep_only_elements(ELEMENTS, html)
        if parsed is not html and is_tangled(parsed):
            return None
        cleaned = _tidy_markup(cleaner.clean(parsed))
        if len(attributes.known) > MOST_ADDRESSES:
            return None
        if cleaned == html:
            return cleaned
        html = cleaned
    return None


def _tidy_markup(html: str) -> str:
    """Removes empty paragraphs, pictures without a URL and other rests from the output of ammonia."""
    # Regular expressions suffice, because in that output only tags have angle brackets.
    html = UNCARRIABLE.sub("", html.replace("&nbsp;", "\xa0").replace("\r", "\n"))
    html = without_empty_pictures(html)
    html = EMPTY_PARAGRAPH.sub("", html)
    return NEWLINES_OF_PRE.sub(r"\1", html).strip()


class AttributeFilter:
    """The filter of attribute values. Collects the URLs that it could not make absolute in `unresolved`."""

    def __init__(self, base_url: str | None) -> None:
        self.base_url = base_url
        self.unresolved: dict[str, None] = {}
        self.known: dict[str, str | None] = {}

    def filter_attribute(self, element: str, name: str, value: str) -> str | None:
        """The value of an attribute, as it is kept; None removes the attribute."""
        if name not in ATTRIBUTES.get(element, EVERYWHERE) and name not in EVERYWHERE:
            return None
        if name in ADDRESSES:
            return self._resolve(value)
        if name in NUMBERS:
            return value if re.fullmatch("[0-9]{1,5}", value) else None
        if name == "dir":
            return value.lower() if value.lower() in ("ltr", "rtl", "auto") else None
        if name in ("lang", "hreflang"):
            return value if re.fullmatch("[A-Za-z0-9-]{1,35}", value) else None
        return UNCARRIABLE.sub("", value.replace("\r", "\n"))

    def _resolve(self, value: str) -> str | None:
        if value not in self.known:
            if len(self.known) > MOST_ADDRESSES:
                return None
            try:
                url = absolute_url(value, self.base_url)
            except NoBaseError:
                url = None
                if len(self.unresolved) < MOST_UNRESOLVED:
                    self.unresolved[value] = None
            self.known[value] = url
            if url is not None:
                # The next round meets the resolved URL again and must not change it.
                self.known[url] = url
        return self.known[value]


class NoBaseError(ValueError):
    """A relative URL cannot be resolved, because no base URL is known."""


def absolute_url(url: str, base_url: str | None) -> str | None:
    """Resolves `url` as a browser does (WHATWG URL); None when the result is no http or https URL.

    Without a base URL, `//host/…` becomes https, and a fragment alone is dropped; raises `NoBaseError` for every other
    relative URL.
    """
    url = re.sub("[\t\n\r]", "", url.strip(C0_AND_SPACE))
    path, mark, rest = re.match("([^?#]*)([?#]?)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
    url = UNSAFE_IN_ADDRESS.sub(lambda unsafe: quote(unsafe[0]), path.replace("\\", "/") + mark + rest)
    try:
        if not SCHEME.match(url):
            url = _resolve_relative(url, base_url)
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # Both raise ValueError for a malformed authority.
        return url if parts.scheme in ("http", "https") and host else None
    except NoBaseError:
        raise
    except ValueError:
        return None


def _resolve_relative(url: str, base_url: str | None) -> str:
    if base_url is not None:
        return urljoin(base_url, url) if url else ""
    if url.startswith("//"):
        return f"https:{url}"
    if url and not url.startswith("#"):
        raise NoBaseError(url)
    return ""


def _list_removals(before: str, after: str) -> list[RemovalWarning]:
    """A warning for each element and attribute that occurs more often in `before` than in `after`."""
    elements, attributes = _count_markup(before)
    elements_left, attributes_left = _count_markup(after)
    found = [
        *(_describe_removal("removed_element", name, times) for name, times in (elements - elements_left).items()),
        *(
            _describe_removal("removed_attribute", name, times)
            for name, times in (attributes - attributes_left).items()
        ),
    ]
    if len(found) > MOST_WARNINGS:
        rest = f"{len(found) - MOST_WARNINGS + 1} more kinds of elements and attributes removed"
        found[MOST_WARNINGS - 1 :] = [RemovalWarning(code="removed_element", detail=rest)]
    return found


def _count_markup(html: str) -> tuple[Counter[str], Counter[str]]:
    """Counts each element, and each attribute of an allowed element, in `html`."""
    elements: Counter[str] = Counter()
    attributes: Counter[str] = Counter()
    for token in TOKEN.finditer(html):
        name = (token["hollowed"] or token["name"] or "").lower()
        if name and not token["end"]:
            elements[name] += 1
            if token["attributes"] and name in ELEMENTS:
                attributes.update(dict.fromkeys(ATTRIBUTE_NAME.findall(token["attributes"].lower())).keys())
    return elements, attributes


def _describe_pasted(number: int) -> list[RemovalWarning]:
    """The warning of pictures that were taken out because they were pasted into the document; empty for none."""
    pictures = f"{number} {'picture' if number == 1 else 'pictures'}"
    detail = f"{pictures} pasted into the body (data:) removed; put pictures on the web and send their addresses"
    return [RemovalWarning(code="data_picture", detail=detail)] if number else []


def _describe_removal(code: str, name: str, times: int) -> RemovalWarning:
    safe = name if SAFE_NAME.fullmatch(name) else "(odd name)"
    what = f"<{safe}>" if code == "removed_element" else f"{safe} attribute"
    content = " with its content" if name in HOLLOWED and code == "removed_element" else ""
    return RemovalWarning(code=code, detail=f"{what} removed{content} ({times} {'time' if times == 1 else 'times'})")
