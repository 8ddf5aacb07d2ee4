"""One picture element of HTML as sent: its attributes, and the best of the addresses in them.

What stands around an element is known in `pictures`, addresses are judged in `picture_urls`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape, unescape
from itertools import islice
from typing import NamedTuple
from urllib.parse import urljoin

from newswire.formats.html.picture_urls import (
    Candidate,
    by_size,
    is_picture_file,
    is_sure_placeholder,
    is_usable,
    looks_like_placeholder,
    read_candidates,
)
from newswire.formats.html.tokens import NAME, TOKEN

Attributes = Mapping[str, str]

# Attributes that scripts copy into `src`: what `src` itself holds beside one of them is a placeholder or a preview.
LATE = (
    "data-src", "data-lazy-src", "data-original", "data-lazy", "data-original-src", "data-orig-src", "data-hi-res-src",
    "data-high-res-src", "data-hires", "data-full-src", "data-real-src", "data-actualsrc", "data-cfsrc", "data-ezsrc",
    "data-echo", "data-lazyload", "data-lazysrc", "data-defer-src", "data-delayed-url", "data-image-src",
    "data-img-src", "data-wpfc-original-src", "data-dejavu-src", "nitro-lazy-src", "lazysrc", "lazy-src", "_src",
)  # fmt: skip
LARGE = re.compile("full|large|orig|big|high|hi-?res|max|retina")
SMALL = re.compile("low|lqip|mini|small|thumb|icon|blur|placeholder")
TEXTS = frozenset({"alt", "class", "href", "id", "longdesc", "poster", "src", "srcset", "style", "title", "usemap"})
# Attributes whose values are kept as they are; no other can keep a `data:` URL.
WORDED = frozenset({"alt", "datetime", "title"})
KEPT = ("alt", "title", "width", "height", "lang", "dir")
# A tag with more is no picture of an editor; a million would take a second.
MOST_ATTRIBUTES = 200
ATTRIBUTE = re.compile(
    rf"""({NAME})(?:\s*+=\s*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\s>"'][^\s>]*+))?+)?+""", re.ASCII
)
# The start of a picture in the output of ammonia, where only tags have angle brackets, and all values are in double
# quotes; a value before may end in ` src=`.
SOURCE = re.compile(r'<img(?: [a-z]+="[^"]*+")*? src="([^"]*+)"')
HREF = re.compile(r"""\shref\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+))""", re.IGNORECASE | re.ASCII)
MEMBER = re.compile(r'"(?:src|url)"\s*+:\s*+"([^"\s]++)"')
PIXEL = re.compile("[01]")
PASTED = re.compile(r"\s*+data:", re.IGNORECASE)
# The formats of a `source` that every program can show come first.
FORMATS = {"": 0, "image/jpeg": 0, "image/jpg": 0, "image/png": 0, "image/gif": 0, "image/webp": 1}


class Address(NamedTuple):
    """The address found for a picture: None where there is none that can be loaded.

    `is_late`: it was not in `src`. `is_weak`: it was, and looks like that of a placeholder.
    """

    url: str | None
    is_late: bool = False
    is_weak: bool = False


def read_attributes(text: str) -> Attributes:
    """The attributes in a tag, by their names in lower case; the first of a name counts, as for a browser."""
    found: dict[str, str] = {}
    for attribute in islice(ATTRIBUTE.finditer(text), MOST_ATTRIBUTES):
        name, quoted, in_apostrophes, bare = attribute.groups("")
        value = quoted or in_apostrophes or bare
        found.setdefault(name.lower(), unescape(value) if "&" in value else value)
    return found


def _match_groups(found: re.Match[str]) -> tuple[str, ...]:
    return found.groups("")


def is_pasted(attributes: Attributes) -> bool:
    """Whether the picture itself is in the document, as a `data:` URL."""
    return any(PASTED.match(attributes.get(name, "")) for name in ("src", "srcset", "data-src"))


def pasted_length(html: str) -> int:
    """The number of bytes in `html` of `data:` URLs in attributes that the sanitiser removes."""
    if "data:" not in html.lower():
        return 0
    return sum(
        len(value.encode())
        for token in TOKEN.finditer(html)
        if token["attributes"] and "data:" in token["attributes"].lower()
        for name, *values in map(_match_groups, ATTRIBUTE.finditer(token["attributes"]))
        if name.lower() not in WORDED and PASTED.match(value := next(filter(None, values), ""))
    )


def is_tracking_pixel(attributes: Attributes) -> bool:
    """Whether a picture is at most one pixel wide and high."""
    return all(PIXEL.fullmatch(attributes.get(name, "")) for name in ("width", "height"))


