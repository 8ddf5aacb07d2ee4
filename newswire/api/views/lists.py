"""A list of articles in any clothes: one look-up, one ETag, one transaction; what differs is how it is written."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Response, g
from sqlalchemy import Connection

from newswire import wire
from newswire.api.cache.pages import keepable
from newswire.api.request.conditional import STRONG_AFTER, not_modified, strong_date
from newswire.api.request.urls import here
from newswire.api.responses import unchanged
from newswire.api.schemas.filters import MINUTE, facets_of, is_relative, query_of
from newswire.api.state import database, state
from newswire.article import Killed, Status
from newswire.changes.recent_kills import lately_killed
from newswire.changes.rules import Reader
from newswire.reading import facets, lists, relevance
from newswire.reading.at_one_head import while_it_stands
from newswire.search.query import Query
from newswire.store.articles import AnyRow
from newswire.timestamps import now
from newswire.visibility import Visibility

REST = 1000
"""Milliseconds after which a wire that has not moved will hardly move during a search."""


@dataclass(frozen=True)
class Found:
    """A page of a list: its rows, the cursor behind it, and how the whole list stands.

    `asked` are the parameters as loaded; `tag` is its ETag without quotes, `date` its Last-Modified, None where it
    has none; `killed` are articles of this list that were killed lately, where the clothes tell of them; `title` is
    that of a saved feed.
    """

    asked: Mapping[str, Any]
    query: Query
    head: wire.Head
    rows: Sequence[AnyRow]
    next_cursor: str | None
    meta: Mapping[str, Any]
    tag: str | None
    date: datetime | None = None
    killed: Sequence[Killed] = ()
    title: str | None = None


@dataclass(frozen=True)
class Clothes:
    """How a list is dressed: `write` makes the answer. With `bodies` its rows have them, with `kills` it tells of
    those on its first page."""

    write: Callable[[Found], Response]
    bodies: bool = False
    kills: bool = False


def answered(parameters: Mapping[str, Any], clothes: Clothes, title: str | None = None) -> Response:
    """The list that `parameters` (as `ArticleParameters` loads them) ask for, or 304 where the caller holds it.

    `title` is what a saved feed is called.
    """
    moment = now()
    query, kinds, counted = query_of(parameters, moment), facets_of(parameters), parameters.get("count") == "true"
    if clothes.bodies and not query.include_body:
        query = replace(query, include_body=True)
    visibility = g.caller.visibility
    # What is not on the wire changes without it, so that nothing tells whether a copy of it is still good.
    on_the_wire = query.status == Status.USABLE

    def read(connection: Connection, head: wire.Head) -> Found | Response:
        expired_at, expires_at = state().calendar.around(connection, head, moment)
        # The same words are another list by another time.
        tag = list_tag(head, visibility, *query.times, query.ranked_at, expired_at) if on_the_wire else None
        minute = moment // MINUTE * MINUTE if is_relative(parameters) else 0
        changed_at = max(head.changed_at, expired_at or 0, minute)
        date = strong_date(changed_at, moment) if on_the_wire else None
        if tag is not None:
            # A page without a date is kept no longer than until it may have one.
            undated = changed_at + STRONG_AFTER if date is None else None
            keepable(head, expires_at, minute + MINUTE if minute else None, undated)
        if tag is not None and not_modified(tag, date):
            return unchanged(tag)
        page = page_at(connection, query, visibility, moment, head)
        meta: dict[str, Any] = {"head": head.seq}
        if counted:
            meta["count"] = lists.count(connection, query, visibility, moment)._asdict()
        if kinds:
            meta["facets"] = facets.counted(connection, query, visibility, moment, kinds)
        killed: Sequence[Killed] = ()
        if clothes.kills and query.cursor is None:
            killed = lately_killed(connection, Reader(visibility, query))
        return Found(parameters, query, head, page.rows, page.next_cursor, meta, tag, date, killed, title)

    is_brief = on_the_wire and not counted and not kinds
    found = while_it_stands(database(), seen_to_stand(query, moment) if is_brief else None, read)
    if isinstance(found, Response):
        return found
    response = clothes.write(found)
    if found.date is not None:
        response.last_modified = found.date
    return response


def seen_to_stand(query: Query, moment: int) -> wire.Head | None:
    """Where this request saw the wire stand, if the query is worth a try there: what takes long is not begun twice."""
    head = state().looked()
    if query.expression is None or head is None:
        return head
    return head if query.ranked_at is None and moment - head.changed_at >= REST else None


def page_at(connection: Connection, query: Query, visibility: Visibility, moment: int, head: wire.Head) -> lists.Page:
    """The page of a query. What is not on the wire may be in languages that the wire has not at this head."""
    if query.ranked_at is not None:
        return relevance.page(connection, query, visibility, moment)
    is_known = query.expression is not None and query.status == Status.USABLE
    languages = state().languages.at(connection, head) if is_known else None
    return lists.page(connection, query, visibility, moment, languages)


def list_tag(head: wire.Head, visibility: Visibility, *moments: int | None) -> str:
    """A list's ETag: it depends on what is asked for, in which form, by whom, and on where the wire stands.

    A saved feed that is edited raises the revision, as any other edit does.
    """
    parts = (here(), g.media_type, visibility.fingerprint, head.wire, head.seq, head.revision, *moments)
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()
