"""Atom (RFC 4287), in pages (RFC 5005), with tombstones for what was killed (RFC 6721)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from newswire import __version__
from newswire.article import Killed
from newswire.formats.feeds.channel import (
    Article,
    Channel,
    Person,
    article_tags,
    common_language,
    credited_people,
    picture_media_type,
    picture_size,
    rights_notice,
)
from newswire.formats.feeds.markup import ATOM, TOMBSTONES, XML, add_element, feed_content, xml_document
from newswire.timestamps import format_instant

TYPE = "application/atom+xml"
# Of an address RFC 3986 takes these; of a URN RFC 8141 wants two letters of a namespace at least.
SCHEME = re.compile(r"(https?://|urn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:)[!#-;=?-Z\[\]_a-z~]+")


def write_atom(channel: Channel, articles: Sequence[Article]) -> bytes:
    """A page of a feed. Atom has no prefix: sfeed, rss-parser, feedme and others know it only so."""
    names = {None: ATOM, "at": TOMBSTONES} if channel.killed else {None: ATOM}
    root = etree.Element(f"{{{ATOM}}}feed", nsmap=names)
    if common := common_language(articles):
        root.set(f"{{{XML}}}lang", common)
    _add_atom(root, "id", channel.id)
    _add_atom(root, "title", channel.title)
    _add_atom(root, "updated", format_instant(channel.updated_at(articles)))
    _add_atom(root, "generator", "Newswire", version=__version__)
    _add_atom(root, "link", rel="alternate", type="text/html", href=channel.home)
    links = {"self": channel.address, "first": channel.first, "next": channel.following}
    for relation, address in links.items():
        if address is not None:
            _add_atom(root, "link", rel=relation, type=TYPE, href=address)
    # The grammar of RFC 4287 wants everything else before the first entry.
    for killed in channel.killed:
        _add_tombstone(root, killed)
    for article in articles:
        _add_entry(etree.SubElement(root, f"{{{ATOM}}}entry"), channel, article)
    return xml_document(root)


def _add_entry(parent: etree._Element, channel: Channel, article: Article) -> None:
    """One article. Its id stays whatever becomes of it; `updated` moves with each version."""
    parent.set(f"{{{XML}}}lang", article["language"])
    _add_atom(parent, "id", article["uri"])
    _add_atom(parent, "title", article["headline"])
    _add_atom(parent, "updated", article["updated_at"])
    _add_atom(parent, "published", article["published_at"])
    _add_atom(parent, "link", rel="alternate", type="text/html", href=channel.page_of(article))
    publisher = article["publisher"]
    # Every entry needs an author (RFC 4287, 4.1.2): where no person is named, the publisher is it.
    for person in credited_people(article) or [Person(publisher["name"], publisher["url"])]:
        author = _add_atom(parent, "author")
        _add_atom(author, "name", person.name)
        if person.url:
            _add_atom(author, "uri", person.url)
    for tag in article_tags(article):
        _add_atom(parent, "category", term=tag.term, scheme=_category_scheme(tag.scheme), label=tag.label)
    if notice := rights_notice(article):
        _add_atom(parent, "rights", notice)
    for image in article["images"]:
        _add_enclosure(parent, image)
    if article["summary"]:
        _add_atom(parent, "summary", article["summary"])
    if shown := feed_content(article):
        _add_atom(parent, "content", shown, type="html")


def _add_enclosure(parent: etree._Element, image: Mapping[str, Any]) -> None:
    """A picture as an enclosure; who made it stands behind its caption."""
    told = " / ".join(text for text in (image["caption"] or image["alt_text"], image["credit"]) if text)
    _add_atom(
        parent, "link", rel="enclosure", type=picture_media_type(image), href=image["url"], length=picture_size(image),
        title=told or None,
    )  # fmt: skip


def _add_tombstone(parent: etree._Element, killed: Killed) -> None:
    """Tells whoever holds the article that it must not be used any more."""
    node = add_element(parent, f"{{{TOMBSTONES}}}deleted-entry", ref=killed.uri, when=format_instant(killed.at))
    if killed.note:
        add_element(node, f"{{{TOMBSTONES}}}comment", killed.note)


def _add_atom(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str | int | None
) -> etree._Element:
    return add_element(parent, f"{{{ATOM}}}{name}", text, **attributes)


def _category_scheme(scheme: str | None) -> str | None:
    """A scheme of categories, if it is an address or a name as it must be (RFC 4287, 4.2.2.2)."""
    return scheme if scheme is not None and SCHEME.fullmatch(scheme) else None
