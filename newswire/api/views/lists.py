"""Responses with a list of articles: read at one head, then written as a page of JSON or as a feed document.

The queries are in `reading`, the formats in `formats`; `views.articles` and `views.feeds` ask for lists.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from flask import Response
from sqlalchemy import Connection

from newswire.api.context import RequestContext
from newswire.api.representations import convert_articles, formatted_response, page_response
from newswire.api.request.conditional import STRONG_AFTER, strong_date
from newswire.api.request.urls import current_url
from newswire.api.responses import is_not_modified, not_modified_response
from newswire.api.schemas.filters import (
    MINUTE,
    SYNONYMS,
    FilterParameters,
    facets_of,
    is_relative,
    query_of,
    sparse_fields,
)
from newswire.article import Killed, Status
from newswire.changes.recent_kills import recent_kills
from newswire.changes.rules import Reader
from newswire.document import add_member, decode_article, splice_article
from newswire.errors import Problem
from newswire.formats import LISTS, Format, find_format
from newswire.formats.feeds.channel import Channel
from newswire.reading import facets, lists, relevance, stories
from newswire.reading.lists import Duplicates
from newswire.reading.more import count_more
from newswire.reading.suggestions import suggest_queries
from newswire.search.expression import Expression
from newswire.search.highlight import LOOKED_AT, LOOKED_AT_TOGETHER, highlight_article
from newswire.search.index import read_languages
from newswire.search.query import Query, Times
from newswire.search.relaxation import MOST
from newswire.search.synonyms import NO_SYNONYMS
from newswire.store.articles import AnyRow
from newswire.timestamps import now
from newswire.visibility import Visibility
from newswire.wire import Head, read_at_one_head, read_ranks

NAME = "Newswire"
TITLED = tuple(name for name in FilterParameters().fields if name not in ("q", "strict", *Times._fields))
SETTLED_AFTER = 1000
"""Milliseconds without a change after which a search is read optimistically: it is unlikely to be read twice."""


@dataclass(frozen=True)
class ListRequest:
    """A request for a list at `moment` (milliseconds), with the facets and the count that are wanted.

    `parameters` are the loaded ones. `document` is the format of a feed document, None for a page of JSON. `title` is
    that of a saved feed.
    """

    parameters: Mapping[str, Any]
    query: Query
    visibility: Visibility
    facets: frozenset[str]
    is_counted: bool
    document: Format | None
    moment: int
    title: str | None

    @property
    def is_on_the_wire(self) -> bool:
        """Whether every change of the list moves the head; changes of embargoed articles do not."""
        return self.query.status == Status.USABLE and self.visibility.follows_the_log

    @property
    def is_correctable(self) -> bool:
        """Whether mistyped words are looked for: in `q`, for the first page of a list in JSON."""
        asked = self.query
        first = asked.cursor is None and self.document is None
        return first and asked.expression is not None and asked.status == Status.USABLE


@dataclass(frozen=True)
class ListResult:
    """A page of a list: its rows, the cursor of the next page, and the validators of the response.

    `tag` is the ETag without quotes and `date` the Last-Modified, None for a list without them. `killed` are recently
    killed articles of this list, for formats with tombstones; `ranks` the positions of articles, by their `seq`, among
    those of the same time, for formats that tell them. `duplicates` are those of the rows by their numbers.
    """

    asked: ListRequest
    head: Head
    rows: Sequence[AnyRow]
    next_cursor: str | None
    meta: Mapping[str, Any]
    tag: str | None
    date: datetime | None = None
    killed: Sequence[Killed] = ()
    ranks: Mapping[int, int] = field(default_factory=dict)
    duplicates: Mapping[int, Duplicates] = field(default_factory=dict)


def list_response(context: RequestContext, parameters: Mapping[str, Any], title: str | None = None) -> Response:
    """The list for `parameters` (as `ArticleParameters` loads them), or 304; `title` is that of a saved feed."""
    moment = now()
    query = query_of(parameters, moment)
    asked_format, _ = find_format(context.media_type)
    document = asked_format if asked_format in LISTS else None
    if document is not None and not query.include_body:
        query = replace(query, include_body=True)
    is_counted = parameters.get("count") == "true"
    visibility = context.caller.visibility
    asked = ListRequest(parameters, query, visibility, facets_of(parameters), is_counted, document, moment, title)
    seen = context.head_seen if may_read_optimistically(asked, context.head_seen) else None
    found = read_at_one_head(context.database, seen, partial(read_list, context, asked), context.query_limit)
    if isinstance(found, Response):
        return found
    response = write_page(context, found) if document is None else write_document(context, found, document)
    if found.date is not None:
        response.last_modified = found.date
    return response


def may_read_optimistically(asked: ListRequest, head: Head | None) -> bool:
    """Whether to read at the head that was seen last, without a transaction (see `read_at_one_head`).

    If the head moves meanwhile the list is read again, so that slow queries are not read this way.
    """
    if head is None or asked.is_counted or asked.facets or asked.query.collapse or not asked.is_on_the_wire:
        return False
    if asked.query.expression is None:
        return True
    return asked.query.ranked_at is None and asked.moment - head.changed_at >= SETTLED_AFTER


def read_list(context: RequestContext, asked: ListRequest, connection: Connection, head: Head) -> ListResult | Response:
    """The list at `head`, or 304. It may run a second time, at another head; see `read_at_one_head`."""
    asked = add_synonyms(context, asked, connection, head)
    visibility, query, moment = asked.visibility, asked.query, asked.moment
    expiries = context.state.calendar.around(connection, head, moment)
    tag = date = None
    # A list that is not on the wire can change while the head does not: it has no validators and is never cached.
    if asked.is_on_the_wire:
        # The ETag contains the resolved times: the URL with `now-2d` means another list a minute later.
        tag = list_tag(context, head, *query.times, query.ranked_at, expiries.last)
        minute = moment // MINUTE * MINUTE if is_relative(asked.parameters) else 0
        changed_at = max(head.changed_at, expiries.last or 0, minute)
        date = strong_date(changed_at, moment)
        # A page without Last-Modified leaves the cache once it could have one.
        undated = changed_at + STRONG_AFTER if date is None else None
        context.mark_cacheable(head, expiries.following, minute + MINUTE if minute else None, undated)
        if is_not_modified(context.request, tag, date):
            return not_modified_response(context, tag)
    page = read_list_page(context, query, moment, connection, head)
    meta: dict[str, Any] = {"head": head.seq}
    if query.summary is not None and query.cursor is None:
        meta["query"] = query.summary
    if asked.is_counted:
        count = stories.count_stories if query.collapse else lists.count_articles
        meta["count"] = count(connection, query, visibility, moment)._asdict()
    is_own = asked.document is None and not context.request.path.startswith("/v1/feeds")
    if is_own and (more := count_more(connection, query, page, visibility, moment)) is not None:
        meta["more"] = {"count": more._asdict(), "link": current_url(context, match=MOST)}
    if asked.facets:
        meta["facets"] = facets.count_facets(connection, query, visibility, moment, asked.facets)
    if asked.is_correctable and (suggested := suggest_corrections(asked, connection, len(page.rows))):
        meta["did_you_mean"] = suggested
    killed: Sequence[Killed] = ()
    if asked.document is not None and asked.document.tombstones and query.cursor is None:
        killed = recent_kills(connection, Reader(visibility, query))
    ranks: Mapping[int, int] = {}
    if asked.document is not None and asked.document.is_ordered:
        ranks = read_ranks(connection, [row.seq for row in page.rows if row.seq is not None])
    return ListResult(asked, head, page.rows, page.next_cursor, meta, tag, date, killed, ranks, page.duplicates)


def add_synonyms(context: RequestContext, asked: ListRequest, connection: Connection, head: Head) -> ListRequest:
    """The request with the synonyms that the operator's dictionary has at `head` for its words."""
    if asked.query.expression is None:
        return asked
    synonyms = context.state.synonyms.read(connection, head)
    if synonyms is NO_SYNONYMS:
        return asked
    parameters = {**asked.parameters, SYNONYMS: synonyms}
    query = replace(query_of(parameters, asked.moment), include_body=asked.query.include_body)
    return replace(asked, parameters=parameters, query=query)


