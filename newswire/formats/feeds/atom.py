"""Atom (RFC 4287), in pages (RFC 5005), with tombstones for what was killed (RFC 6721)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from newswire import __version__
from newswire.article import Killed
from newswire.formats.feeds.channel import Article, Channel, Person, language, media_type, people, rights, size_of, tags
from newswire.formats.feeds.content import content
from newswire.formats.feeds.xml import ATOM, TOMBSTONES, XML, add_element, xml_document
from newswire.timestamps import format_instant

TYPE = "application/atom+xml"
# Of an address RFC 3986 takes these; of a URN RFC 8141 wants two letters of a namespace at least.
SCHEME = re.compile(r"(https?://|urn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:)[!#-;=?-Z\[\]_a-z~]+")


def atom(channel: Channel, articles: Sequence[Article]) -> bytes:
    """A page of a feed. Atom has no prefix: sfeed, rss-parser, feedme and others know it only so."""
    names = {None: ATOM, "at": TOMBSTONES} if channel.killed else {None: ATOM}
    root = etree.Element(f"{{{ATOM}}}feed", nsmap=names)
    if common := language(articles):
        root.set(f"{{{XML}}}lang", common)
    said(root, "id", channel.id)
    said(root, "title", channel.title)
    said(root, "updated", format_instant(channel.updated_at(articles)))
    said(root, "generator", "Newswire", version=__version__)
    said(root, "link", rel="alternate", type="text/html", href=channel.home)
    links = {"self": channel.address, "first": channel.first, "next": channel.following}
    for relation, address in links.items():
        if address is not None:
            said(root, "link", rel=relation, type=TYPE, href=address)
    # The grammar of RFC 4287 wants everything else before the first entry.
    for killed in channel.killed:
        tombstone(root, killed)
    for article in articles:
        entry(etree.SubElement(root, f"{{{ATOM}}}entry"), channel, article)
    return xml_document(root)


def entry(parent: etree._Element, channel: Channel, article: Article) -> None:
    """One article. Its id stays whatever becomes of it; `updated` moves with each version."""
    parent.set(f"{{{XML}}}lang", article["language"])
    said(parent, "id", article["uri"])
    said(parent, "title", article["headline"])
    said(parent, "updated", article["updated_at"])
    said(parent, "published", article["published_at"])
    said(parent, "link", rel="alternate", type="text/html", href=channel.page_of(article))
    publisher = article["publisher"]
    # Every entry needs an author (RFC 4287, 4.1.2): where no person is named, the publisher is it.
    for person in people(article) or [Person(publisher["name"], publisher["url"])]:
        author = said(parent, "author")
        said(author, "name", person.name)
        if person.url:
            said(author, "uri", person.url)
    for tag in tags(article):
        said(parent, "category", term=tag.term, scheme=named_scheme(tag.scheme), label=tag.label)
    if notice := rights(article):
        said(parent, "rights", notice)
    for image in article["images"]:
        picture(parent, image)
    if article["summary"]:
        said(parent, "summary", article["summary"])
    if shown := content(article):
        said(parent, "content", shown, type="html")


def picture(parent: etree._Element, image: Mapping[str, Any]) -> None:
    """A picture as an enclosure; who made it stands behind its caption."""
    told = " / ".join(text for text in (image["caption"] or image["alt_text"], image["credit"]) if text)
    said(
        parent, "link", rel="enclosure", type=media_type(image), href=image["url"], length=size_of(image),
        title=told or None,
    )  # fmt: skip


def tombstone(parent: etree._Element, killed: Killed) -> None:
    """Tells whoever holds the article that it must not be used any more."""
    node = add_element(parent, f"{{{TOMBSTONES}}}deleted-entry", ref=killed.uri, when=format_instant(killed.at))
    if killed.note:
        add_element(node, f"{{{TOMBSTONES}}}comment", killed.note)


def said(parent: etree._Element, name: str, text: str | None = None, **attributes: str | int | None) -> etree._Element:
    return add_element(parent, f"{{{ATOM}}}{name}", text, **attributes)


def named_scheme(scheme: str | None) -> str | None:
    """A scheme of categories, if it is an address or a name as it must be (RFC 4287, 4.2.2.2)."""
    return scheme if scheme is not None and SCHEME.fullmatch(scheme) else None
