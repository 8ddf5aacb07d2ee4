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
    best_candidate,
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
HREF = re.compile(
    r"""(?<![^\s"'/])href\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+))""", re.IGNORECASE | re.ASCII
)
MEMBER = re.compile(r'"(?:src|url)"\s*+:\s*+"([^"\s]++)"')
PIXEL = re.compile(r"\s*[01]\s*(?:px)?\s*")
PASTED = re.compile(r"\s*+data:", re.IGNORECASE)
# The formats of a `source` that every program can show come first.
FORMATS = {"": 0, "image/jpeg": 0, "image/jpg": 0, "image/png": 0, "image/gif": 0, "image/webp": 1}


class Address(NamedTuple):
    """The address found for a picture: None where there is none that can be loaded.

    `is_late`: it was not in `src`. `alternative`: another address, to be used if `src` proves to be a placeholder.
    """

    url: str | None
    is_late: bool = False
    alternative: str | None = None


def read_attributes(text: str) -> Attributes:
    """The attributes in a tag, by their names in lower case; the first of a name counts, as for a browser."""
    found: dict[str, str] = {}
    for name, *values in map(_match_groups, islice(ATTRIBUTE.finditer(text), MOST_ATTRIBUTES)):
        value = next(filter(None, values), "")
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

    def find(self, attributes: Attributes, sources: Sequence[Attributes], link: str | None) -> Address:
        """The best address of a picture, by its attributes, the `source`s before it in `picture`, and the link around.

        An address that was made for scripts comes before `src`, a large candidate of a `srcset` before a small one.
        """
        src = attributes.get("src", "")
        own = src if self._is_real(src) else None
        candidates = self._candidates(attributes.get("srcset", ""))
        late = [each for name in attributes if name.endswith("srcset") and name != "srcset"
                for each in self._candidates(attributes[name])]  # fmt: skip
        first = next((attributes[name] for name in LATE if self._is_real(attributes.get(name, ""))), None)
        if self.listed and (found := self._listed(own, first, *(each.url for each in (*candidates, *late)))):
            return Address(found, is_late=found != own)
        if first or late:
            return Address(self._larger(first, [*late, *candidates], attributes), is_late=True)
        if own and not looks_like_placeholder(own):
            return Address(self._larger(own, candidates, attributes), alternative=self._unusual(attributes))
        best = best_candidate(candidates) or self._best_source(sources)
        found = best.url if best else self._unusual(attributes) or self._linked(link) or own
        return Address(found, is_late=found != own)

    def _is_real(self, url: str) -> bool:
        return bool(url) and is_usable(url, has_base=self.base_url is not None) and not is_sure_placeholder(url)

    def _candidates(self, srcset: str) -> list[Candidate]:
        return [each for each in read_candidates(srcset) if self._is_real(each.url)] if srcset else []

    def _listed(self, *urls: str | None) -> str | None:
        return next((url for url in urls if url and self.absolute(url) in self.listed), None)

    def _larger(self, url: str | None, candidates: list[Candidate], attributes: Attributes) -> str | None:
        """The best of the candidates if `url` is a smaller one of them, else `url`."""
        best = best_candidate(candidates)
        if url is None or best is None:
            return url if best is None else best.url
        # A candidate list without `url` can be made of other pictures, or of previews smaller than it.
        known = next((each for each in candidates if each.url == url), best)
        is_larger = (best.width or 0, best.density) > (known.width or 0, known.density)
        return best.url if is_larger else url

    def _best_source(self, sources: Sequence[Attributes]) -> Candidate | None:
        """The best candidate of the sources in a format that most programs can show."""
        ranked: dict[int, list[Candidate]] = {}
        for source in sources:
            texts = [source[name] for name in source if name.endswith("srcset") or name in ("src", "data-src")]
            rank = FORMATS.get(source.get("type", "").strip().lower(), 2)
            ranked.setdefault(rank, []).extend(each for text in texts for each in self._candidates(text))
        return next((best for rank in sorted(ranked) if (best := best_candidate(ranked[rank]))), None)

    def _unusual(self, attributes: Attributes) -> str | None:
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

    def _linked(self, link: str | None) -> str | None:
        """The picture to which the link around this one leads, by its file name."""
        found = HREF.search(link) if link else None
        url = unescape(next(filter(None, found.groups()), "")) if found else ""
        return url if self._is_real(url) and is_picture_file(url) else None
