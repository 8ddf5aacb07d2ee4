"""What a feed reader shows of an article: its body, and the pictures that the body does not show itself.

Most readers show a picture only where it stands in the content.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lxml import etree

from newswire.formats.feeds.channel import Article, lead
from newswire.formats.feeds.xml import add_element


def content(article: Article) -> str | None:
    """The body with the lead picture before it and the others behind it; None without either."""
    body, first = article["body_html"] or "", lead(article)
    pictures: Sequence[Mapping[str, Any]] = article["images"]
    missing = [picture for picture in pictures if not is_shown(picture, body)]
    before = [figure(picture) for picture in missing if picture is first]
    after = [figure(picture) for picture in missing if picture is not first]
    return "".join([*before, body, *after]) or None


def is_shown(picture: Mapping[str, Any], body: str) -> bool:
    """Whether a picture's address stands in the body, with its ampersands as HTML has them."""
    return f'"{escape(picture["url"], quote=False)}"' in body


def figure(picture: Mapping[str, Any]) -> str:
    """A picture with its caption and its credit as HTML."""
    root = etree.Element("figure")
    add_element(root, "img", src=picture["url"], alt=picture["alt_text"] or "", width=picture["width"],
        height=picture["height"])  # fmt: skip
    if told := " ".join(text for text in (picture["caption"], picture["credit"]) if text):
        add_element(root, "figcaption", told)
    return etree.tostring(root, encoding="unicode", method="html")
