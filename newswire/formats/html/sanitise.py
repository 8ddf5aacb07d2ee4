"""The HTML sanitiser: the elements and attributes that a body may have, and the removal of all others.

The allow list is documented in docs/reference/html.md. ammonia (nh3) parses and serialises. This module adds warnings
of removals, absolute URLs, and idempotence: sanitising the result again changes nothing.
"""

import re
from collections import Counter, deque
from collections.abc import Collection
from html import unescape
from typing import NamedTuple, TypedDict

import nh3

from newswire.article import UNCARRIABLE
from newswire.formats.html.embeds import EMBEDS
from newswire.formats.html.escaped import unescape_markup
from newswire.formats.html.jumps import Jumps, ids_for_names, name_in_url
from newswire.formats.html.pictures import choose_addresses, without_empty_pictures
from newswire.formats.html.rewriting import ANNOTATIONS, LONGEST_QUOTED, REPLACED, Rewritten, rewrite_markup
from newswire.formats.html.text import html_to_text, text_to_html
from newswire.formats.html.tokens import (
    ATTRIBUTE_NAME,
    ELEMENTS,
    HOLLOWED,
    TOKEN,
    is_divided,
    is_small,
    is_tangled,
    keep_only_elements,
    unwrap_noscripts,
)
from newswire.urls import NoBaseError, absolute_url, contact_url, has_credentials

EVERYWHERE = frozenset({"dir", "id", "lang", "title"})
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
# Ids are wanted by few texts; without a link to one, ammonia drops them all by itself.
NAMED = {"a": ATTRIBUTES["a"] | {"name"}}
NAMELESS = {"*": set(EVERYWHERE - {"id"})}
CONTACT = re.compile("(?:mailto|tel):", re.IGNORECASE)
SCHEMES = {"http", "https", "mailto", "tel"}
NUMBERS = frozenset({"colspan", "height", "rowspan", "span", "start", "value", "width"})

# For what has been filtered: all values but ids would pass the filter as they are, and ids need links with fragments.
FILTERED = nh3.Cleaner(
    tags=set(ELEMENTS),
    clean_content_tags=set(HOLLOWED),
    attributes={**ATTRIBUTES, **NAMELESS},
    url_schemes=SCHEMES,
    link_rel=None,
)
FORMERLY_HOLLOWED = HOLLOWED | {
    "noscript",
    "applet", "audio", "button", "canvas", "datalist", "frameset", "head", "iframe", "math", "noembed", "noframes",
    "object", "plaintext", "select", "svg", "textarea", "video", "xmp",
}  # fmt: skip
FLATTENED = (
    "too many elements or addresses, or elements nested too deeply or astray in a table: the text was kept without them"
)
UNESCAPED = "the body was the source of HTML, escaped once more than HTML is: it was taken as that HTML"
SAFE_NAME = re.compile(r"[a-z_:@][a-z0-9:._@-]{0,39}")
MOST_WARNINGS = MOST_UNRESOLVED = 50
# Two rounds are enough for nearly all HTML of the web.
MOST_ROUNDS = 6
# A tag takes about 5 µs, a different address 25. The Wikipedia pages of 400 kB have fewer than 20,000 tags.
MOST_TAGS = 200_000
MOST_ADDRESSES = 20_000

EMPTY_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>(?:\s|<br>)*</p>")
IMAGE = re.compile("<img[^>]*>")
CLEAN_TAG = re.compile("<([a-z][a-z0-9]*+)([^>]*+)>")
CLEAN_ATTRIBUTE = re.compile(' ([a-z]++)="[^"]*+"')
# The parser drops one newline after <pre> in each round (WHATWG HTML 13.2.6.4.7), so the result would keep changing.
NEWLINES_OF_PRE = re.compile(r"(<pre(?: [^>]*)?>)\n+")


class RemovalWarning(TypedDict):
    """A warning: `code` is one of those in docs/reference/html.md, `detail` a phrase for people."""

    code: str
    detail: str


class Sanitised(NamedTuple):
    """Clean HTML, what was removed from it, and the relative URLs for which there was no base URL."""

    html: str
    warnings: list[RemovalWarning]
    unresolved: list[str]


