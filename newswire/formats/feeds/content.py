"""The HTML content of an article in a feed: its body, with figures for pictures that the body does not contain.

Most feed readers show a picture only where the content contains it.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lxml import etree

from newswire.formats.feeds.channel import Article, lead_picture
from newswire.formats.feeds.xml import add_element


def feed_content(article: Article) -> str | None:
    """The body after the lead picture and before the others; None without a body and pictures."""
    body, first = article["body_html"] or "", lead_picture(article)
    pictures: Sequence[Mapping[str, Any]] = article["images"]
    missing = [picture for picture in pictures if not _is_shown(picture, body)]
    before = [_figure_html(picture) for picture in missing if picture is first]
    after = [_figure_html(picture) for picture in missing if picture is not first]
    return "".join([*before, body, *after]) or None


def _is_shown(picture: Mapping[str, Any], body: str) -> bool:
    """Whether a picture's address stands in the body, with its ampersands as HTML has them."""
    return f'"{escape(picture["url"], quote=False)}"' in body


def _figure_html(picture: Mapping[str, Any]) -> str:
    """A picture with its caption and its credit as HTML."""
    root = etree.Element("figure")
    add_element(root, "img", src=picture["url"], alt=picture["alt_text"] or "", width=picture["width"],
        height=picture["height"])  # fmt: skip
    if told := " ".join(text for text in (picture["caption"], picture["credit"]) if text):
        add_element(root, "figcaption", told)
    return etree.tostring(root, encoding="unicode", method="html")
