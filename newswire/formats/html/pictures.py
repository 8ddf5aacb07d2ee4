"""The pictures of HTML as sent: the address from which each is really loaded, before the sanitiser takes it away.

Pages load pictures late: `src` holds a placeholder, and the address is in `data-src`, `srcset`, a `source` of `picture`
or a `noscript`. `choose_addresses` writes it into `src`. What a single element says is read in `picture_elements`,
which elements stay is decided in `sanitise`; the pictures of the clean body are read in `figures`.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import unescape
from typing import NamedTuple

from newswire.formats.html.picture_elements import (
    LATE,
    SOURCE,
    Address,
    AddressFinder,
    Attributes,
    is_pasted,
    is_tracking_pixel,
    read_attributes,
    write_picture,
)
from newswire.formats.html.picture_urls import EMPTY, LOADERS, is_sure_placeholder, picture_key
from newswire.formats.html.tokens import TOKEN, noscript_markup

# One of these is in every body for which this module has anything to do: anywhere, or in the tag of a picture.
MARKS = (b"<noscript", b"<amp-", b"<picture", b"wp-caption")
MARKS_OF_PICTURE = (b"srcset", b"data:", b"lazy", b"-src", b"_src", b"src_", b"original")
LATE_DATA = tuple(name.encode() for name in LATE if not any(mark.decode() in name for mark in MARKS_OF_PICTURE))
WORDS_OF_PLACEHOLDERS = tuple(word.encode() for word in EMPTY | LOADERS)
SOURCE_IN_BYTES = re.compile(rb"""\ssrc="(https?://[^"]*+)"|\ssrc='(https?://[^']*+)'""")
PICTURES = frozenset({"img", "image", "amp-img", "amp-anim"})
PICTURE_PARTS = PICTURES | {"picture", "source"}
TAG = re.compile(r"<[^>]*+>")
# As `SOURCE`, in the output of ammonia.
IMAGE = re.compile(r"<img[^>]*+>")
PIXEL = re.compile(r' width="[01]"(?=[^>]* height="[01]")| height="[01]"(?=[^>]* width="[01]")')
# More than this between a picture and a `noscript` are no longer the tags around the two.
LONGEST_GAP = 500
CAPTION_CLASS = re.compile(r"""(?:["'\s=])(wp-caption(?:-text|-dd|-dt)?+)(?=["'\s]|\Z)""")
CAPTION_ELEMENTS = {
    "wp-caption": "figure", "wp-caption-text": "figcaption", "wp-caption-dd": "figcaption", "wp-caption-dt": "div",
}  # fmt: skip
CAPTION_HOLDERS = frozenset({"dd", "div", "dl", "dt", "p", "span"})
CAPTION_HOLDER = re.compile(r"<(?:dd|div|dl|dt|p|span)\s[^<>]*?wp-caption", re.IGNORECASE)


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
        return self.address.is_weak or self.address.is_late or self.name.startswith("amp-")


@dataclass
class Noscript:
    """A `noscript` between two positions of a document, with pictures in it; and all of its content."""

    start: int
    end: int
    pictures: list[Picture]
    content: str


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
    # In bytes, which Python turns to lower case four times as fast as text.
    lowered = html.encode().lower()
    if not _has_late_pictures(lowered):
        return Chosen(html, 0)
    reader = PictureReader(html, AddressFinder(base_url, frozenset(listed)))
    has_captions = b"wp-caption" in lowered and CAPTION_HOLDER.search(html)
    edits = [*(caption_edits(html) if has_captions else ()), *reader.edits()]
    pieces, position = [], 0
    for edit in sorted(edits):
        pieces += [html[position : edit.start], edit.html]
        position = edit.end
    return Chosen("".join([*pieces, html[position:]]) if edits else html, reader.pasted)


