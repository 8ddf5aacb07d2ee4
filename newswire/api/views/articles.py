"""Views of articles: the list, one article, its versions."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Response

from newswire.api.context import RequestContext
from newswire.api.representations import article_response, convert_articles, converted_response
from newswire.api.request.conditional import article_tag
from newswire.api.request.urls import current_url
from newswire.api.responses import json_response
from newswire.api.schemas.filters import sparse_fields
from newswire.api.views.lists import ListFormat, ListResult, list_response
from newswire.document import add_member, decode_article, join_page, splice_article
from newswire.errors import Problem
from newswire.reading import article
from newswire.search.highlight import highlight_article
from newswire.search.syntax import Expression
from newswire.store.articles import AnyRow
from newswire.timestamps import now


def list_articles(context: RequestContext) -> Response:
    """Find and list articles

    Usable articles that match every parameter, newest first. A page has no depth limit: follow
    `links.next`. Lists leave the bodies out unless `include=body`.
    """
    return list_response(context, context.parameters, JSON)


def write_json(context: RequestContext, found: ListResult) -> Response:
    """A page of a list as JSON, or with its articles in ninjs."""
    wanted, base = sparse_fields(found.parameters), context.base_url
    bodies = found.query.include_body
    items = [
        splice_article(row.rendered, row.body if bodies else None, row.form, row.seq, row.status, row.id, base)
        for row in found.rows
    ]
    if wanted is not None:
        items = [select_fields(item, wanted) for item in items]
    if found.query.highlight and found.query.expression is not None:
        expression = found.query.expression
        items = [add_highlights(item, row, expression) for item, row in zip(items, found.rows, strict=True)]
    converted = convert_articles(items, context.media_type)
    return page_response(context, converted, found.query.limit, found.next_cursor, tag=found.tag, meta=found.meta)


JSON = ListFormat(write_json)


def add_highlights(item: bytes, row: AnyRow, expression: Expression) -> bytes:
    """An article with the passages that match the query."""
    return add_member(item, "highlights", highlight_article(expression, decode_article(row.rendered, row.body)))


def select_fields(article: bytes, wanted: frozenset[str]) -> bytes:
    """Only some fields of an article, and its id."""
    kept = {name: value for name, value in orjson.loads(article).items() if name in wanted or name == "id"}
    return orjson.dumps(kept)


def read_article(context: RequestContext, article_id: str) -> Response:
    """One article, with its bodies

    410 tells whoever may have seen it that it was killed; what is not yours to read is 404.
    """
    # One statement; of a killed article a second one, of entries that no later one can follow.
    with context.database.failures_as_problems(), context.database.look() as connection:
        row = article.read_current(connection, article_id, context.caller.visibility, now())
    body = splice_article(row.rendered, row.body, row.form, row.seq, row.status, row.id, context.base_url)
    return article_response(context, body, row)


def list_ninjs(context: RequestContext) -> Response:
    """Find and list articles, in ninjs

    The list of `/v1/articles`, each item an article in ninjs 3.1, or 2.1 with `;version=2.1` in `Accept`.
    """
    return list_articles(context)


def read_ninjs(context: RequestContext, article_id: str) -> Response:
    """One article in ninjs

    The IPTC's News in JSON, version 3.1, or 2.1 with `;version=2.1` in `Accept`.
    """
    return read_article(context, article_id)


def read_markdown(context: RequestContext, article_id: str) -> Response:
    """One article in Markdown

    The form that is accepted, front matter and body: sent back, it changes nothing.
    """
    return read_article(context, article_id)


def read_page(context: RequestContext, article_id: str) -> Response:
    """One article as a page for people

    HTML that needs nothing else, with schema.org's NewsArticle and Open Graph for machines.
    """
    return read_article(context, article_id)


def list_versions(context: RequestContext, article_id: str) -> Response:
    """The history of an article

    Every version, newest first, each with the change that made it. Versions that were never on
    the wire are shown to their publisher only.
    """
    limit, before = context.parameters["limit"], version_before(context.parameters.get("cursor"))
    with context.database.read() as connection:
        rows = article.read_history(
            connection, article_id, context.caller.visibility, now(), before=before, limit=limit + 1
        )  # fmt: skip
    items = [version_document(context, row, article_id, None) for row in rows[:limit]]
    return page_response(context, items, limit, str(rows[limit - 1].version) if len(rows) > limit else None)


def read_version(context: RequestContext, article_id: str, version: int) -> Response:
    """One version of an article, with its bodies

    A version never changes; its `status` is what it was when it was the newest.
    """
    with context.database.read() as connection:
        row = article.read_one_version(connection, article_id, version, context.caller.visibility, now())
    body = version_document(context, row, article_id, row.body)
    return json_response(context, body, tag=article_tag(article_id, version, "version"))


def version_document(context: RequestContext, row: Any, article_id: str, body: bytes | None) -> bytes:
    return splice_article(row.rendered, body, row.form, row.seq, row.status, article_id, context.base_url)


def version_before(cursor: str | None) -> int:
    """The version below which a page of the history begins."""
    if cursor is None:
        return 2**31 - 1
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Problem("invalid_cursor", "The cursor is not one of this history; start again without it.")
    return int(cursor)


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
    response = converted_response(context, join_page(items, rest), tag)
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response