def sanitise(
    html: str, base_url: str | None, own_url: str | None = None, listed_pictures: Collection[str] = ()
) -> Sanitised:
    """Reduces `html` to the allow list in docs/reference/html.md, and resolves URLs against `base_url`.

    A link to a fragment of `own_url`, the article's, stays within the article if it leads to an id there, as every link
    to nothing but a fragment does. Of several addresses of a picture, those in `listed_pictures` are preferred.

    The result has no scripts, loads nothing but pictures, and XML 1.0 can carry it. Sanitising it again changes nothing
    and gives no warning. Takes a millisecond for a page, and about one second for the worst 2 MiB.
    """
    attributes = AttributeFilter(base_url, own_url)
    sent = UNCARRIABLE.sub("", html)
    found = _reduce_markup(sent, attributes, listed_pictures)
    warnings: list[RemovalWarning] = []
    if (markup := unescape_markup(found.html)) is not None:
        warnings = [*found.warnings, RemovalWarning(code="unescaped_markup", detail=UNESCAPED)]
        found = _reduce_markup(UNCARRIABLE.sub("", markup), attributes, listed_pictures)
    warnings += [*found.warnings, *attributes.describe_credentials()]
    return Sanitised(found.html, _bounded(warnings), list(attributes.unresolved))


def _reduce_markup(sent: str, attributes: "AttributeFilter", listed_pictures: Collection[str]) -> Sanitised:
    """Cleans markup in which every character can be carried; the fallback is its text without elements."""
    if sent.count("<") > MOST_TAGS:
        return _flatten_markup(sent)
    rewritten = rewrite_markup(sent, attributes.find_url)
    chosen, pasted = choose_addresses(rewritten.html, attributes.base_url, listed_pictures)
    chosen, noscripts = unwrap_noscripts(chosen)
    rewritten.removed["noscript"] += noscripts
    warnings = _describe_pasted(pasted)
    cleaned = _clean_until_stable(chosen, attributes)
    if cleaned is None:
        flat = _flatten_markup(chosen)
        return flat._replace(warnings=[*warnings, *flat.warnings])
    # Most articles of a wire are clean already, and need no comparison of their tags.
    if cleaned != sent:
        warnings += _describe_unended(sent)
        warnings += _list_removals(rewritten._replace(html=chosen), cleaned)
    return Sanitised(cleaned, warnings, [])


def _flatten_markup(html: str) -> Sanitised:
    flattened = RemovalWarning(code="flattened_markup", detail=FLATTENED)
    return Sanitised(text_to_html(html_to_text(html)), [flattened], [])


def prose_to_text(html: str) -> str:
    """The plain text of HTML that a document has in the place of a plain field, such as a caption in ninjs.

    It is part of the article as sent, and whether a document is unchanged is judged by that. So it follows the first
    rules for bodies, which dropped the content of more elements, and not those of today.
    """
    sent = UNCARRIABLE.sub("", html)
    cleaned = _clean_until_stable(sent, AttributeFilter(None), FORMERLY_HOLLOWED)
    return html_to_text(text_to_html(html_to_text(sent)) if cleaned is None else IMAGE.sub("", cleaned))


def _clean_until_stable(html: str, attributes: "AttributeFilter", hollowed: frozenset[str] = HOLLOWED) -> str | None:
    """Cleans `html` until another round changes nothing; None when that takes too many rounds or too much work."""
    attributes.begin_round(html)
    # One round is not enough: the parser moves elements (out of a table, say), and the result is parsed another way.
    cleaner = nh3.Cleaner(
        tags=set(ELEMENTS),
        clean_content_tags=set(hollowed),
        attributes={**ATTRIBUTES, "*": set(EVERYWHERE), **(NAMED if attributes.jumps.has_targets() else NAMELESS)},
        attribute_filter=attributes.filter_attribute,
        url_schemes=SCHEMES,
        link_rel=None,
    )
    for number in range(MOST_ROUNDS):
        parsed = html
        if not is_small(html):
            if number == 0 or not is_divided(html):
                parsed = keep_only_elements(ELEMENTS, html)
            if is_tangled(parsed):
                return None
        attributes.begin_round(parsed)
        cleaned = (cleaner if number == 0 or "#" in parsed else FILTERED).clean(parsed)
        if "&#" in parsed or "\f" in parsed:
            # Nothing else makes a character that cannot be carried of those that can.
            cleaned = UNCARRIABLE.sub("", cleaned)
        cleaned = _tidy_markup(cleaned)
        if len(attributes.known) > MOST_ADDRESSES:
            return None
        if cleaned == html:
            return cleaned
        html = cleaned
    return None


