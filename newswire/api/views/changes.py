"""The wire itself over HTTP: `GET /v1/changes` as pages, waiting or not, and as streams; and where it stands."""

from typing import Any

from flask import Response, g, request
from sqlalchemy import Connection

from newswire import wire
from newswire.api import ninjs
from newswire.api.cache.pages import keepable
from newswire.api.request.urls import base_url
from newswire.api.responses import json_answer
from newswire.api.schemas.changes import check_beginning, wanted_types, wire_query
from newswire.api.schemas.filters import invalid, is_relative, resolved
from newswire.api.state import database, state
from newswire.api.views import streams
from newswire.changes import consumers
from newswire.changes.document import entry_bytes
from newswire.changes.page import Changes, ahead, changes, first_at
from newswire.changes.rules import Reader
from newswire.document import enveloped
from newswire.errors import Problem
from newswire.reading.at_one_head import while_it_stands
from newswire.timestamps import now


def list_changes(parameters: dict[str, Any]) -> Response:
    """The wire, in order, nothing missed

    Entries after the sequence number `after`, each exactly once for whoever follows `page.next_after`.
    A page may be empty although `has_more` is true: entries that are not yours are scanned, not shown.
    `wait` holds an empty page back until there is something. As `text/event-stream` the same entries come
    as they are written, without end; as `application/x-ndjson` all there are, and behind them a line
    `{"next_after", "head"}` that says that none is missing.
    """
    moment = now()
    check_beginning(parameters)
    reader = Reader(g.caller.visibility, wire_query(parameters, moment), wanted_types(parameters))

    def read(connection: Connection, head: wire.Head) -> tuple[wire.Head, int, Changes | None]:
        """Where the wire and the caller stand, and the page of who wants one."""
        check_wire(parameters.get("wire"), head)
        after = beginning(connection, parameters, head, moment)
        if after > head.seq:
            raise ahead(after, head)
        if g.media_type in (streams.EVENTS, streams.NDJSON):
            return head, after, None
        page = changes(connection, reader, head, after, parameters["limit"], moment)
        if not parameters["wait"] and "consumer" not in parameters and not is_relative(parameters):
            keepable(head, state().calendar.around(connection, head, moment).following)
        return head, after, page

    # What takes long is not begun twice.
    seen = None if reader.looks_inside else state().looked()
    head, after, page = while_it_stands(database(), seen, read)
    if page is not None:
        return ninjs.answer(page_bytes(waited(page, reader, parameters["wait"])))
    stream = streams.events if g.media_type == streams.EVENTS else streams.ndjson
    return stream(reader, head, after)


def list_changes_ninjs(parameters: dict[str, Any]) -> Response:
    """The wire, in order, its articles in ninjs

    The pages of `/v1/changes`, each `article` in ninjs 3.1, or 2.1 with `;version=2.1` in `Accept`.
    """
    return list_changes(parameters)


def read_wire(parameters: dict[str, Any]) -> Response:
    """Where the wire stands

    Its id, the newest sequence number, and the chain value that vouches for every entry up to it.
    """
    with database().read() as connection:
        head = wire.position(connection)
    return json_answer({"wire": head.wire, "head": head.seq, "chain": head.chain})


def check_wire(expected: str | None, head: wire.Head) -> None:
    """Raises `wire_changed` for a position of another wire, such as this one before it was restored."""
    if expected not in (None, head.wire):
        raise Problem(
            "wire_changed",
            f"This is the wire {head.wire}, not {str(expected)[:100]!r}. What you hold of the other may be missing"
            " here: begin again with start=oldest.",
        )


def beginning(connection: Connection, parameters: dict[str, Any], head: wire.Head, moment: int) -> int:
    """The position behind which the walk begins."""
    last_event = request.headers.get("Last-Event-ID")
    if last_event is not None and g.media_type == streams.EVENTS:
        return position_of(last_event, head)
    if "consumer" in parameters:
        found = consumers.find(connection, g.caller.party, parameters["consumer"])
        check_wire(found.wire, head)
        return found.after
    start = parameters.get("start", "oldest")
    if start == "oldest":
        after: int = parameters.get("after", 0)
        return after
    return head.seq if start == "now" else first_at(connection, resolved(start, moment) or 0)


def position_of(event_id: str, head: wire.Head) -> int:
    """The sequence number of an event's id, `WIRE:SEQ`."""
    wire_id, _, seq = event_id.rpartition(":")
    if not wire_id or not (seq.isascii() and seq.isdigit()) or len(seq) > 19:
        raise invalid("Last-Event-ID", "Must be the id of an event of this stream, WIRE:SEQ.")
    check_wire(wire_id, head)
    return int(seq)


def waited(page: Changes, reader: Reader, seconds: int) -> Changes:
    """The page, or a later one where there is nothing on it and the caller would rather wait."""
    if page.entries or page.has_more or not seconds or request.method == "HEAD":
        return page
    return streams.awaited(reader, page.next_after, seconds)


def page_bytes(page: Changes) -> bytes:
    base = base_url()
    entries = [entry_bytes(told, base) for told in page.entries]
    rest = {
        "page": {"has_more": page.has_more, "next_after": page.next_after},
        "head": page.head.seq,
        "wire": page.head.wire,
    }
    return enveloped(entries if ninjs.version() is None else map(ninjs.dressed_entry, entries), rest)
