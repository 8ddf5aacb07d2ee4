"""Views of articles: the list, one article, its versions."""

from typing import Any

from flask import Response

from newswire.api.context import RequestContext
from newswire.api.representations import article_response, page_response
from newswire.api.request.conditional import article_tag
from newswire.api.responses import json_response
from newswire.api.views.lists import list_response
from newswire.document import splice_article
from newswire.errors import Problem
from newswire.reading import article
from newswire.timestamps import now


def list_articles(context: RequestContext) -> Response:
    """Find and list articles

    Usable articles that match every parameter, newest first. A page has no depth limit: follow
    `links.next`. Lists leave the bodies out unless `include=body`.
    """
    return list_response(context, context.parameters)


def read_article(context: RequestContext, article_id: str) -> Response:
    """One article, with its bodies

    410 if it was killed and you may have seen it; 404 if it is not yours to read.
    """
    # No snapshot is needed, as one statement reads it all. Only a killed article takes a second one, which reads its
    # entries in the log; a kill is the last of them.
    with context.database.failures_as_problems(), context.database.look(context.query_limit) as connection:
        row = article.read_current(connection, article_id, context.caller.visibility, now())
    body = splice_article(row.rendered, row.body, row.form, row.seq, row.status, row.id, context.base_url)
    return article_response(context, body, row)


def list_versions(context: RequestContext, article_id: str) -> Response:
    """The history of an article

    Every version, newest first, each with the change that made it. Versions that were never on
    the wire are shown to their publisher only.
    """
    limit, before = context.parameters["limit"], version_before(context.parameters.get("cursor"))
    with context.database.read(context.query_limit) as connection:
        page = article.read_history(
            connection, article_id, context.caller.visibility, now(), before=before, limit=limit
        )  # fmt: skip
    items = [version_document(context, row, article_id, None) for row in page.rows]
    return page_response(context, items, limit, str(page.rows[-1].version) if page.has_more else None)


def read_version(context: RequestContext, article_id: str, version: int) -> Response:
    """One version of an article, with its bodies

    A version never changes; its `status` is what it was when it was the newest.
    """
    with context.database.read(context.query_limit) as connection:
        row = article.read_one_version(connection, article_id, version, context.caller.visibility, now())
    body = version_document(context, row, article_id, row.body)
    return json_response(context, body, tag=article_tag(article_id, version, "version"))


def version_document(context: RequestContext, row: Any, article_id: str, body: bytes | None) -> bytes:
    return splice_article(row.rendered, body, row.form, row.seq, row.status, article_id, context.base_url)


def version_before(cursor: str | None) -> int:
    """The version before which a page of the history begins; raises `invalid_cursor`."""
    if cursor is None:
        return 2**31 - 1
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Problem("invalid_cursor", "The cursor is not one of this history; start again without it.")
    return int(cursor)
