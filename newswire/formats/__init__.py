"""Formats: readers and writers of articles. A format is one module or package here, and one row of the table `FORMATS`.

The routes, the OpenAPI document, the reference and the import of files are generated from the table. Our own JSON has
no row: it is the article as served, from which all other formats are written. Nothing here knows HTTP or the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from newswire.formats.feeds.atom import write_atom
from newswire.formats.feeds.json_feed import write_json_feed
from newswire.formats.feeds.rss import write_rss
from newswire.formats.html.page import PAGE_HEADERS, write_page
from newswire.formats.markdown.read import parse_markdown
from newswire.formats.markdown.write import write_markdown
from newswire.formats.ninjs.document import NINJS_TYPE
from newswire.formats.ninjs.read import parse_ninjs
from newswire.formats.ninjs.write import VERSIONS, write_ninjs


@dataclass(frozen=True)
class Format:
    """A row of the table: the names by which a format is requested, and the functions that read and write it.

    Attributes:
        name: The word for it in the operation ids of the OpenAPI document.
        suffix: The end of URLs in this format, without the dot.
        media_type: Without parameters.
        phrase: The end of a sentence such as "One article in Markdown".
        about: A description in Markdown.
        read: Parses the bytes of a document into an article as sent; raises `Problem`.
        write_article: Writes an article as served; where the format has versions, it takes the version as well. The
            articles of a JSON format can also replace our own in the pages of lists and of changes.
        write_list: Writes a page of a list from its `Channel` and its articles, which have their bodies.
        versions: The values of the media type's parameter `version`, the default one first; "" stands for none.
        is_ordered: Whether the articles of a list that were published together must differ in their time of change.
        tombstones: The element of a list that reports killed articles; empty where the format has none.
        headers: HTTP headers of every document of one article.
        file_suffixes: The file name suffixes by which `newswire import` and `push` recognise it.
    """

    name: str
    suffix: str
    media_type: str
    phrase: str
    about: str
    read: Callable[[bytes], Any] | None = None
    write_article: Callable[..., bytes] | None = None
    write_list: Callable[..., bytes] | None = None
    versions: tuple[str, ...] = ("",)
    is_ordered: bool = False
    tombstones: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    file_suffixes: tuple[str, ...] = ()

    @property
    def media_types(self) -> tuple[str, ...]:
        """Every media type by which it can be requested."""
        return (self.media_type, *(f"{self.media_type};version={version}" for version in self.versions if version))

    @property
    def is_json(self) -> bool:
        return self.media_type.endswith("+json")

    def content_type(self, version: str) -> str:
        if version:
            return f"{self.media_type};version={version}"
        return self.media_type if self.is_json else f"{self.media_type}; charset=utf-8"

    def convert_article(self, article: Mapping[str, Any], version: str) -> bytes:
        """Writes an article as served, in a version of the format ("" for the only one)."""
        assert self.write_article is not None
        return self.write_article(article, version) if version else self.write_article(article)


FORMATS = (
    Format("markdown", "md", "text/markdown", "in Markdown",
           "The form that is accepted, front matter and body: sent back, it changes nothing.",
           read=parse_markdown, write_article=write_markdown, file_suffixes=(".md", ".markdown")),
    Format("page", "html", "text/html", "as a page for people",
           "HTML that needs nothing else, with schema.org's NewsArticle and Open Graph for machines.",
           write_article=write_page, headers=PAGE_HEADERS),
    Format("ninjs", "ninjs", NINJS_TYPE, "in ninjs",
           "The IPTC's News in JSON, version 3.1, or 2.1 with `;version=2.1` in `Accept`.",
           read=parse_ninjs, write_article=write_ninjs, versions=VERSIONS),
    Format("rss", "rss", "application/rss+xml", "as RSS 2.0",
           "The list of `GET /v1/articles`, with its bodies, authors and pictures, for feed readers. Older articles"
           ' are on the page that `atom:link rel="next"` leads to, back to the first one ever published.',
           write_list=write_rss),
    Format("atom", "atom", "application/atom+xml", "as Atom",
           "The list of `GET /v1/articles` in the form of RFC 4287; older articles are on the page that"
           ' `link rel="next"` (RFC 5005) leads to.',
           write_list=write_atom, is_ordered=True, tombstones="`at:deleted-entry` (RFC 6721)"),
    Format("json_feed", "json", "application/feed+json", "as JSON Feed 1.1",
           "The list of `GET /v1/articles` for feed readers; older articles are on the page that `next_url` leads to.",
           write_list=write_json_feed),
)  # fmt: skip
BY_MEDIA_TYPE = {each.media_type: each for each in FORMATS}
READERS = {each.media_type: each.read for each in FORMATS if each.read is not None}
LISTS = tuple(each for each in FORMATS if each.write_list is not None)


def find_format(media_type: str) -> tuple[Format | None, str]:
    """The format and the version that a media type names; None and "" for our own JSON."""
    media, _, version = media_type.partition(";version=")
    found = BY_MEDIA_TYPE.get(media)
    return found, version or (found.versions[0] if found else "")