def write_picture(attributes: Attributes, address: Address) -> str:
    """An `img` with the address and with the attributes that a body may have."""
    left_out = ("width", "height") if address.is_late and is_tracking_pixel(attributes) else ()
    known = {"src": address.url or "", **{name: attributes[name] for name in KEPT if attributes.get(name)}}
    written = "".join(f' {name}="{escape(value)}"' for name, value in known.items() if name not in left_out)
    return f"<img{written}>"


class AddressFinder:
    """The choice among the addresses of a picture, for a base URL and the URLs of the article's own pictures."""

    def __init__(self, base_url: str | None, listed: frozenset[str]) -> None:
        self.base_url = base_url
        self.listed = listed

    def absolute(self, url: str) -> str:
        try:
            return urljoin(self.base_url or "", url.strip())
        except ValueError:
            return url

    def find(self, attributes: Attributes, sources: Sequence[Attributes], before: str) -> Address:
        """The best address of a picture, by its attributes, its `source`s in `picture`, and the HTML right before it.

        An address that was made for scripts comes before `src`, a large candidate of a `srcset` before a small one.
        """
        src = attributes.get("src", "")
        own = src if self._is_real(src) else None
        sets = [attributes[name] for name in attributes if name.endswith("srcset")]
        late_sets = sets if "srcset" not in attributes else [text for text in sets if text is not attributes["srcset"]]
        first = next(
            (attributes[name] for name in LATE if name in attributes and self._is_real(attributes[name])), None
        )
        if self.listed and (found := self._listed(own, first, sets)):
            return Address(found, is_late=found != own)
        if first or (late_sets and (first := self._best_of(late_sets))):
            return Address(self._larger(first, sets), is_late=True)
        if own and not looks_like_placeholder(own):
            return Address(self._larger(own, sets))
        found = self._best_of(sets) or self._best_source(sources)
        found = found or self.unusual(attributes) or self._linked(before)
        return Address(found or own, is_late=found is not None, is_weak=found is None)

    def _is_real(self, url: str) -> bool:
        return bool(url) and is_usable(url, has_base=self.base_url is not None) and not is_sure_placeholder(url)

    def _listed(self, own: str | None, first: str | None, sets: Sequence[str]) -> str | None:
        urls = (own, first, *(each.url for text in sets for each in read_candidates(text)))
        return next((url for url in urls if url and self.absolute(url) in self.listed), None)

    def _best_of(self, sets: Iterable[str]) -> str | None:
        """The widest, else the densest candidate that can be loaded."""
        return self._best_candidate([each for text in sets for each in read_candidates(text)])

    def _best_candidate(self, candidates: Iterable[Candidate]) -> str | None:
        ranked = sorted(candidates, key=by_size, reverse=True)
        return next((each.url for each in ranked if self._is_real(each.url)), None)

    def _larger(self, url: str, sets: Iterable[str]) -> str:
        """The best of the candidates if `url` is a smaller one of them, else `url`."""
        # A list without `url` can be of other pictures, or of previews smaller than it.
        found = [each for text in sets if url in text for each in read_candidates(text)]
        candidates = {each.url: each for each in found}
        best = self._best_candidate(found) if url in candidates else None
        return best if best is not None and by_size(candidates[best]) > by_size(candidates[url]) else url

    def _best_source(self, sources: Sequence[Attributes]) -> str | None:
        """The best candidate of the sources in a format that most programs can show."""
        ranked: dict[int, list[str]] = {}
        for source in sources:
            texts = [source[name] for name in source if name.endswith("srcset") or name in ("src", "data-src")]
            ranked.setdefault(FORMATS.get(source.get("type", "").strip().lower(), 2), []).extend(texts)
        return next((best for rank in sorted(ranked) if (best := self._best_of(ranked[rank]))), None)

    def unusual(self, attributes: Attributes) -> str | None:
        """An address in any other attribute, if it is that of a picture by its file name."""
        found = [name for name, value in attributes.items()
                 if name not in TEXTS and "/" in value and self._is_file(value)]  # fmt: skip
        if found:
            return attributes[max(found, key=lambda name: bool(LARGE.search(name)) - bool(SMALL.search(name)))]
        text = attributes.get("data-src", "")
        members: Iterable[str] = MEMBER.findall(text) if text[:1] in ("{", "[") else ()
        return next((unescape(each) for each in members if self._is_real(each)), None)

    def _is_file(self, url: str) -> bool:
        rooted = url.lstrip()[:8].lower().startswith(("http://", "https://", "/", "./", "../"))
        return rooted and self._is_real(url) and is_picture_file(url)

    def _linked(self, before: str) -> str | None:
        """The picture to which the link around this one leads, by its file name."""
        start = before.lower().rfind("<a")
        found = HREF.search(before, start) if start >= 0 and "</" not in before[start:] else None
        url = unescape(next(filter(None, found.groups()), "")) if found else ""
        return url if self._is_real(url) and is_picture_file(url) else None
