"""The wire as it is written: Server-Sent Events, NDJSON, and the wait of a long poll, out of one loop.

`changes.follow` decides what is sent and when; here it is written for HTTP, and a reader that has disconnected, or
takes nothing, is noticed.
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
from newswire.changes.content import encode_entry
from newswire.changes.follow import Follower
from newswire.changes.page import Changes
from newswire.changes.rules import Reader
from newswire.errors import Problem

logger = logging.getLogger("newswire.request")

EVENTS = "text/event-stream"
NDJSON = "application/x-ndjson"
HEARTBEAT_SECONDS = 15.0
SLOW_SECONDS = 20.0
"""A reader that has not taken `PIECE` bytes in this time is dropped; it resumes where it was."""
PIECE = 64 * 1024
SKIPPED = 1000
"""So many entries that are not a reader's own are passed over before it is told where it stands."""
RETRY_MILLISECONDS = 2000


def event_stream(context: RequestContext, reader: Reader, head: wire.Head, after: int) -> Response:
    """Everything after `after` as Server-Sent Events, without end."""
    lines = event_lines(
        follow_wire(context, reader, after), head.wire, context.base_url, disconnect_probe(context.request)
    )
    return stream_response(context, lines, EVENTS)


def ndjson_stream(context: RequestContext, reader: Reader, head: wire.Head, after: int) -> Response:
    """Everything after `after` up to the head, a line each, and a last line that says that it was everything."""
    return stream_response(context, entry_lines(follow_wire(context, reader, after), head, context.base_url), NDJSON)


def follow_wire(context: RequestContext, reader: Reader, after: int) -> Follower:
    """A follower of the wire that keeps asking whether the caller may still read."""
    return Follower(context.state.feed, reader, after, access_checker(context.request, context.state.feed))


def await_entries(context: RequestContext, reader: Reader, after: int, seconds: int) -> Changes:
    """The first page with an entry on it, or the empty one that there is after so many seconds."""
    follower, gone = follow_wire(context, reader, after), disconnect_probe(context.request)
    found = None
    give_back = take_stream_slot(context)
    try:
        # The slot of the request goes to the next one; the answer is made without.
        context.release_slot()
        for found in follower.pages(until=time.monotonic() + seconds):
            if found.entries or found.has_more or gone():
                break
    finally:
        give_back()
    if found is not None:
        return found
    if context.state.feed.watcher.closed:
        raise Problem("unavailable", "This server is stopping; ask again.", headers={"Retry-After": "1"})
    raise unauthenticated_problem("The key was revoked, or expired, while you waited.")


def take_stream_slot(context: RequestContext) -> Callable[[], None]:
    """Takes one of the slots for streams; returns what gives it back. Raises `unavailable` when all are taken."""
    if context.request.method == "HEAD":
        return lambda: None
    slots = context.state.stream_slots
    if not slots.acquire(blocking=False):
        most = context.state.settings.streams
        detail = f"All {most} streams of this process are open; try again, or read without waiting."
        raise Problem("unavailable", detail, headers={"Retry-After": "5"})
    return slots.release


def stream_response(context: RequestContext, lines: Iterator[bytes], media_type: str) -> Response:
    """An answer of unknown length that no cache and no proxy may hold back."""
    give_back = take_stream_slot(context)
    connection = context.request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(SLOW_SECONDS)
    response = Response(lines, content_type=media_type)
    response.headers["Cache-Control"] = "private, no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(give_back)
    return response


def event_lines(follower: Follower, wire_id: str, base: str, gone: Callable[[], bool]) -> Iterator[bytes]:
    """The stream: what is told, where the reader stands when nothing was, and a comment when all is still.

    An id without data dispatches no event and is remembered all the same (HTML, 9.2.6).
    """
    stands = follower.after
    beat = time.monotonic() + HEARTBEAT_SECONDS
    yield b"retry: %d\nid: %s:%d\n\n" % (RETRY_MILLISECONDS, wire_id.encode(), stands)
    for page in follower.pages():
        chunk = b"".join(
            b"id: %s:%d\nevent: %s\ndata: %s\n\n"
            % (wire_id.encode(), told.item.seq, told.type.encode(), encode_entry(told, base))
            for told in page.entries
        )
        stands = page.entries[-1].item.seq if page.entries else stands
        still = time.monotonic() >= beat
        if still:
            chunk += b": heartbeat\n\n"
            beat = time.monotonic() + HEARTBEAT_SECONDS
        if page.next_after - stands >= (1 if still else SKIPPED):
            stands = page.next_after
            chunk += b"id: %s:%d\n\n" % (wire_id.encode(), stands)
        if not chunk and gone():
            return
        yield from split_chunk(chunk)


def entry_lines(follower: Follower, head: wire.Head, base: str) -> Iterator[bytes]:
    try:
        for page in follower.export(head.seq):
            yield from split_chunk(b"".join(encode_entry(told, base) + b"\n" for told in page.entries))
    except Problem as problem:
        # Without its last line the reader knows that this is not everything.
        logger.warning("an export was cut off: %s", problem.detail)
        return
    if follower.after == head.seq:
        yield orjson.dumps({"next_after": head.seq, "head": head.seq}) + b"\n"


def split_chunk(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), PIECE):
        yield chunk[start : start + PIECE]


def disconnect_probe(request: Request) -> Callable[[], bool]:
    """A function that tells whether the client of this request has closed its connection."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return lambda: False
    poll = select.poll()
    poll.register(connection, select.POLLIN)

    def gone() -> bool:
        try:
            return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    return gone
