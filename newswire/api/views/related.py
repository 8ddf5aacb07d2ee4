"""The view of the stories around an article: links in both directions, and more like this."""

import hashlib
from collections.abc import Sequence

from flask import Response
from sqlalchemy import Connection

from newswire import wire
from newswire.api.context import RequestContext
from newswire.api.request.urls import current_url
from newswire.api.responses import is_not_modified, json_response, not_modified_response
from newswire.api.views.lists import list_tag
from newswire.article import Status
from newswire.document import join_page, splice_article
from newswire.reading.article import read_current
from newswire.reading.lists import rows_in_order
from newswire.reading.related import RelatedStory, find_related
from newswire.search.query import Query
from newswire.timestamps import now

ITEM = b'{"relation":"%s","id":"%s","status":"%s","article":%s}'


def list_related(context: RequestContext, article_id: str) -> Response:
    """The stories around an article

    First those that it links to and those that link to it, then more like this, in languages with the same stemmer. A
    story that was killed has the status `canceled` and no article; what is not yours to read is left out.
    """
    moment, visibility = now(), context.caller.visibility
    with context.database.read(context.query_limit) as connection:
        row = read_current(connection, article_id, visibility, moment)
        head = wire.read_head(connection)
        expiries = context.state.calendar.around(connection, head, moment)
        tag = list_tag(context, head, expiries.last)
        # An owner also sees what is withheld, which changes while the head does not.
        if visibility.shares_pages:
            context.mark_cacheable(head, expiries.following)
            if is_not_modified(context.request, tag):
                return not_modified_response(context, tag)
        stories = find_related(connection, row, visibility, moment, context.parameters["limit"])
        items = write_stories(connection, stories, context.base_url)
    if not visibility.shares_pages:
        tag = list_tag(context, head, int.from_bytes(hashlib.sha256(b"".join(items)).digest()[:8]))
    rest = {"links": {"self": current_url(context)}, "meta": {"head": head.seq}}
    return json_response(context, join_page(items, rest), tag=tag)


def write_stories(connection: Connection, stories: Sequence[RelatedStory], base_url: str) -> list[bytes]:
    """The items of the answer, without the bodies of articles; only the first ones if all do not fit `PAGE_BYTES`."""
    open_ones = [story.number for story in stories if story.status != Status.CANCELED]
    rows = {row.number: row for row in rows_in_order(connection, Query(), open_ones)}
    items = []
    for story in stories:
        article = b"null"
        if story.status != Status.CANCELED:
            if (row := rows.get(story.number)) is None:
                break
            article = splice_article(row.rendered, None, row.form, row.seq, row.status, row.id, base_url)
        items.append(ITEM % (story.relation.encode(), story.id.encode(), story.status.encode(), article))
    return items
