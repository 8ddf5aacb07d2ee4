"""The writer of Atom (RFC 4287), in pages (RFC 5005), with tombstones for killed articles (RFC 6721)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from newswire import __version__
from newswire.article import Killed
from newswire.formats.corrections import correction_text
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
# The characters of a URL are those of RFC 3986; the namespace of a URN has two letters at least (RFC 8141).
SCHEME = re.compile(r"(https?://|urn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:)[!#-;=?-Z\[\]_a-z~]+")


def write_atom(channel: Channel, articles: Sequence[Article]) -> bytes:
    """Writes a page of a feed."""
    # Atom is the default namespace, without a prefix: sfeed, rss-parser, feedme and others recognise no other spelling.
    names = {None: ATOM, "at": TOMBSTONES} if channel.killed else {None: ATOM}
    root = etree.Element(f"{{{ATOM}}}feed", nsmap=names)
    if common := common_language(articles):
        root.set(f"{{{XML}}}lang", common)
    _add_atom(root, "id", channel.id)
    _add_atom(root, "title", channel.title)
    changed_at = format_instant(channel.updated_at(articles))
    _add_atom(root, "updated", max([changed_at, *(_changed_at(channel, each) for each in articles)], key=_time_order))
    _add_atom(root, "generator", "Newswire", version=__version__)
    _add_atom(root, "link", rel="alternate", type="text/html", href=channel.home)
    links = {"self": channel.address, "first": channel.first, "next": channel.following}
    for relation, address in links.items():
        if address is not None:
            _add_atom(root, "link", rel=relation, type=TYPE, href=address)
    # RFC 4287, 4.1.1: everything else must come before the first entry.
    for killed in channel.killed:
        _add_tombstone(root, killed)
    for article in articles:
        _add_entry(etree.SubElement(root, f"{{{ATOM}}}entry"), channel, article)
    return xml_document(root)


def _add_entry(parent: etree._Element, channel: Channel, article: Article) -> None:
    """Fills the entry of one article. Its `id` never changes; `updated` changes with each version."""
    parent.set(f"{{{XML}}}lang", article["language"])
    _add_atom(parent, "id", article["uri"])
    _add_atom(parent, "title", article["headline"])
    _add_atom(parent, "updated", _changed_at(channel, article))
    _add_atom(parent, "published", article["published_at"])
    _add_atom(parent, "link", rel="alternate", type="text/html", href=channel.page_of(article))
    publisher = article["publisher"]
    # RFC 4287, 4.1.2: every entry must have an author. Where no person is named, the publisher is the author.
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
    if summary := "\n".join(text for text in (correction_text(article), article["summary"]) if text):
        _add_atom(parent, "summary", summary)
    if content := feed_content(article):
        _add_atom(parent, "content", content, type="html")


def _changed_at(channel: Channel, article: Article) -> str:
    """The time of the version; its microseconds are the position among the articles that were published with it.

    So the entries of one batch differ, as readers that sort by `updated` expect, and follow the order of the wire.
    """
    moment: str = article["updated_at"]
    rank = min(channel.ranks.get(article["id"], 0), 999)
    return f"{moment[:-1]}{rank:03}Z" if rank else moment


def _time_order(moment: str) -> str:
    """The sort key of a time in UTC: without the Z, a time with fewer digits comes before one that goes on."""
    return moment[:-1]


def _add_enclosure(parent: etree._Element, image: Mapping[str, Any]) -> None:
    """Adds a picture as an enclosure, with its caption and its credit as the title."""
    title = " / ".join(text for text in (image["caption"] or image["alt_text"], image["credit"]) if text)
    _add_atom(
        parent, "link", rel="enclosure", type=picture_media_type(image), href=image["url"], length=picture_size(image),
        title=title or None,
    )  # fmt: skip


def _add_tombstone(parent: etree._Element, killed: Killed) -> None:
    """Adds the tombstone of a killed article, which readers must delete (RFC 6721)."""
    node = add_element(parent, f"{{{TOMBSTONES}}}deleted-entry", ref=killed.uri, when=format_instant(killed.at))
    if killed.note:
        add_element(node, f"{{{TOMBSTONES}}}comment", killed.note)


def _add_atom(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str | int | None
) -> etree._Element:
    return add_element(parent, f"{{{ATOM}}}{name}", text, **attributes)


def _category_scheme(scheme: str | None) -> str | None:
    """The scheme of a category if it is an IRI, which RFC 4287, 4.2.2.2, requires; else None."""
    return scheme if scheme is not None and SCHEME.fullmatch(scheme) else None
