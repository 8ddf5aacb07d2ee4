"""Lists as documents for feed readers: RSS, Atom, JSON Feed. `formats.feeds` writes them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from flask import Response

from newswire.api.context import RequestContext
from newswire.api.request.urls import current_url
from newswire.api.schemas.filters import FilterParameters
from newswire.api.views.lists import ListFormat, ListResult, list_response
from newswire.document import decode_article
from newswire.formats.feeds.atom import write_atom
from newswire.formats.feeds.channel import Article, Channel
from newswire.formats.feeds.json_feed import write_json_feed
from newswire.formats.feeds.rss import write_rss
from newswire.search.query import Times

NAME = "Newswire"
TITLED = tuple(name for name in FilterParameters().fields if name != "q" and name not in Times._fields)


def articles_rss(context: RequestContext) -> Response:
    """Articles as RSS 2.0

    The list of `GET /v1/articles`, with its bodies, authors and pictures, for feed readers. Older articles are on
    the page that `atom:link rel="next"` leads to, back to the first one ever published.
    """
    return list_response(context, context.parameters, RSS)


def articles_atom(context: RequestContext) -> Response:
    """Articles as Atom

    The list of `GET /v1/articles` in the form of RFC 4287; older articles are on the page that `link rel="next"`
    (RFC 5005) leads to. What was killed is told on the first page by `at:deleted-entry` (RFC 6721).
    """
    return list_response(context, context.parameters, ATOM)


def articles_json_feed(context: RequestContext) -> Response:
    """Articles as JSON Feed 1.1

    The list of `GET /v1/articles` for feed readers; older articles are on the page that `next_url` leads to.
    """
    return list_response(context, context.parameters, JSON_FEED)


def write_document(
    write: Callable[[Channel, Sequence[Article]], bytes], content_type: str, context: RequestContext, found: ListResult
) -> Response:
    """A page of a list as one of these documents."""
    channel = channel_of(context, found)
    articles = [decode_article(row.rendered, row.body) for row in found.rows]
    response = Response(write(channel, articles), content_type=content_type)
    if found.tag is not None:
        response.set_etag(found.tag)
    if channel.following is not None:
        response.headers["Link"] = f'<{channel.following}>; rel="next"'
    return response


RSS = ListFormat(partial(write_document, write_rss, "application/rss+xml; charset=utf-8"), bodies=True)
ATOM = ListFormat(partial(write_document, write_atom, "application/atom+xml; charset=utf-8"), bodies=True, kills=True)
JSON_FEED = ListFormat(partial(write_document, write_json_feed, "application/feed+json"), bodies=True)


def channel_of(context: RequestContext, found: ListResult) -> Channel:
    """What the document says of itself. URLs that identify it leave the token of the feed out."""
    return Channel(
        id=current_url(context, cursor=None, limit=None, token=None),
        title=found.title or title_of(found.parameters),
        base=context.base_url,
        address=current_url(context, token=None),
        first=current_url(context, cursor=None),
        following=None if found.next_cursor is None else current_url(context, cursor=found.next_cursor),
        changed_at=found.head.changed_at,
        killed=found.killed,
    )


def title_of(asked: Mapping[str, Any]) -> str:
    """A title made of what is asked for, but for the times: Newswire: cocoa; section: world, uk."""
    told = [asked["q"]] if "q" in asked else []
    for name in TITLED:
        if name in asked:
            value = asked[name]
            told.append(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
    return f"{NAME}: {'; '.join(told)}" if told else NAME