def read_list_page(
    context: RequestContext, query: Query, moment: int, connection: Connection, head: Head
) -> lists.ListPage:
    """The page of a query, in the order of relevance or of time."""
    visibility = context.caller.visibility
    if query.ranked_at is not None and not query.collapse:
        return relevance.ranked_page(connection, query, visibility, moment)
    languages = None
    # The languages are cached by head. Articles that are not on the wire may have others, without moving the head.
    if query.expression is not None and query.status == Status.USABLE:
        known = context.state.languages
        languages = known.get(head)
        if languages is None:
            languages = known.put(head, read_languages(connection))
    read = stories.story_page if query.collapse else lists.list_page
    return read(connection, query, visibility, moment, languages)


def suggest_corrections(asked: ListRequest, connection: Connection, found: int) -> list[dict[str, Any]]:
    """The corrections of the mistyped words in `q`, for a first page of `found` articles."""

    def read_query(text: str) -> Query | None:
        try:
            return query_of({**asked.parameters, "q": text}, asked.moment)
        except Problem:
            return None

    suggested = suggest_queries(connection, asked.query, asked.visibility, asked.moment, found, read_query)
    return [{"q": each.q, "count": each.found._asdict()} for each in suggested]


def list_tag(context: RequestContext, head: Head, *moments: int | None) -> str:
    """The ETag of a list, a hash of URL, media type, visibility, head and `moments`; for saved feeds also of the owner.

    Two parties may each have a feed of the same name at the same URL. The revision in the head covers the query of a
    saved feed, whose edit raises it.
    """
    fingerprint = context.caller.visibility.fingerprint
    if context.request.path.startswith("/v1/feeds"):
        fingerprint = f"{fingerprint} {context.caller.party}"
    parts = (current_url(context), context.media_type, fingerprint, head.wire, head.seq, head.revision, *moments)
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def write_page(context: RequestContext, found: ListResult) -> Response:
    """A page of a list in JSON, its articles in the negotiated JSON format."""
    query, base, wanted = found.asked.query, context.base_url, sparse_fields(found.asked.parameters)
    items = [
        splice_article(
            row.rendered, row.body if query.include_body else None, row.form, row.seq, row.status, row.id, base
        )
        for row in found.rows
    ]
    if wanted is not None:
        items = [select_fields(item, wanted) for item in items]
    if query.highlight and query.expression is not None:
        looked_at = min(LOOKED_AT, LOOKED_AT_TOGETHER // max(1, len(items)))
        items = [
            add_highlights(item, row, query.expression, looked_at) for item, row in zip(items, found.rows, strict=True)
        ]
    if query.collapse:
        items = [
            add_duplicates(item, found.duplicates[row.number]) for item, row in zip(items, found.rows, strict=True)
        ]
    converted = convert_articles(items, context.media_type)
    return page_response(context, converted, query.limit, found.next_cursor, tag=found.tag, meta=found.meta)


def add_highlights(item: bytes, row: AnyRow, expression: Expression, looked_at: int) -> bytes:
    """An article with the passages that match the query, among the first `looked_at` characters of its body."""
    article = decode_article(row.rendered, row.body)
    return add_member(item, "highlights", highlight_article(expression, article, looked_at))


def add_duplicates(item: bytes, duplicates: Duplicates) -> bytes:
    """An article with its near-duplicates of this list, and their number."""
    counted = add_member(item, "duplicate_count", duplicates.total._asdict())
    return add_member(counted, "duplicates", duplicates.told)


def select_fields(article: bytes, wanted: frozenset[str]) -> bytes:
    """Only some fields of an article, and its id."""
    kept = {name: value for name, value in orjson.loads(article).items() if name in wanted or name == "id"}
    return orjson.dumps(kept)


def write_document(context: RequestContext, found: ListResult, document: Format) -> Response:
    """A page of a list as a document for feed readers, such as Atom."""
    assert document.write_list is not None
    channel = channel_of(context, found)
    body = document.write_list(channel, [decode_article(row.rendered, row.body) for row in found.rows])
    return formatted_response(context, body, found.tag, channel.following)


def channel_of(context: RequestContext, found: ListResult) -> Channel:
    """The metadata of a feed document. Its id and address do not contain the token of the feed, which is a secret."""
    return Channel(
        id=current_url(context, cursor=None, limit=None, token=None),
        title=found.asked.title or title_of(found.asked.parameters),
        base=context.base_url,
        address=current_url(context, token=None),
        first=current_url(context, cursor=None),
        following=None if found.next_cursor is None else current_url(context, cursor=found.next_cursor),
        changed_at=found.head.changed_at,
        killed=found.killed,
        ranks={row.id: found.ranks[row.seq] for row in found.rows if row.seq in found.ranks},
    )


def title_of(asked: Mapping[str, Any]) -> str:
    """A title made of the parameters but for times, such as "Newswire: cocoa; section: world, uk"."""
    parts = [asked["q"]] if "q" in asked else []
    for name in TITLED:
        if name in asked:
            value = asked[name]
            parts.append(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
    return f"{NAME}: {'; '.join(parts)}" if parts else NAME
