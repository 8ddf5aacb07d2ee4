"""What the feed formats share: the metadata of a feed, and how the metadata of an article are read."""

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from newswire import __version__
from newswire.article import Killed
from newswire.timestamps import parse_instant

GENERATOR = f"Newswire {__version__}"
# The tables of the language alone: what a machine adds to them would make its feeds differ from others'.
MEDIA_TYPES = mimetypes.MimeTypes()

Article = Mapping[str, Any]


@dataclass(frozen=True)
class Channel:
    """A page of a feed, but for its articles.

    `id` is the same for every page; `address` is this page's own, `first` and `following` are those of the first
    page and of the next one, if there is one. Addresses of our own begin with `base`.
    `changed_at`, in milliseconds, is the date of a page without anything on it.
    """

    id: str
    title: str
    base: str
    address: str
    first: str
    following: str | None
    changed_at: int
    killed: Sequence[Killed] = ()

    @property
    def home(self) -> str:
        return f"{self.base}/docs"

    def page_of(self, article: Article) -> str:
        """Where a person reads an article: at its publisher's, else with us."""
        address: str = article["url"] or f"{self.base}/v1/articles/{article['id']}.html"
        return address

    def updated_at(self, articles: Sequence[Article]) -> int:
        """When something on this page last changed, in milliseconds."""
        moments = [parse_instant(article["updated_at"]) for article in articles]
        return max([*moments, *(killed.at for killed in self.killed)], default=self.changed_at)


class Person(NamedTuple):
    """An author, or the byline."""

    name: str
    url: str | None = None
    avatar: str | None = None


class Tag(NamedTuple):
    """A category of an article: `term` is its code within `scheme`, `label` is for people."""

    term: str
    label: str
    scheme: str | None = None


def credited_people(article: Article) -> list[Person]:
    """The authors; without any, the byline."""
    found = [Person(each["name"], each["url"], each["avatar_url"]) for each in article["authors"]]
    return found or ([Person(article["byline"])] if article["byline"] else [])


def article_tags(article: Article) -> list[Tag]:
    """Section, keywords and subjects, each once."""
    found: dict[str, Tag] = {}
    for tag in _every_tag(article):
        found.setdefault(tag.label, tag)
    return list(found.values())


def _every_tag(article: Article) -> Iterator[Tag]:
    if article["section"]:
        yield Tag(article["section"], article["section"])
    for keyword in article["keywords"]:
        yield Tag(keyword, keyword)
    for subject in article["subjects"]:
        term = subject["code"] or subject["name"]
        if term:
            yield Tag(term, subject["name"] or term, subject["scheme"])


def rights_notice(article: Article) -> str | None:
    """The copyright notice and the terms of use, in one text."""
    return " ".join(text for text in (article["copyright_notice"], article["usage_terms"]) if text) or None


def lead_picture(article: Article) -> Mapping[str, Any] | None:
    """The lead picture of an article: the first with that role, else the first; None without pictures."""
    pictures: Sequence[Mapping[str, Any]] = article["images"]
    return next((picture for picture in pictures if picture["role"] == "lead"), pictures[0] if pictures else None)


def picture_media_type(picture: Mapping[str, Any]) -> str | None:
    """The media type of a picture as sent, else guessed from the suffix of its URL; None where neither says."""
    if picture["mime_type"]:
        return str(picture["mime_type"])
    guessed, _ = MEDIA_TYPES.guess_type(urlsplit(picture["url"]).path, strict=False)
    return guessed if guessed is not None and guessed.startswith("image/") else None


def picture_size(picture: Mapping[str, Any]) -> int | None:
    """The size of a picture in bytes, where it is known."""
    sizes = [each["size_bytes"] for each in picture["renditions"] if each["url"] == picture["url"]]
    return next((size for size in sizes if size is not None), None)


def common_language(articles: Sequence[Article]) -> str | None:
    """The language that all articles of a page share; None where they differ."""
    found = {str(article["language"]) for article in articles}
    return found.pop() if len(found) == 1 else None
