"""RSS 2.0 with the modules content, Dublin Core and Media RSS."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

from lxml import etree

from newswire.formats.feeds.channel import (
    GENERATOR,
    Article,
    Channel,
    language,
    lead,
    media_type,
    people,
    rights,
    size_of,
    tags,
)
from newswire.formats.feeds.content import content
from newswire.formats.feeds.xml import ATOM, CONTENT, DC, MEDIA, add_element, xml_document, xml_text
from newswire.timestamps import EPOCH, parse_instant

MARKUP = re.compile("[&<]")


def rss(channel: Channel, articles: Sequence[Article]) -> bytes:
    """A page of a feed as RSS 2.0 (the specification of the RSS Advisory Board)."""
    names = {"atom": ATOM, "content": CONTENT, "dc": DC, "media": MEDIA}
    root = etree.Element("rss", {"version": "2.0"}, nsmap=names)
    top = etree.SubElement(root, "channel")
    plain(top, "title", channel.title)
    add_element(top, "link", channel.home)
    add_element(top, "description", escape(channel.title, quote=False))
    if common := language(articles):
        add_element(top, "language", common)
    add_element(top, "lastBuildDate", mail_date(channel.updated_at(articles)))
    add_element(top, "generator", GENERATOR)
    links = {"self": channel.address, "first": channel.first, "next": channel.following}
    for relation, address in links.items():
        if address is not None:
            add_element(top, f"{{{ATOM}}}link", rel=relation, href=address, type="application/rss+xml")
    for article in articles:
        item(etree.SubElement(top, "item"), channel, article)
    return xml_document(root)


def item(parent: etree._Element, channel: Channel, article: Article) -> None:
    """One article. `description` is HTML, so that a plain summary is escaped; `title` is plain text."""
    plain(parent, "title", article["headline"])
    add_element(parent, "link", channel.page_of(article))
    add_element(parent, "guid", article["uri"], isPermaLink="false")
    add_element(parent, "pubDate", mail_date(parse_instant(article["published_at"])))
    if article["summary"]:
        add_element(parent, "description", escape(article["summary"], quote=False))
    if shown := content(article):
        add_element(parent, f"{{{CONTENT}}}encoded", shown)
    for person in people(article):
        plain(parent, f"{{{DC}}}creator", person.name)
    plain(parent, f"{{{DC}}}publisher", article["publisher"]["name"])
    add_element(parent, f"{{{DC}}}language", article["language"])
    if notice := rights(article):
        plain(parent, f"{{{DC}}}rights", notice)
    for tag in tags(article):
        plain(parent, "category", tag.label, domain=tag.scheme)
    for each in article["images"]:
        picture(parent, each, leading=each is lead(article))


def plain(parent: etree._Element, name: str, text: str, **attributes: str | None) -> None:
    """Plain text. Its markup characters are written as numbers, as the RSS Best Practices Profile has it.

    Some readers take &lt; in a title for the beginning of HTML; with &#x3C; they do not.
    """
    node = add_element(parent, name, **attributes)
    written, reference = 0, None
    for found in MARKUP.finditer(text):
        put(node, reference, text[written : found.start()])
        reference = etree.Entity(f"#x{ord(found[0]):X}")
        node.append(reference)
        written = found.end()
    put(node, reference, text[written:])


def put(node: etree._Element, reference: etree._Entity | None, text: str) -> None:
    """Text behind a character reference, or at the beginning."""
    if reference is None:
        node.text = xml_text(text)
    else:
        reference.tail = xml_text(text)


def picture(parent: etree._Element, image: Mapping[str, Any], *, leading: bool) -> None:
    """A picture (Media RSS 1.5.1); what is not known of it is left out."""
    media = add_element(
        parent, f"{{{MEDIA}}}content", url=image["url"], type=media_type(image), medium="image",
        fileSize=size_of(image), width=image["width"], height=image["height"], isDefault="true" if leading else None,
    )  # fmt: skip
    texts = {
        "description": image["caption"] or image["alt_text"],
        "credit": image["credit"],
        "copyright": image["copyright_notice"],
    }
    for name, text in texts.items():
        if text:
            add_element(media, f"{{{MEDIA}}}{name}", text)


def mail_date(milliseconds: int) -> str:
    """As RFC 822 has it, with four digits of the year."""
    return format_datetime(EPOCH + timedelta(milliseconds=milliseconds), usegmt=True)
