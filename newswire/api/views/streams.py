"""Streams of the wire: Server-Sent Events, NDJSON exports, and the waiting of a long poll.

`changes.follow` decides what is sent and when. Here it is encoded for HTTP, and clients that have disconnected or do
not read are dropped.
"""

import logging
import select
import socket
import time
from collections.abc import Callable, Iterator

import orjson
from flask import Request, Response

from newswire import wire
from newswire.api.auth import access_checker, unauthenticated_problem
from newswire.api.context import RequestContext
from newswire.api.limits.slots import busy_problem
from newswire.api.problems import embed_problem
from newswire.changes.content import encode_entry
from newswire.changes.follow import Access, Follower
from newswire.changes.page import Changes
from newswire.changes.positions import LogPosition
from newswire.changes.rules import Reader
from newswire.errors import Problem

logger = logging.getLogger("newswire.request")

EVENTS = "text/event-stream"
NDJSON = "application/x-ndjson"
HEARTBEAT_SECONDS = 15.0
SLOW_SECONDS = 20.0
"""Timeout of a send of up to `PIECE` bytes; a client that reads more slowly is dropped, and resumes by its last id."""
PIECE = 64 * 1024
SKIPPED = 1000
"""Entries not visible to a reader after which its position is sent all the same: a resumed stream skips them."""
STREAM_RETRY_SECONDS = 5.0
"""About when a reader is asked to come again that finds all streams open."""
RETRY_MILLISECONDS = 2000
"""How long an EventSource waits before it reconnects."""


def event_stream(context: RequestContext, reader: Reader, head: wire.Head, position: LogPosition) -> Response:
    """An endless response of Server-Sent Events with the entries after `position`."""
    lines = event_lines(
        follow_wire(context, reader, position), head.wire, context.base_url, disconnect_probe(context.request)
    )
    return stream_response(context, lines, EVENTS)


def ndjson_stream(context: RequestContext, reader: Reader, head: wire.Head, position: LogPosition) -> Response:
    """A response with the entries after `position` to the head, one a line, and a last line that marks completeness."""
    return stream_response(context, entry_lines(follow_wire(context, reader, position), head, context.base_url), NDJSON)


def follow_wire(context: RequestContext, reader: Reader, position: LogPosition) -> Follower:
    """A follower of the wire that checks again and again whether the caller may still read."""
    return Follower(context.state.feed, reader, position, access_checker(context.request, context.state.feed))


def await_entries(
    context: RequestContext, reader: Reader, position: LogPosition, limit: int, seconds: float
) -> Changes:
    """Long poll: waits for the first page with an entry, at most `seconds`; then returns an empty page."""
    caller, seen = context.caller, context.head_seen
    # The caller was read at the revision that was seen, so that its access need not be read again before that moves.
    known = None if seen is None else (Access(caller.visibility, caller.expires_at), seen.revision)
    checker = access_checker(context.request, context.state.feed)
    follower = Follower(context.state.feed, reader, position, checker, known, limit)
    is_disconnected = disconnect_probe(context.request)
    page = None
    release_stream_slot = take_stream_slot(context)
    try:
        # Waiting readers must not use up the request slots. The slot is not taken back for the short rest.
        context.release_slots()
        for page in follower.pages(until=time.monotonic() + seconds):
            if page.entries or page.has_more or is_disconnected():
                break
            if seen is None or page.head.revision != seen.revision:
                # Those who wait for this poll must see for themselves whether they may still read.
                context.land_flight()
    finally:
        release_stream_slot()
    # Before the empty page of an earlier tick, which the caller would take for "nothing new".
    if follower.is_denied:
        raise unauthenticated_problem("The key was revoked, or expired, while you waited.")
    if page is None:
        raise Problem("unavailable", "This server is stopping; ask again.", headers={"Retry-After": "1"})
    return page


def take_stream_slot(context: RequestContext) -> Callable[[], None]:
    """Takes one of the stream slots without waiting; returns the function that releases it. Raises `unavailable`."""
    if context.request.method == "HEAD":
        return lambda: None
    slots = context.state.slots
    slot = slots.take_now(slots.streams, context.party)
    if slot is None:
        if slots.streams.taken < slots.streams.size:
            detail = f"You have {slots.streams.share} streams open in this process, as many as one party may have."
        else:
            detail = f"All {slots.streams.size} streams of this process are open; try again, or read without waiting."
        raise busy_problem(detail, STREAM_RETRY_SECONDS)
    return slot.release


