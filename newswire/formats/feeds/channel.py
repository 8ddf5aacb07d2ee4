"""The metadata that feed formats share: the `Channel` of a page, and the people, tags and pictures of an article.

No format is written here, see `rss`, `atom` and `json_feed`; markup is made in `markup`.
"""

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from newswire import __version__
from newswire.article import Killed
from newswire.timestamps import parse_instant

GENERATOR = f"Newswire {__version__}"
# Without the files of the operating system (/etc/mime.types), so that all machines write the same feed.
MEDIA_TYPES = mimetypes.MimeTypes()

Article = Mapping[str, Any]


@dataclass(frozen=True)
class Channel:
    """The metadata of one page of a feed.

    `id` is the same for every page. `address`, `first` and `following` are the URLs of this page, of the first and of
    the next one (None: this is the last). Our own URLs begin with `base`. `changed_at`, in milliseconds, is the date of
    an empty page. `killed` are the articles to report as killed. `ranks` are the positions, by article id, of articles
    among those that were published at the same time.
    """

    id: str
    title: str
    base: str
    address: str
    first: str
    following: str | None
    changed_at: int
    killed: Sequence[Killed] = ()
    ranks: Mapping[str, int] = field(default_factory=dict)

    @property
    def home(self) -> str:
        return f"{self.base}/docs"

    def page_of(self, article: Article) -> str:
        """The URL of an article for people: its canonical URL at the publisher, else our own page."""
        address: str = article["url"] or f"{self.base}/v1/articles/{article['id']}.html"
        return address

    def updated_at(self, articles: Sequence[Article]) -> int:
        """The time of the last change on this page, in milliseconds."""
        moments = [parse_instant(article["updated_at"]) for article in articles]
        return max([*moments, *(killed.at for killed in self.killed)], default=self.changed_at)


class Person(NamedTuple):
    """An author, or the byline as a name; `avatar` is a URL."""

    name: str
    url: str | None = None
    avatar: str | None = None


class Tag(NamedTuple):
    """A category of an article: `term` is its code within `scheme`, `label` its name for people."""

    term: str
    label: str
    scheme: str | None = None


def credited_people(article: Article) -> list[Person]:
    """The authors of an article; where there are none, its byline."""
    found = [Person(each["name"], each["url"], each["avatar_url"]) for each in article["authors"]]
    return found or ([Person(article["byline"])] if article["byline"] else [])


def article_tags(article: Article) -> list[Tag]:
    """The section, keywords and subjects of an article, one for each label."""
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
    """The copyright notice and the terms of use, in one text; None without either."""
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
    """The size of a picture in bytes; None where it is unknown."""
    sizes = [each["size_bytes"] for each in picture["renditions"] if each["url"] == picture["url"]]
    return next((size for size in sizes if size is not None), None)


def common_language(articles: Sequence[Article]) -> str | None:
    """The language that all articles of a page share; None where they differ."""
    found = {str(article["language"]) for article in articles}
    return found.pop() if len(found) == 1 else None
