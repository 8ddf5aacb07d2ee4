"""The writer of JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from newswire.article import FIELDS
from newswire.formats.corrections import correction_text
from newswire.formats.feeds.channel import (
    Article,
    Channel,
    article_tags,
    common_language,
    credited_people,
    lead_picture,
    picture_media_type,
    picture_size,
)
from newswire.formats.feeds.markup import feed_content

VERSION = "https://jsonfeed.org/version/1.1"
# Fields for which the format has members of its own, and fields that feed readers have no use for.
ELSEWHERE = frozenset({
    "uri", "url", "headline", "summary", "body_html", "body_text", "language", "keywords", "published_at", "updated_at",
    "id", "external_id", "word_count", "created_at", "embargoed_until", "expires_at",
})  # fmt: skip
EXTENSION = tuple(field.name for field in FIELDS if field.is_stored and field.name not in ELSEWHERE)
"""All other fields; they are served as in the API, in the extension `_newswire`."""


def write_json_feed(channel: Channel, articles: Sequence[Article]) -> bytes:
    """Writes a page of a feed."""
    feed = {
        "version": VERSION,
        "title": channel.title,
        "home_page_url": channel.home,
        "feed_url": channel.address,
        "next_url": channel.following,
        "language": common_language(articles),
        "items": [_feed_item(channel, article) for article in articles],
    }
    return orjson.dumps({name: value for name, value in feed.items() if value is not None})


def _feed_item(channel: Channel, article: Article) -> dict[str, Any]:
    """One article as an item.

    An item must have content: that of a flash, which has no body, is its summary or its headline.
    """
    picture = lead_picture(article)
    told = article["body_text"] or article["summary"] or article["headline"]
    known = {
        "id": article["uri"],
        "url": channel.page_of(article),
        "title": article["headline"],
        "content_html": feed_content(article),
        "content_text": "\n\n".join(text for text in (correction_text(article), told) if text),
        "summary": article["summary"],
        "image": picture["url"] if picture else None,
        "date_published": article["published_at"],
        "date_modified": article["updated_at"],
        "authors": [_known_members(name=who.name, url=who.url, avatar=who.avatar) for who in credited_people(article)]
        or None,
        "tags": [tag.label for tag in article_tags(article)] or None,
        "language": article["language"],
        "attachments": [*_attachments(article)] or None,
        "_newswire": {name: article[name] for name in EXTENSION},
    }
    return _known_members(**known)


def _attachments(article: Article) -> Iterator[Mapping[str, Any]]:
    """The pictures whose media type is known, which an attachment must have."""
    for image in article["images"]:
        if kind := picture_media_type(image):
            title = image["caption"] or image["alt_text"]
            yield _known_members(url=image["url"], mime_type=kind, title=title, size_in_bytes=picture_size(image))


def _known_members(**members: Any) -> dict[str, Any]:
    """The members that are not None: JSON Feed leaves out what is unknown."""
    return {name: value for name, value in members.items() if value is not None}