def stream_response(context: RequestContext, lines: Iterator[bytes], media_type: str) -> Response:
    """A streamed response, with headers that keep caches and proxies from storing or buffering it."""
    release_stream_slot = take_stream_slot(context)
    connection = context.request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(SLOW_SECONDS)
    response = Response(lines, content_type=media_type)
    response.headers["Cache-Control"] = "private, no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    # Called also when the client disconnects and when the iterator of `lines` raises.
    response.call_on_close(release_stream_slot)
    return response


def event_lines(follower: Follower, wire_id: str, base: str, is_disconnected: Callable[[], bool]) -> Iterator[bytes]:
    """Server-Sent Events: entries, positions of the reader behind entries that it may not see, and heartbeats.

    A position is an id without data, which dispatches no event but becomes the Last-Event-ID (HTML, 9.2.6). A stream
    that cannot go on, because the wire has lost what it sent, ends with an event `error` whose data is the problem.
    """
    position = follower.position.seq
    beat = time.monotonic() + HEARTBEAT_SECONDS
    yield b"retry: %d\n%s\n" % (RETRY_MILLISECONDS, event_id(wire_id, follower.position))
    try:
        for page in follower.pages():
            chunk = b"".join(
                b"%sevent: %s\ndata: %s\n\n"
                % (
                    event_id(wire_id, LogPosition(entry.item.seq, entry.item.chain)),
                    entry.type.encode(),
                    encode_entry(entry, base),
                )
                for entry in page.entries
            )
            position = page.entries[-1].item.seq if page.entries else position
            is_heartbeat_due = time.monotonic() >= beat
            if is_heartbeat_due:
                chunk += b": heartbeat\n\n"
                beat = time.monotonic() + HEARTBEAT_SECONDS
            if page.next.seq - position >= (1 if is_heartbeat_due else SKIPPED):
                position = page.next.seq
                chunk += event_id(wire_id, page.next) + b"\n"
            # With something to send, the send itself fails for a client that is gone.
            if not chunk and is_disconnected():
                return
            yield from split_chunk(chunk)
    except Problem as problem:
        logger.warning("a stream ends: %s", problem.detail)
        yield b"event: error\ndata: %s\n\n" % orjson.dumps(embed_problem(problem, base))


def event_id(wire_id: str, position: LogPosition) -> bytes:
    """The line with the id of an event, by which a stream is resumed: `WIRE:SEQ:CHAIN`."""
    return b"id: %s:%d:%s\n" % (wire_id.encode(), position.seq, position.short_chain.encode())


def entry_lines(follower: Follower, head: wire.Head, base: str) -> Iterator[bytes]:
    """NDJSON: an entry a line up to `head`, and a last line with `next_after` only if none is missing.

    If the export cannot be completed, its last line is the problem instead.
    """
    try:
        for page in follower.export(head.seq):
            yield from split_chunk(b"".join(encode_entry(entry, base) + b"\n" for entry in page.entries))
    except Problem as problem:
        # The status 200 is sent already: only the last line can tell the client that entries are missing.
        logger.warning("an export was cut off: %s", problem.detail)
        yield orjson.dumps(embed_problem(problem, base)) + b"\n"
        return
    if follower.position.seq == head.seq:
        last = {"next_after": head.seq, "next_chain": follower.position.chain, "head": head.seq}
        yield orjson.dumps(last) + b"\n"


def split_chunk(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), PIECE):
        yield chunk[start : start + PIECE]


def disconnect_probe(request: Request) -> Callable[[], bool]:
    """A function that checks whether the client has closed its connection; always False without gunicorn."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return lambda: False
    poll = select.poll()
    poll.register(connection, select.POLLIN)

    def is_disconnected() -> bool:
        try:
            # MSG_PEEK leaves the bytes of a next request in the socket; no byte at all is the end of the connection.
            return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    return is_disconnected
