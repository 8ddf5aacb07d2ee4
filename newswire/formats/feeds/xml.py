"""Writing XML: names, elements and text that any parser takes. What is written stands in `rss` and `atom`."""

from lxml import etree

from newswire.article import UNCARRIABLE

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
XML = "http://www.w3.org/XML/1998/namespace"


def add_element(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str | int | None
) -> etree._Element:  # fmt: skip
    """A new child with its text, and those of the attributes that are known."""
    known = {key: xml_text(str(value)) for key, value in attributes.items() if value is not None}
    child = etree.SubElement(parent, name, known)
    if text is not None:
        child.text = xml_text(text)
    return child


def xml_text(text: str) -> str:
    """The text as XML can carry it. What it cannot is refused on the way in; no feed breaks of what got past."""
    return UNCARRIABLE.sub("\ufffd", text)


def xml_document(root: etree._Element) -> bytes:
    """The whole document in UTF-8."""
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
