"""One article in the form in which the caller wants it: JSON, ninjs, Markdown, or a page for people."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, g

from newswire.api import ninjs
from newswire.api.request.conditional import article_tag, not_modified
from newswire.api.responses import unchanged
from newswire.formats.html.page import page, policy
from newswire.formats.markdown.write import markdown
from newswire.store.articles import AnyRow

MARKDOWN, HTML = "text/markdown", "text/html"


def answer(article: bytes, row: AnyRow) -> Response:
    """An article as served, spliced of `row`, in the form that this request asks for."""
    made = {MARKDOWN: in_markdown, HTML: as_page}.get(g.media_type)
    form = {MARKDOWN: "md", HTML: "html"}.get(g.media_type) or ninjs.representation()
    tag = article_tag(row.id, row.version, row.status, form)
    if made is None:
        return ninjs.answer(ninjs.dressed(article), tag)
    if not_modified(tag):
        return unchanged(tag)
    response = made(orjson.loads(article))
    response.headers["ETag"] = f'"{tag}"'
    return response


def in_markdown(article: Mapping[str, Any]) -> Response:
    return Response(markdown(article), content_type=f"{MARKDOWN}; charset=utf-8")


def as_page(article: Mapping[str, Any]) -> Response:
    """The page, which loads pictures only and runs nothing."""
    response = Response(page(article), content_type=f"{HTML}; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy()
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
