"""Embedded media (frames, videos, documents): the address of what each shows, and the link that takes its place.

How they are found in a text, and where the link is put, is decided in `rewriting`.
"""

import re
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import quote, urlsplit

from newswire.formats.html.tokens import NAME

VOID_EMBEDS = frozenset({"embed", "frame"})
# Components of AMP that name what they show by an id, and the address of it.
AMP_ADDRESSES = {
    "amp-dailymotion": ("data-videoid", "https://www.dailymotion.com/video/{}"),
    "amp-facebook": ("data-href", None),
    "amp-instagram": ("data-shortcode", "https://www.instagram.com/p/{}/"),
    "amp-soundcloud": ("data-trackid", "https://api.soundcloud.com/tracks/{}"),
    "amp-twitter": ("data-tweetid", "https://twitter.com/i/status/{}"),
    "amp-vimeo": ("data-videoid", "https://vimeo.com/{}"),
    "amp-youtube": ("data-videoid", "https://www.youtube.com/watch?v={}"),
}
EMBEDS = VOID_EMBEDS | AMP_ADDRESSES.keys() | {
    "amp-audio", "amp-iframe", "amp-video", "applet", "audio", "iframe", "object", "video",
}  # fmt: skip
# Late loading puts the address into an attribute of its own, and a placeholder into the usual one.
ADDRESSES = ("src", "data", "data-src", "data-lazy-src", "data-original")
TITLES = ("title", "aria-label")
# Names of <param> that hold the address of a film (Flash and its successors).
FILMS = frozenset({"filename", "movie", "src", "url"})
LONGEST_TITLE = 200
HIDDEN = re.compile(r"display\s*+:\s*+none|visibility\s*+:\s*+hidden", re.IGNORECASE)
ATTRIBUTE = re.compile(
    rf"""({NAME})(?:\s*+=\s*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\s>"'][^\s>]*+)?))?+""", re.ASCII
)


def attribute_values(text: str) -> dict[str, str]:
    """The attributes in `text`, the inside of a start tag, by their names in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    for name, *values in ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), unescape("".join(values)).strip())
    return found


@dataclass
class Caption:
    """The caption of a figure: its plain text, once it is known, and the piece of the output before which it stands."""

    text: str = ""
    piece: int | None = None


@dataclass
class Embed:
    """An embedded medium. `piece` is the piece of the output that its link becomes, `began` the count of addresses
    that the text held before it, `candidates` the values that could be its address, best first."""

    name: str
    attributes: dict[str, str]
    piece: int
    began: int
    is_in_paragraph: bool
    caption: Caption | None
    candidates: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.candidates += [self.attributes[name] for name in ADDRESSES if self.attributes.get(name)]
        attribute, pattern = AMP_ADDRESSES.get(self.name, ("", None))
        if value := self.attributes.get(attribute):
            self.candidates.append(pattern.format(quote(value, safe="")) if pattern else value)

    def add_child(self, name: str, attributes: dict[str, str]) -> None:
        """Takes the address from a `<source>` or a `<param>` in the element."""
        if name == "source":
            self.candidates += [attributes[name] for name in ADDRESSES if attributes.get(name)]
        elif attributes.get("name", "").lower() in FILMS and attributes.get("value"):
            self.candidates.append(attributes["value"])

    def is_shown(self) -> bool:
        """Whether a reader would have seen it: counters of visits are frames without a size."""
        sizes = {self.attributes.get(name, "").removesuffix("px") for name in ("width", "height")}
        is_hidden = "hidden" in self.attributes or HIDDEN.search(self.attributes.get("style", ""))
        return sizes.isdisjoint({"0", "1"}) and not is_hidden

    def link_html(self, url: str) -> str:
        """The link to `url`: its text is the title of the medium, else the caption of the figure, else the host."""
        title = next((self.attributes[name] for name in TITLES if self.attributes.get(name)), "")
        text = " ".join((title or (self.caption.text if self.caption else "")).split())[:LONGEST_TITLE]
        link = f'<a href="{escape(url)}">{escape(text or urlsplit(url).hostname or url, quote=False)}</a>'
        return f" {link} " if self.is_in_paragraph else f"<p>{link}</p>"