def _tidy_markup(html: str) -> str:
    """Removes empty paragraphs, pictures without a URL and other rests from the output of ammonia."""
    # Regular expressions suffice, because in that output only tags have angle brackets.
    html = without_empty_pictures(html.replace("&nbsp;", "\xa0").replace("\r", "\n"))
    html = EMPTY_PARAGRAPH.sub("", ids_for_names(html))
    return NEWLINES_OF_PRE.sub(r"\1", html).strip()


class AttributeFilter:
    """The filter of attribute values. Collects the URLs that it could not make absolute in `unresolved`."""

    def __init__(self, base_url: str | None, own_url: str | None = None) -> None:
        self.base_url = base_url
        self.own_url = own_url and own_url.partition("#")[0]
        self.unresolved: dict[str, None] = {}
        self.known: dict[str, str | None] = {}
        self.with_credentials = 0
        self.jumps = Jumps("", self._is_own)

    def begin_round(self, html: str) -> None:
        """Takes the text that is cleaned next, for the jumps in it."""
        if html != self.jumps.html:
            self.jumps = Jumps(html, self._is_own)

    def filter_attribute(self, element: str, name: str, value: str) -> str | None:
        """The value of an attribute, as it is kept; None removes the attribute."""
        if name == "id" or (name == "name" and element == "a"):
            return self.jumps.kept_id(value)
        if name not in ATTRIBUTES.get(element, EVERYWHERE) and name not in EVERYWHERE:
            return None
        if name in ADDRESSES:
            return self._link_url(value) if element == "a" else self._resolve(value)
        if name in NUMBERS:
            return value if re.fullmatch("[0-9]{1,5}", value) else None
        if name == "dir":
            return value.lower() if value.lower() in ("ltr", "rtl", "auto") else None
        if name in ("lang", "hreflang"):
            return value if re.fullmatch("[A-Za-z0-9-]{1,35}", value) else None
        return UNCARRIABLE.sub("", value.replace("\r", "\n"))

    def _link_url(self, value: str) -> str | None:
        """The address of a link: also one for mail or telephone, or a jump within the article."""
        value = value.strip()
        if not value.startswith("http"):
            if value.startswith("#"):
                return _jump(name_in_url(value[1:]))
            if CONTACT.match(value):
                return contact_url(value)
        url = self._resolve(value)
        if self.own_url and url and url.startswith(f"{self.own_url}#"):
            name = name_in_url(url.partition("#")[2])
            return _jump(name) if self.jumps.has_anchor(name) else url
        return url

    def _is_own(self, url: str) -> bool:
        return self.own_url is not None and self.find_url(unescape(url)) == self.own_url

    def find_url(self, value: str) -> str | None:
        """The absolute URL; None where there is none, also because no base is known."""
        try:
            return self._find_url(value)
        except NoBaseError:
            return None

    def _resolve(self, value: str) -> str | None:
        try:
            return self._find_url(value)
        except NoBaseError:
            if len(self.unresolved) < MOST_UNRESOLVED:
                self.unresolved[value] = None
            return None

    def _find_url(self, value: str) -> str | None:
        if value not in self.known:
            if len(self.known) > MOST_ADDRESSES:
                return None
            url = absolute_url(value, self.base_url)
            self.known[value] = url
            self.with_credentials += has_credentials(value)
            if url is not None:
                # The next round meets the resolved URL again and must not change it.
                self.known[url] = url
        return self.known[value]

    def describe_credentials(self) -> list[RemovalWarning]:
        """The warning of user names and passwords in addresses; empty for none."""
        number = self.with_credentials
        detail = f"user name and password removed from {number} {'address' if number == 1 else 'addresses'}"
        return [RemovalWarning(code="removed_credentials", detail=detail)] if number else []


def _jump(name: str | None) -> str | None:
    return name and f"#{name}"


