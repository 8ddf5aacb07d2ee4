"""Responses in the negotiated format: an article, entries of the wire, a page of a list.

The formats themselves are in `newswire.formats`; what all responses have in common is in `responses`.
"""

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
    """Converts articles from the JSON of the wire to the format of `media_type`; for `application/json` a no-op."""
    target, version = find_format(media_type)
    return articles if target is None else [target.convert_article(orjson.loads(each), version) for each in articles]


def convert_entries(entries: Sequence[bytes], media_type: str) -> Sequence[bytes]:
    """Converts the articles in entries of the wire to the JSON format of `media_type`."""
    target, version = find_format(media_type)
    if target is None:
        return entries
    contents = [orjson.loads(entry) for entry in entries]
    for content in contents:
        if content["article"] is not None:
            content["article"] = orjson.Fragment(target.convert_article(content["article"], version))
    return [orjson.dumps(content) for content in contents]


def formatted_response(
    context: RequestContext, body: bytes, tag: str | None = None, following: str | None = None
) -> Response:
    """A response with a body in the negotiated format, an ETag, and a Link to the next page (`following`, a URL)."""
    target, version = find_format(context.media_type)
    response = Response(body, content_type="application/json" if target is None else target.content_type(version))
    if tag is not None:
        response.headers["ETag"] = f'"{tag}"'
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def article_response(context: RequestContext, article: bytes, row: AnyRow) -> Response:
    """One article (`article`, the JSON spliced from `row`) in the negotiated format, or 304."""
    target, version = find_format(context.media_type)
    representation = "json" if target is None else target.suffix + version.replace(".", "")
    tag = article_tag(row.id, row.version, row.status, representation)
    if is_not_modified(context.request, tag):
        return not_modified_response(context, tag)
    (body,) = convert_articles([article], context.media_type)
    response = formatted_response(context, body, tag)
    if target is not None:
        response.headers.update(target.headers)
    return response


def page_response(
    context: RequestContext, items: Iterable[bytes], limit: int, cursor: str | None, *, tag: str | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Response:  # fmt: skip
    """A page of items in JSON, in the envelope that all lists share, with a Link to the next page."""
    following = None if cursor is None else current_url(context, cursor=cursor)
    rest = {
        "page": {"limit": limit, "has_more": cursor is not None, "next_cursor": cursor},
        "links": {"self": current_url(context), "next": following},
        **({} if meta is None else {"meta": meta}),
    }
    return formatted_response(context, join_page(items, rest), tag, following)
