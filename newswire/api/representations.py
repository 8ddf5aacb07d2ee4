"""Answers in the format that a request asks for: an article, an entry of the wire, a page of a list."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from flask import Response

from newswire.api.context import RequestContext
from newswire.api.request.conditional import article_tag
from newswire.api.request.urls import current_url
from newswire.api.responses import is_not_modified, not_modified_response
from newswire.document import join_page
from newswire.formats import find_format
from newswire.store.articles import AnyRow


def convert_articles(articles: Sequence[bytes], media_type: str) -> Sequence[bytes]:
    """Articles as served in the format of `media_type`, or as they are."""
    asked, version = find_format(media_type)
    return articles if asked is None else [asked.convert_article(orjson.loads(each), version) for each in articles]


def convert_entries(entries: Sequence[bytes], media_type: str) -> Sequence[bytes]:
    """Entries of the wire, their articles in the JSON format of `media_type`."""
    asked, version = find_format(media_type)
    if asked is None:
        return entries
    contents = [orjson.loads(entry) for entry in entries]
    for content in contents:
        if content["article"] is not None:
            content["article"] = orjson.Fragment(asked.convert_article(content["article"], version))
    return [orjson.dumps(content) for content in contents]


def formatted_response(
    context: RequestContext, body: bytes, tag: str | None = None, following: str | None = None
) -> Response:
    """An answer whose body is in the format that is asked for; with an ETag, and a link to the page behind it."""
    asked, version = find_format(context.media_type)
    response = Response(body, content_type="application/json" if asked is None else asked.content_type(version))
    if tag is not None:
        response.headers["ETag"] = f'"{tag}"'
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def article_response(context: RequestContext, article: bytes, row: AnyRow) -> Response:
    """One article as served, spliced of `row`, in the format that is asked for."""
    asked, version = find_format(context.media_type)
    representation = "json" if asked is None else asked.suffix + version.replace(".", "")
    tag = article_tag(row.id, row.version, row.status, representation)
    if is_not_modified(context.request, tag):
        return not_modified_response(context, tag)
    (body,) = convert_articles([article], context.media_type)
    response = formatted_response(context, body, tag)
    if asked is not None:
        response.headers.update(asked.headers)
    return response


def page_response(
    context: RequestContext, items: Iterable[bytes], limit: int, cursor: str | None, *, tag: str | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Response:  # fmt: skip
    """A page in the envelope of every list, with its Link header."""
    following = None if cursor is None else current_url(context, cursor=cursor)
    rest = {
        "page": {"limit": limit, "has_more": cursor is not None, "next_cursor": cursor},
        "links": {"self": current_url(context), "next": following},
        **({} if meta is None else {"meta": meta}),
    }
    return formatted_response(context, join_page(items, rest), tag, following)