def _list_removals(before: Rewritten, after: str) -> list[RemovalWarning]:
    """A warning for each element and attribute that occurs more often in `before` than in `after`."""
    elements, attributes = _count_markup(before.html)
    elements_left, attributes_left = _count_clean_markup(after)
    removed = elements - elements_left + before.removed
    # A name of a link has become an id, or has gone as one.
    attributes["id"] += attributes.pop("name", 0)
    return [
        *(RemovalWarning(code="removed_element", detail=f"<title> removed: {title}") for title in before.titles),
        *(_describe_removal("removed_element", name, times) for name, times in removed.items()),
        *(
            _describe_removal("removed_attribute", name, times)
            for name, times in (attributes - attributes_left).items()
        ),
    ]


def _bounded(found: list[RemovalWarning]) -> list[RemovalWarning]:
    if len(found) > MOST_WARNINGS:
        rest = f"{len(found) - MOST_WARNINGS + 1} more kinds of elements and attributes removed"
        return [*found[: MOST_WARNINGS - 1], RemovalWarning(code="removed_element", detail=rest)]
    return found


def _count_markup(html: str) -> tuple[Counter[str], Counter[str]]:
    """Counts each element, and each attribute of an allowed element, in `html`."""
    elements: Counter[str] = Counter()
    attributes: list[str] = []
    # Most tags of a text stand there many times.
    for (hollowed, end, name, values), times in Counter(TOKEN.findall(html)).items():
        if not end and (name := (hollowed or name).lower()):
            elements[name] += times
            if values and name in ELEMENTS:
                attributes += [*dict.fromkeys(ATTRIBUTE_NAME.findall(values.lower()))] * times
    return elements, Counter(attributes)


def _count_clean_markup(clean: str) -> tuple[Counter[str], Counter[str]]:
    """The same for the output of ammonia, in which only tags have angle brackets, and all values are quoted."""
    tags = CLEAN_TAG.findall(clean)
    attributes = CLEAN_ATTRIBUTE.findall("".join([values for _, values in tags if values]))
    return Counter([name for name, _ in tags]), Counter(attributes)


def _describe_pasted(number: int) -> list[RemovalWarning]:
    """The warning of pictures that were taken out because they were pasted into the document; empty for none."""
    pictures = f"{number} {'picture' if number == 1 else 'pictures'}"
    detail = f"{pictures} pasted into the body (data:) removed; put pictures on the web and send their addresses"
    return [RemovalWarning(code="data_picture", detail=detail)] if number else []


def _describe_unended(sent: str) -> list[RemovalWarning]:
    """The warning of words that are part of a comment or a tag without an end, as for a browser; empty for none."""
    # Nearly all texts end after their last tag and their last comment, with every quotation closed.
    is_open = sent.rfind("<") > sent.rfind(">") or sent.rfind("<!--") > sent.rfind("-->") or sent.count('"') % 2
    last = next(iter(deque(TOKEN.finditer(sent), 1)), None) if is_open else None
    if last is None or last["hollowed"] or last.end() < len(sent):
        return []
    if last["name"]:
        is_ended = last.end("attributes") < len(sent)
    else:
        is_ended = last[0].endswith(("-->", "--!>") if last[0].startswith("<!--") else ">")
    if is_ended:
        return []
    text = " ".join(last[0].split())
    quoted = text if len(text) <= LONGEST_QUOTED else f"{text[: LONGEST_QUOTED - 1]}…"
    what = "comment" if last["name"] is None else "tag"
    return [RemovalWarning(code="removed_element", detail=f"a {what} that does not end removed: {quoted}")]


def _describe_removal(code: str, name: str, times: int) -> RemovalWarning:
    safe = name if SAFE_NAME.fullmatch(name) else "(odd name)"
    what, done = f"{safe} attribute", "removed"
    if code == "removed_element":
        what = f"<{safe}>"
        if name in HOLLOWED | ANNOTATIONS:
            done = "removed with its content"
        elif name in REPLACED:
            done = f"replaced by <{REPLACED[name]}>"
        elif name in EMBEDS:
            done = "removed, leaving a link to what it shows where that is known"
    return RemovalWarning(code=code, detail=f"{what} {done} ({times} {'time' if times == 1 else 'times'})")
