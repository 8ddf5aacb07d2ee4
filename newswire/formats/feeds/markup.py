"""The markup that feed formats share: XML elements and text, and the HTML content of an article.

The documents themselves are written in `rss`, `atom` and `json_feed`; metadata are read in `channel`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from newswire.article import UNCARRIABLE
from newswire.formats.corrections import correction_html
from newswire.formats.feeds.channel import Article, lead_picture
from newswire.formats.html.figures import ShownPictures

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
XML = "http://www.w3.org/XML/1998/namespace"


def add_element(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str | int | None
) -> etree._Element:  # fmt: skip
    """Appends a child with its text and with the attributes that are not None; returns it."""
    known = {key: xml_text(str(value)) for key, value in attributes.items() if value is not None}
    child = etree.SubElement(parent, name, known)
    if text is not None:
        child.text = xml_text(text)
    return child


def xml_text(text: str) -> str:
    """Text with U+FFFD for each character that XML 1.0 cannot carry."""
    # Such characters are refused when an article is received. One that got past must not break a feed for all readers.
    return UNCARRIABLE.sub("\ufffd", text)


def xml_document(root: etree._Element) -> bytes:
    """The document below `root`, with an XML declaration, in UTF-8."""
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def feed_content(article: Article) -> str | None:
    """The body as HTML, with a figure for each picture that it does not show; None without body and pictures.

    The notice of a correction comes first, then the lead picture, the body, and the other pictures.
    """
    # Most feed readers show a picture only where the content contains it.
    body, first = article["body_html"] or "", lead_picture(article)
    pictures: Sequence[Mapping[str, Any]] = article["images"]
    shown = ShownPictures(body)
    missing = [picture for picture in pictures if picture not in shown]
    before = [_figure_html(picture) for picture in missing if picture is first]
    after = [_figure_html(picture) for picture in missing if picture is not first]
    return "".join([correction_html(article), *before, body, *after]) or None


def _figure_html(picture: Mapping[str, Any]) -> str:
    """A picture with its caption and its credit as HTML."""
    root = etree.Element("figure")
    add_element(root, "img", src=picture["url"], alt=picture["alt_text"] or "", width=picture["width"],
        height=picture["height"])  # fmt: skip
    if caption := " ".join(text for text in (picture["caption"], picture["credit"]) if text):
        add_element(root, "figcaption", caption)
    return etree.tostring(root, encoding="unicode", method="html")
