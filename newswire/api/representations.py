"""Media types of articles: JSON, ninjs, Markdown, a page for people; and an article or a list in the one asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from flask import Response

from newswire.api.context import RequestContext
from newswire.api.request.conditional import article_tag
from newswire.api.responses import is_not_modified, json_response, not_modified_response
from newswire.formats.html.page import article_page, page_policy
from newswire.formats.markdown.write import write_markdown
from newswire.formats.ninjs.write import VERSIONS, write_ninjs
from newswire.store.articles import AnyRow

MARKDOWN, HTML, NINJS = "text/markdown", "text/html", "application/vnd.iptc.ninjs+json"
# Without a version it is the newest.
NINJS_TYPES = (NINJS, *(f"{NINJS};version={version}" for version in VERSIONS))


def ninjs_version(media_type: str) -> str | None:
    """The version of ninjs that a media type means; None for any other format."""
    media, _, number = media_type.partition(";version=")
    return (number or VERSIONS[0]) if media == NINJS else None


def convert_articles(articles: Sequence[bytes], media_type: str) -> Sequence[bytes]:
    """Articles as served, converted to ninjs where `media_type` is that."""
    version = ninjs_version(media_type)
    if version is None:
        return articles
    return [orjson.dumps(write_ninjs(orjson.loads(each), version)) for each in articles]


def convert_entries(entries: Sequence[bytes], media_type: str) -> Sequence[bytes]:
    """Entries of the wire, their articles converted to ninjs where `media_type` is that."""
    version = ninjs_version(media_type)
    if version is None:
        return entries
    contents = [orjson.loads(entry) for entry in entries]
    return [
        orjson.dumps(content | {"article": content["article"] and write_ninjs(content["article"], version)})
        for content in contents
    ]


def converted_response(context: RequestContext, body: bytes, tag: str | None = None) -> Response:
    """An answer of articles that are converted already, with the media type that they are in."""
    version = ninjs_version(context.media_type)
    response = json_response(context, body, tag=tag)
    if version is not None and response.status_code == 200:
        response.content_type = f"{NINJS};version={version}"
    return response


def article_response(context: RequestContext, article: bytes, row: AnyRow) -> Response:
    """One article as served, spliced of `row`, in the format that this request asks for."""
    if (text := TEXTS.get(context.media_type)) is not None:
        suffix, write = text
        tag = article_tag(row.id, row.version, row.status, suffix)
        if is_not_modified(context.request, tag):
            return not_modified_response(context, tag)
        response = write(orjson.loads(article))
        response.headers["ETag"] = f'"{tag}"'
        return response
    version = ninjs_version(context.media_type)
    tag = article_tag(row.id, row.version, row.status, f"ninjs{version.replace('.', '')}" if version else "json")
    (body,) = convert_articles([article], context.media_type)
    return converted_response(context, body, tag)


def markdown_response(article: Mapping[str, Any]) -> Response:
    return Response(write_markdown(article), content_type=f"{MARKDOWN}; charset=utf-8")


def html_response(article: Mapping[str, Any]) -> Response:
    """The page for people, which loads pictures only and runs nothing."""
    response = Response(article_page(article), content_type=f"{HTML}; charset=utf-8")
    response.headers["Content-Security-Policy"] = page_policy()
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


TEXTS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Response]]] = {
    MARKDOWN: ("md", markdown_response),
    HTML: ("html", html_response),
}
"""Formats that are no JSON: what their ETag calls them, and what writes them."""
