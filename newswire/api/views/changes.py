"""Views of the wire: `GET /v1/changes` as pages, long polls and streams, and the head. `streams` writes the streams."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response
from sqlalchemy import Connection

from newswire import wire
from newswire.api.context import RequestContext
from newswire.api.representations import convert_entries, formatted_response
from newswire.api.responses import json_response
from newswire.api.schemas.changes import check_beginning, wanted_types
from newswire.api.schemas.filters import filter_query, invalid_parameter, is_relative, resolve_moment
from newswire.api.views import streams
from newswire.changes import consumers
from newswire.changes.content import encode_entry
from newswire.changes.page import Changes, changes_page, cursor_ahead_problem, position_before
from newswire.changes.rules import Reader
from newswire.document import join_page
from newswire.errors import Problem
from newswire.timestamps import now
from newswire.wire import read_at_one_head


def list_changes(context: RequestContext) -> Response:
    """The wire, in order, nothing missed

    Entries after the sequence number `after`, each exactly once for a reader who follows `page.next_after`.
    A page may be empty although `has_more` is true: entries that are not yours are scanned, not shown.
    `wait` holds an empty page back until there is something. As `text/event-stream` the same entries come
    as they are written, without end; as `application/x-ndjson` all there are, and behind them a line
    `{"next_after", "head"}` that says that none is missing.
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
    head, after, page = read_at_one_head(context.database, seen, read)
    if page is not None:
        page = wait_for_entries(context, page, reader, parameters["wait"])
        return formatted_response(context, page_document(context, page))
    stream = streams.event_stream if context.media_type == streams.EVENTS else streams.ndjson_stream
    return stream(context, reader, head, after)


def read_changes(
    context: RequestContext, parameters: Mapping[str, Any], reader: Reader, moment: int, connection: Connection,
    head: wire.Head,
) -> tuple[wire.Head, int, Changes | None]:  # fmt: skip
    """The head, the position to begin after, and the page, which is None for a stream.

    It may run a second time, at another head; see `read_at_one_head`.
    """
    check_wire(parameters.get("wire"), head)
    after = find_beginning(context, parameters, connection, head, moment)
    if after > head.seq:
        raise cursor_ahead_problem(after, head)
    if context.media_type in (streams.EVENTS, streams.NDJSON):
        return head, after, None
    page = changes_page(connection, reader, head, after, parameters["limit"], moment)
    if not parameters["wait"] and "consumer" not in parameters and not is_relative(parameters):
        context.mark_cacheable(head, context.state.calendar.around(connection, head, moment).following)
    return head, after, page


def check_wire(expected: str | None, head: wire.Head) -> None:
    """Raises `wire_changed` for a position of another wire, such as this one before it was restored from a backup."""
    if expected not in (None, head.wire):
        raise Problem(
            "wire_changed",
            f"This is the wire {head.wire}, not {str(expected)[:100]!r}. What you hold of the other may be missing"
            " here: begin again with start=oldest.",
        )


def find_beginning(
    context: RequestContext, parameters: Mapping[str, Any], connection: Connection, head: wire.Head, moment: int
) -> int:
    """The sequence number after which the page or stream begins."""
    last_event = context.request.headers.get("Last-Event-ID")
    # An EventSource reconnects with its first URL, so that the header is newer than any parameter.
    if last_event is not None and context.media_type == streams.EVENTS:
        return position_of(last_event, head)
    if "consumer" in parameters:
        found = consumers.find_consumer(connection, context.caller.party, parameters["consumer"])
        check_wire(found.wire, head)
        return found.after
    start = parameters.get("start", "oldest")
    if start == "oldest":
        after: int = parameters.get("after", 0)
        return after
    return head.seq if start == "now" else position_before(connection, resolve_moment(start, moment) or 0)


def position_of(event_id: str, head: wire.Head) -> int:
    """The sequence number of an event's id, `WIRE:SEQ`."""
    wire_id, _, seq = event_id.rpartition(":")
    if not wire_id or not (seq.isascii() and seq.isdigit()) or len(seq) > 19:
        raise invalid_parameter("Last-Event-ID", "Must be the id of an event of this stream, WIRE:SEQ.")
    check_wire(wire_id, head)
    return int(seq)


def wait_for_entries(context: RequestContext, page: Changes, reader: Reader, seconds: int) -> Changes:
    """The page, or a later one if it is empty and the client wants to wait."""
    if page.entries or page.has_more or not seconds or context.request.method == "HEAD":
        return page
    return streams.await_entries(context, reader, page.next_after, seconds)


def page_document(context: RequestContext, page: Changes) -> bytes:
    """A page of entries as served."""
    entries = [encode_entry(entry, context.base_url) for entry in page.entries]
    rest = {
        "page": {"has_more": page.has_more, "next_after": page.next_after},
        "head": page.head.seq,
        "wire": page.head.wire,
    }
    return join_page(convert_entries(entries, context.media_type), rest)
