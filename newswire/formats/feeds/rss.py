"""The writer of RSS 2.0 with the modules content, Dublin Core and Media RSS."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

from lxml import etree

from newswire.formats.corrections import correction_html
from newswire.formats.feeds.channel import (
    GENERATOR,
    Article,
    Channel,
    article_tags,
    common_language,
    credited_people,
    lead_picture,
    picture_media_type,
    picture_size,
    rights_notice,
)
from newswire.formats.feeds.markup import ATOM, CONTENT, DC, MEDIA, add_element, feed_content, xml_document, xml_text
from newswire.timestamps import EPOCH, parse_instant

MARKUP = re.compile("[&<]")


def write_rss(channel: Channel, articles: Sequence[Article]) -> bytes:
    """Writes a page of a feed (specification of the RSS Advisory Board)."""
    names = {"atom": ATOM, "content": CONTENT, "dc": DC, "media": MEDIA}
    root = etree.Element("rss", {"version": "2.0"}, nsmap=names)
    top = etree.SubElement(root, "channel")
    _add_plain(top, "title", channel.title)
    add_element(top, "link", channel.home)
    add_element(top, "description", escape(channel.title, quote=False))
    if common := common_language(articles):
        add_element(top, "language", common)
    add_element(top, "lastBuildDate", _mail_date(channel.updated_at(articles)))
    add_element(top, "generator", GENERATOR)
    links = {"self": channel.address, "first": channel.first, "next": channel.following}
    for relation, address in links.items():
        if address is not None:
            add_element(top, f"{{{ATOM}}}link", rel=relation, href=address, type="application/rss+xml")
    for article in articles:
        _add_item(etree.SubElement(top, "item"), channel, article)
    return xml_document(root)


def _add_item(parent: etree._Element, channel: Channel, article: Article) -> None:
    """Fills the item of one article. `description` is HTML, so the summary is escaped twice; `title` is plain text."""
    _add_plain(parent, "title", article["headline"])
    add_element(parent, "link", channel.page_of(article))
    add_element(parent, "guid", article["uri"], isPermaLink="false")
    add_element(parent, "pubDate", _mail_date(parse_instant(article["published_at"])))
    add_element(parent, f"{{{ATOM}}}updated", article["updated_at"])
    # The RSS Best Practices Profile: a reader that keeps only the last of the two must get the content.
    summary, corrected = escape(article["summary"] or "", quote=False), correction_html(article)
    if corrected or summary:
        told = f"{corrected}<p>{summary}</p>" if corrected and summary else corrected or summary
        add_element(parent, "description", told)
    if content := feed_content(article):
        add_element(parent, f"{{{CONTENT}}}encoded", content)
    for person in credited_people(article):
        _add_plain(parent, f"{{{DC}}}creator", person.name)
    _add_plain(parent, f"{{{DC}}}publisher", article["publisher"]["name"])
    add_element(parent, f"{{{DC}}}language", article["language"])
    if notice := rights_notice(article):
        _add_plain(parent, f"{{{DC}}}rights", notice)
    for tag in article_tags(article):
        _add_plain(parent, "category", tag.label, domain=tag.scheme)
    for each in article["images"]:
        _add_media(parent, each, leading=each is lead_picture(article))


def _add_plain(parent: etree._Element, name: str, text: str, **attributes: str | None) -> None:
    """Adds an element with plain text, whose `&` and `<` become numeric character references.

    The RSS Best Practices Profile asks for them: some readers take `&lt;` in a title for HTML, but not `&#x3C;`.
    """
    node = add_element(parent, name, **attributes)
    written, reference = 0, None
    for found in MARKUP.finditer(text):
        _put_text(node, reference, text[written : found.start()])
        reference = etree.Entity(f"#x{ord(found[0]):X}")
        node.append(reference)
        written = found.end()
    _put_text(node, reference, text[written:])


def _put_text(node: etree._Element, reference: etree._Entity | None, text: str) -> None:
    """Sets the text after a character reference, or (None) at the beginning of the element."""
    if reference is None:
        node.text = xml_text(text)
    else:
        reference.tail = xml_text(text)


def _add_media(parent: etree._Element, image: Mapping[str, Any], *, leading: bool) -> None:
    """Adds a picture (Media RSS 1.5.1), without the attributes that are unknown."""
    media = add_element(
        parent, f"{{{MEDIA}}}content", url=image["url"], type=picture_media_type(image), medium="image",
        fileSize=picture_size(image), width=image["width"], height=image["height"],
        isDefault="true" if leading else None,
    )  # fmt: skip
    texts = {
        "description": image["caption"] or image["alt_text"],
        "credit": image["credit"],
        "copyright": image["copyright_notice"],
    }
    for name, text in texts.items():
        if text:
            add_element(media, f"{{{MEDIA}}}{name}", text)


def _mail_date(milliseconds: int) -> str:
    """A date in the form of RFC 822, with a year of four digits, in GMT."""
    return format_datetime(EPOCH + timedelta(milliseconds=milliseconds), usegmt=True)
