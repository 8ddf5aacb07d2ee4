"""The pictures of HTML as sent: the address from which each is really loaded, before the sanitiser takes it away.

Pages load pictures late: `src` holds a placeholder, and the address is in `data-src`, `srcset`, a `source` of `picture`
or a `noscript`. `choose_addresses` writes it into `src`. What a single element says is read in `picture_elements`,
which elements stay is decided in `sanitise`; the pictures of the clean body are read in `figures`.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import unescape
from typing import NamedTuple

from newswire.formats.html.picture_elements import (
    Address,
    AddressFinder,
    Attributes,
    is_pasted,
    is_tracking_pixel,
    read_attributes,
    write_picture,
)
from newswire.formats.html.picture_urls import is_sure_placeholder, picture_key
from newswire.formats.html.tokens import TOKEN

# One of these is in every body for which this module has anything to do.
MARKS = (
    "srcset", "data-", "data:", "<noscript", "<amp-", "wp-caption", "lazysrc", "lazy-src", "_src", "actualsrc", "hires",
)  # fmt: skip
PICTURES = frozenset({"img", "image", "amp-img", "amp-anim"})
TAG = re.compile(r"<[^>]*+>")
# A picture in the output of ammonia, where only tags have angle brackets, and all values are in double quotes.
IMAGE = re.compile(r"<img[^>]*+>")
SOURCE = re.compile(r' src="([^"]*+)"')
PIXEL = re.compile(r' width="[01]"(?=[^>]* height="[01]")| height="[01]"(?=[^>]* width="[01]")')
# More than this between a picture and a `noscript` are no longer the tags around the two.
LONGEST_GAP = 500
CAPTION_CLASS = re.compile(r"""(?:["'\s=])(wp-caption(?:-text|-dd|-dt)?+)(?=["'\s]|\Z)""")
CAPTION_ELEMENTS = {
    "wp-caption": "figure", "wp-caption-text": "figcaption", "wp-caption-dd": "figcaption", "wp-caption-dt": "div",
}  # fmt: skip
CAPTION_HOLDERS = frozenset({"dd", "div", "dl", "dt", "p", "span"})


class Chosen(NamedTuple):
    """HTML whose pictures have their real addresses in `src`, and the number of pasted pictures taken out of it."""

    html: str
    pasted: int


@dataclass
class Picture:
    """A picture element between two positions of a document, and the address found for it.

    `is_late`: a script or another element was to load it, so that a `noscript` beside it shows the same picture.
    """

    start: int
    end: int
    name: str
    attributes: Attributes
    address: Address
    is_kept: bool = True

    @property
    def is_late(self) -> bool:
        return self.address.url is None or self.address.is_late or self.name.startswith("amp-")


@dataclass
class Noscript:
    """A `noscript` between two positions of a document, with pictures in it; `text`: there is more in it than those."""

    start: int
    end: int
    pictures: list[Picture]
    text: bool


class Edit(NamedTuple):
    """A replacement of the characters between two positions."""

    start: int
    end: int
    html: str


def choose_addresses(html: str, base_url: str | None, listed: Collection[str] = ()) -> Chosen:
    """Writes the best real address of each picture into its `src`, and `figure` for the captions of WordPress.

    A picture in `noscript` is a copy of one beside it that a script was to load, or stands for itself. A picture whose
    only address is a `data:` URL is taken out. An address in `listed`, the absolute URLs of the article's own pictures,
    is preferred. Without `base_url`, relative addresses are used only where they stand in `src`. Takes linear time.
    """
    lowered = html.lower()
    if not any(mark in lowered for mark in MARKS):
        return Chosen(html, 0)
    reader = PictureReader(html, AddressFinder(base_url, frozenset(listed)))
    edits = [*(caption_edits(html) if "wp-caption" in lowered else ()), *reader.edits()]
    pieces, position = [], 0
    for edit in sorted(edits):
        pieces += [html[position : edit.start], edit.html]
        position = edit.end
    return Chosen("".join([*pieces, html[position:]]) if edits else html, reader.pasted)


class PictureReader:
    """The pictures of a document, in the order in which they stand."""

    def __init__(self, html: str, finder: AddressFinder) -> None:
        self.html = html
        self.finder = finder
        self.pictures: list[Picture] = []
        self.noscripts: list[tuple[int, Noscript]] = []
        self.pasted = 0
        self._read()

    def _read(self) -> None:
        sources: list[Attributes] | None = None
        link: str | None = None
        amp: Picture | None = None
        for token in TOKEN.finditer(self.html):
            if token["hollowed"]:
                if token["hollowed"].lower() == "noscript":
                    self._read_noscript(token)
                continue
            name = (token["name"] or "").lower()
            if name in PICTURES:
                if token["end"]:
                    amp = None
                    continue
                attributes = read_attributes(token["attributes"])
                address = self.finder.find(attributes, sources or (), link)
                found = Picture(token.start(), token.end(), name, attributes, address)
                found.is_kept = amp is None or not self._is_in_amp(found, amp)
                self.pictures.append(found)
                amp = found if name.startswith("amp-") and amp is None else amp
                sources = None if sources is None else []
            elif name == "picture":
                if sources and token["end"]:
                    self._add_sources(token.start(), sources)
                sources = None if token["end"] else []
            elif name == "source" and sources is not None and not token["end"]:
                sources.append(read_attributes(token["attributes"]))
            elif name == "a":
                link = None if token["end"] else token["attributes"]

    def _is_in_amp(self, inner: Picture, outer: Picture) -> bool:
        """Whether a picture within `amp-img` is its fallback or its copy made by a server."""
        said = inner.attributes.keys() & {"fallback", "placeholder"} or "i-amphtml" in inner.attributes.get("class", "")
        return bool(outer.address.url) and (bool(said) or self._key(inner) == self._key(outer))

    def _add_sources(self, position: int, sources: list[Attributes]) -> None:
        """A `picture` without `img` has only its sources; browsers show nothing, but a script was to add the `img`."""
        address = self.finder.find({}, sources, None)
        if address.url is not None:
            self.pictures.append(Picture(position, position, "picture", {}, address))

    def _read_noscript(self, token: re.Match[str]) -> None:
        content = TAG.match(token[0])
        inner = token[0][content.end() if content else 0 :].rpartition("</")[0]
        if "<" not in inner and "&lt;" in inner:
            inner = unescape(inner)
        if "<img" not in (lowered := inner.lower()) and "<amp-img" not in lowered and "<picture" not in lowered:
            return
        found = [picture for picture in PictureReader(inner, self.finder).pictures
                 if picture.is_kept and picture.address.url and not is_tracking_pixel(picture.attributes)]  # fmt: skip
        if found:
            text = bool(TAG.sub("", inner).strip())
            self.noscripts.append((len(self.pictures), Noscript(token.start(), token.end(), found, text)))

    def edits(self) -> Iterator[Edit]:
        """The replacements that leave each picture once, with its address."""
        self._prefer_rare_addresses()
        yield from self._noscript_edits()
        for picture in self.pictures:
            if not picture.is_kept:
                yield Edit(picture.start, picture.end, "")
            elif picture.address.url is None and is_pasted(picture.attributes):
                self.pasted += 1
                yield self._without_paragraph(picture)
            elif picture.address.url is not None and (
                picture.name != "img" or picture.address.url != picture.attributes.get("src")
            ):
                yield Edit(picture.start, picture.end, write_picture(picture.attributes, picture.address))

    def _without_paragraph(self, picture: Picture) -> Edit:
        """Takes a picture out, with the paragraph that holds only it, whose removal would be a second warning."""
        start, end = picture.start, picture.end
        alone = self.html.startswith("</p>", end) and self.html.endswith("<p>", 0, start)
        return Edit(start - 3, end + 4, "") if alone else Edit(start, end, "")

    def _prefer_rare_addresses(self) -> None:
        """Takes a `src` that several pictures share, beside other addresses that differ, for a placeholder."""
        sharing: dict[str, list[Picture]] = {}
        for picture in self.pictures:
            if picture.address.url and picture.address.alternative:
                sharing.setdefault(picture.address.url, []).append(picture)
        for pictures in sharing.values():
            if len({picture.address.alternative for picture in pictures}) > 1:
                for picture in pictures:
                    picture.address = Address(picture.address.alternative, is_late=True)

    def _noscript_edits(self) -> Iterator[Edit]:
        shown = {self._key(picture) for picture in self.pictures if picture.is_kept and picture.address.url}
        for following, noscript in self.noscripts:
            rest = noscript.pictures
            if len(rest) == 1 and (beside := self._late_neighbour(following, noscript)):
                if beside.address.url is None:
                    beside.address = Address(rest[0].address.url, is_late=True)
                    beside.attributes = {**rest[0].attributes, **{k: v for k, v in beside.attributes.items() if v}}
                    shown.add(self._key(beside))
                rest = []
            new = {self._key(picture): picture for picture in rest}
            written = [write_picture(new[key].attributes, new[key].address) for key in new if key not in shown]
            shown |= new.keys()
            # What else was in it is lost: the element stays for the sanitiser, which removes it with a warning.
            rest_of_it = "<noscript></noscript>" if noscript.text else ""
            yield Edit(noscript.start, noscript.end, "".join([*written, rest_of_it]))

    def _late_neighbour(self, following: int, noscript: Noscript) -> Picture | None:
        """The picture right before or after a `noscript` that a script was to load: both are one picture."""
        around = [(self.pictures[following - 1], True)] if following else []
        around += [(each, False) for each in self.pictures[following : following + 1]]
        for picture, is_before in around:
            gap = (picture.end, noscript.start) if is_before else (noscript.end, picture.start)
            if picture.is_kept and picture.is_late and self._is_gap(*gap):
                return picture
        return None

    def _is_gap(self, start: int, end: int) -> bool:
        return end - start <= LONGEST_GAP and not TAG.sub("", self.html[start:end]).strip()

    def _key(self, picture: Picture) -> str:
        return picture_key(self.finder.absolute(picture.address.url or ""))


def without_empty_pictures(clean: str) -> str:
    """Sanitised HTML without pictures that show nothing: without an address, placeholders, tracking pixels."""
    if "<img" not in clean:
        return clean
    return IMAGE.sub(lambda image: "" if _shows_nothing(image[0]) else image[0], clean)


def _shows_nothing(tag: str) -> bool:
    source = SOURCE.search(tag)
    if source is None:
        return True
    return bool(is_sure_placeholder(unescape(source[1])) or PIXEL.search(tag))


def caption_edits(html: str) -> Iterator[Edit]:
    """The replacements that write WordPress' `wp-caption` as `figure` and `figcaption`, which need no class."""
    open_elements: dict[str, list[str | None]] = {}
    figures = 0
    for token in TOKEN.finditer(html):
        name = (token["name"] or "").lower()
        if name not in CAPTION_HOLDERS:
            continue
        stack = open_elements.setdefault(name, [])
        end = token.start() + len(token["end"]) + 1 + len(name)
        if not token["end"]:
            marked = CAPTION_CLASS.search(token["attributes"])
            written = CAPTION_ELEMENTS[marked[1]] if marked and (figures or marked[1] == "wp-caption") else None
            figures += written == "figure"
            if name == "p":
                # The start of a paragraph ends the one before it.
                stack.clear()
            stack.append(written)
            if written:
                yield Edit(token.start(), end, f"<{written}")
        elif stack and (written := stack.pop()):
            figures -= written == "figure"
            yield Edit(token.start(), end, f"</{written}")
