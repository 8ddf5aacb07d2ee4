"""Views of the wire: `GET /v1/changes` as pages, long polls and streams, and the head. `streams` writes the streams."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Response
from sqlalchemy import Connection

from newswire import wire
from newswire.api.context import RequestContext
from newswire.api.representations import convert_entries, formatted_response
from newswire.api.responses import json_response
from newswire.api.schemas.changes import check_beginning, wanted_types
from newswire.api.schemas.filters import SYNONYMS, filter_query, invalid_parameter, is_relative, resolve_moment
from newswire.api.views import streams
from newswire.changes import consumers
from newswire.changes.content import encode_entry
from newswire.changes.page import Changes, changes_page, position_before
from newswire.changes.positions import (
    CHAIN_PATTERN,
    LogPosition,
    complete_position,
    verify_position,
    wire_changed_problem,
)
from newswire.changes.rules import Reader
from newswire.document import join_page
from newswire.timestamps import now
from newswire.wire import read_at_one_head

EVENT_ID = re.compile(f"([^:]+):([0-9]{{1,19}})(?::{CHAIN_PATTERN})?")
"""The id of an event: wire, number and the first digits of the chain value, which ids of earlier releases lack."""


def list_changes(context: RequestContext) -> Response:
    """The wire, in order, nothing missed

    Entries after the sequence number `after`, each exactly once for a reader who follows `page.next_after`.
    A page may be empty although `has_more` is true: entries that are not yours are scanned, not shown.
    Send `page.next_chain` back as `chain`, and `wire`: where the database has lost entries that you have read, you
    get 409 `wire_forked` instead of other entries under their numbers.
    `wait` holds an empty page back until there is something. As `text/event-stream` the same entries come
    as they are written, without end; as `application/x-ndjson` all there are, and behind them a line
    `{"next_after", "next_chain", "head"}` that says that none is missing.
    """
    return changes_response(context, context.parameters)


def read_wire(context: RequestContext) -> Response:
    """Where the wire stands

    Its id, the newest sequence number, and the chain value that vouches for every entry up to it.
    """
    with context.database.read() as connection:
        head = wire.read_head(connection)
    return json_response(context, {"wire": head.wire, "head": head.seq, "chain": head.chain})


def changes_response(context: RequestContext, parameters: Mapping[str, Any]) -> Response:
    """The entries for `parameters` (as `ChangesParameters` loads them), as a page or as a stream."""
    moment = now()
    check_beginning(parameters)
    reader = Reader(context.caller.visibility, filter_query(parameters, moment), wanted_types(parameters))
    # An optimistic read is repeated if the head moves. A reader that looks into articles is too slow for that.
    seen = None if reader.looks_inside else context.head_seen
    read = partial(read_changes, context, parameters, reader, moment)
    reader, head, position, page = read_at_one_head(context.database, seen, read)
    if page is not None:
        page = wait_for_entries(context, page, reader, parameters)
        if is_page_shared(page, parameters):
            context.mark_cacheable(page.head, page.until)
        return formatted_response(context, page_document(context, page))
    stream = streams.event_stream if context.media_type == streams.EVENTS else streams.ndjson_stream
    return stream(context, reader, head, position)


def read_changes(
    context: RequestContext, parameters: Mapping[str, Any], reader: Reader, moment: int, connection: Connection,
    head: wire.Head,
) -> tuple[Reader, wire.Head, LogPosition, Changes | None]:  # fmt: skip
    """The reader with its synonyms, the head, the position to begin after, and the page, which is None for a stream.

    It may run a second time, at another head; see `read_at_one_head`.
    """
    if reader.query.expression is not None:
        # A stream or a long poll keeps the synonyms with which it began.
        synonyms = context.state.synonyms.read(connection, head)
        reader = replace(reader, query=filter_query({**parameters, SYNONYMS: synonyms}, moment))
    context.state.feed.history.refuse_forked(head)
    position = verify_position(connection, head, find_beginning(context, parameters, connection, head, moment))
    if context.media_type in (streams.EVENTS, streams.NDJSON):
        # A stream checks against it that every page continues the one before.
        return reader, head, complete_position(connection, head, position), None
    return reader, head, position, changes_page(connection, reader, head, position, parameters["limit"], moment)


def find_beginning(
    context: RequestContext, parameters: Mapping[str, Any], connection: Connection, head: wire.Head, moment: int
) -> LogPosition:
    """The position after which the page or stream begins, as the reader names it."""
    last_event = context.request.headers.get("Last-Event-ID")
    # An EventSource reconnects with its first URL, so that the header is newer than any parameter.
    if last_event is not None and context.media_type == streams.EVENTS:
        return position_of(last_event)
    start, wire_id = parameters.get("start", "oldest"), parameters.get("wire")
    if "consumer" in parameters:
        # A failover can lose the last acknowledgements too: then the stored position still matches, and only the id
        # that the reader sends tells that it may have read further.
        if wire_id not in (None, head.wire):
            raise wire_changed_problem(wire_id, head)
        found = consumers.find_consumer(connection, context.caller.party, parameters["consumer"])
        return LogPosition(found.after, found.chain, found.wire)
    if start == "oldest":
        return LogPosition(parameters.get("after", 0), parameters.get("chain"), wire_id)
    seq = head.seq if start == "now" else position_before(connection, resolve_moment(start, moment) or 0)
    return LogPosition(seq, None, wire_id)


def position_of(event_id: str) -> LogPosition:
    """The position that an event's id names: `WIRE:SEQ:CHAIN`, or `WIRE:SEQ` as earlier releases sent it."""
    found = EVENT_ID.fullmatch(event_id)
    if found is None:
        raise invalid_parameter("Last-Event-ID", "Must be the id of an event of this stream, WIRE:SEQ:CHAIN.")
    return LogPosition(int(found[2]), found[3], found[1])


def wait_for_entries(context: RequestContext, page: Changes, reader: Reader, parameters: Mapping[str, Any]) -> Changes:
    """The page, or a later one if it is empty and the client wants to wait: from when it asked, not from now."""
    # It may have waited already, for the page of another poll.
    seconds = parameters["wait"] - (time.perf_counter() - context.began)
    if page.entries or page.has_more or seconds <= 0 or context.request.method == "HEAD":
        return page
    return streams.await_entries(context, reader, page.next, parameters["limit"], seconds)


def is_page_shared(page: Changes, parameters: Mapping[str, Any]) -> bool:
    """Whether the page is the same for all who ask for it at its head: others may get it out of the cache.

    An empty one is not, for those who want to wait, nor one whose position is that of a consumer or depends on when it
    was asked for.
    """
    if parameters["wait"] and (parameters.get("start") == "now" or not (page.entries or page.has_more)):
        return False
    return "consumer" not in parameters and not is_relative(parameters)


def page_document(context: RequestContext, page: Changes) -> bytes:
    """A page of entries as served."""
    entries = [encode_entry(entry, context.base_url) for entry in page.entries]
    rest = {
        "page": {"has_more": page.has_more, "next_after": page.next.seq, "next_chain": page.next.chain},
        "head": page.head.seq,
        "wire": page.head.wire,
    }
    return join_page(convert_entries(entries, context.media_type), rest)