def _has_late_pictures(lowered: bytes) -> bool:
    """A quick look for pictures whose address may not be in `src`; it may err to True."""
    if any(mark in lowered for mark in MARKS):
        return True
    sources: set[bytes] = set()
    position = lowered.find(b"<im")
    while position >= 0:
        following = lowered.find(b"<", position + 1)
        tag = lowered[position : following if following >= 0 else len(lowered)]
        # With a quotation left open, the `<` stands in the value of an attribute.
        if any(mark in tag for mark in MARKS_OF_PICTURE) or tag.count(b'"') % 2 or tag.count(b"='") % 2:
            return True
        if b"data-" in tag:
            if any(name in tag for name in LATE_DATA):
                return True
            # Other attributes count where `src` has no real address, or the same as another picture.
            source = SOURCE_IN_BYTES.search(tag)
            if source is None or source[0] in sources or any(word in source[0] for word in WORDS_OF_PLACEHOLDERS):
                return True
            sources.add(source[0])
        position = lowered.find(b"<im", position + 1)
    return False


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
        amp: Picture | None = None
        for token in TOKEN.finditer(self.html):
            if not (name := token["name"]):
                if token["hollowed"] and token["hollowed"].lower() == "noscript":
                    self._read_noscript(token)
                continue
            name = name.lower()
            if name not in PICTURE_PARTS:
                continue
            if name in PICTURES:
                if token["end"]:
                    amp = None
                    continue
                attributes = read_attributes(token["attributes"])
                start = token.start()
                address = self.finder.find(attributes, sources or (), self.html[max(0, start - LONGEST_GAP) : start])
                found = Picture(start, token.end(), name, attributes, address)
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

    def _is_in_amp(self, inner: Picture, outer: Picture) -> bool:
        """Whether a picture within `amp-img` is its fallback or its copy made by a server."""
        said = inner.attributes.keys() & {"fallback", "placeholder"} or "i-amphtml" in inner.attributes.get("class", "")
        return bool(outer.address.url) and (bool(said) or self._key(inner) == self._key(outer))

    def _add_sources(self, position: int, sources: list[Attributes]) -> None:
        """A `picture` without `img` has only its sources; browsers show nothing, but a script was to add the `img`."""
        address = self.finder.find({}, sources, "")
        if address.url is not None:
            self.pictures.append(Picture(position, position, "picture", {}, address))

    def _read_noscript(self, token: re.Match[str]) -> None:
        inner = noscript_markup(token[0])
        if "<img" not in (lowered := inner.lower()) and "<amp-img" not in lowered and "<picture" not in lowered:
            return
        found = [picture for picture in PictureReader(inner, self.finder).pictures
                 if picture.is_kept and picture.address.url and not is_tracking_pixel(picture.attributes)]  # fmt: skip
        if found:
            self.noscripts.append((len(self.pictures), Noscript(token.start(), token.end(), found, inner)))

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
        shared = Counter(picture.address.url for picture in self.pictures if picture.address.url)
        for url in [url for url, times in shared.items() if times > 1]:
            others = {number: found for number, picture in enumerate(self.pictures)
                      if picture.address.url == url and (found := self.finder.unusual(picture.attributes))}  # fmt: skip
            if len(set(others.values())) > 1:
                for number, found in others.items():
                    self.pictures[number].address = Address(found, is_late=True)

    def _noscript_edits(self) -> Iterator[Edit]:
        if not self.noscripts:
            return
        shown = {self._key(picture) for picture in self.pictures if picture.is_kept and picture.address.url}
        for following, noscript in self.noscripts:
            rest = noscript.pictures
            if len(rest) == 1 and (beside := self._late_neighbour(following, noscript)):
                if beside.address.is_weak:
                    beside.address = Address(rest[0].address.url, is_late=True)
                    beside.attributes = {**rest[0].attributes, **{k: v for k, v in beside.attributes.items() if v}}
                    shown.add(self._key(beside))
                rest = []
            new = {self._key(picture): picture for picture in rest}
            written = [write_picture(new[key].attributes, new[key].address) for key in new if key not in shown]
            shown |= new.keys()
            has_text = TAG.sub("", noscript.content).strip()
            # The element stays for the sanitiser, which leaves the text in it, and no picture.
            text = f"<noscript>{noscript.content}</noscript>" if has_text else ""
            yield Edit(noscript.start, noscript.end, "".join([*written, text]))

    def _late_neighbour(self, following: int, noscript: Noscript) -> Picture | None:
        """The picture right before or after a `noscript` that a script was to load: both are one picture."""
        before = next(
            (each for each in reversed(self.pictures[max(0, following - 3) : following]) if each.is_kept), None
        )
        after = next(iter(self.pictures[following : following + 1]), None)
        for picture, gap in (
            (before, before and (before.end, noscript.start)),
            (after, after and (noscript.end, after.start)),
        ):
            if picture and gap and picture.is_late and self._is_gap(*gap):
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
    source = SOURCE.match(tag)
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
