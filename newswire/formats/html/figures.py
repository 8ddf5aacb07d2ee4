"""The pictures of a sanitised body: their attributes, and the captions of the figures in which they stand.

Their addresses were chosen before the body was sanitised, in `pictures`. What an article makes of them is decided in
`publishing.body_pictures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from newswire.formats.html.picture_elements import SOURCE, read_attributes
from newswire.formats.html.picture_urls import picture_key
from newswire.formats.html.text import html_to_text
from newswire.formats.html.tokens import TOKEN

# Captions have at most 20,000 characters; this leaves room for their markup.
LONGEST_CAPTION = 100_000


@dataclass
class BodyPicture:
    """A picture of a body: its `src`, its attributes as text, and the plain text of its `figcaption`."""

    url: str
    alternative: str | None
    title: str | None
    width: int | None
    height: int | None
    caption: str | None = None


@dataclass
class Figure:
    """An open `figure`: its pictures, where its caption begins, and the text of that once it is read."""

    pictures: list[BodyPicture] = field(default_factory=list)
    caption_start: int | None = None
    caption: str | None = None


def list_pictures(clean: str) -> list[BodyPicture]:
    """The pictures of sanitised HTML, in their order.

    A caption belongs to all pictures of its figure that have none of their own, so that of a gallery too.
    """
    found: list[BodyPicture] = []
    if "<img" not in clean:
        return found
    figures: list[Figure] = []
    for token in TOKEN.finditer(clean):
        name = token["name"]
        if name == "img":
            picture = _read_picture(read_attributes(token["attributes"]))
            found.append(picture)
            if figures:
                figures[-1].pictures.append(picture)
        elif name == "figure":
            if not token["end"]:
                figures.append(Figure())
            elif figures:
                _close_figure(figures)
        elif name == "figcaption" and figures:
            _read_caption(figures[-1], clean, token.start() if token["end"] else None, token.end())
    return found


def _read_picture(attributes: Mapping[str, str]) -> BodyPicture:
    alternative, title = (" ".join(attributes.get(name, "").split()) or None for name in ("alt", "title"))
    width, height = (int(attributes.get(name) or 0) or None for name in ("width", "height"))
    return BodyPicture(attributes["src"], alternative, title, width, height)


def _read_caption(figure: Figure, clean: str, end: int | None, after: int) -> None:
    if end is None:
        figure.caption_start = after
    elif figure.caption_start is not None and figure.caption is None:
        figure.caption = html_to_text(clean[figure.caption_start : min(end, figure.caption_start + LONGEST_CAPTION)])


def _close_figure(figures: list[Figure]) -> None:
    closed = figures.pop()
    if closed.caption:
        for picture in closed.pictures:
            picture.caption = picture.caption or closed.caption
    if figures:
        figures[-1].pictures += (picture for picture in closed.pictures if not picture.caption)


class ShownPictures:
    """The pictures that a body shows, so that a page or a feed does not show them again."""

    def __init__(self, body: str | None) -> None:
        self.keys = {picture_key(unescape(url)) for url in SOURCE.findall(body or "")}

    def __contains__(self, picture: Mapping[str, Any]) -> bool:
        """Whether the body shows a picture of an article, in this size or another."""
        return bool(self.keys) and picture_key(picture["url"]) in self.keys
