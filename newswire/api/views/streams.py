"""The wire while it is written: Server-Sent Events, NDJSON, and the wait of a long poll, out of one loop.

What is told and when is decided in `readers.following`; here it is dressed for HTTP, and a reader
that has gone away, or takes nothing, is noticed.
"""

import logging
import select
import socket
import time
from collections.abc import Callable, Iterator

import orjson
from flask import Response, request

from newswire import wire
from newswire.api.auth import asking_again, unauthenticated
from newswire.api.request.urls import base_url
from newswire.api.state import state
from newswire.changes.document import entry_bytes
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


def events(reader: Reader, head: wire.Head, after: int) -> Response:
    """Everything after `after` as Server-Sent Events, without end."""
    follower = Follower(state().feed, reader, after, asking_again())
    return streamed(event_lines(follower, head.wire, base_url(), hang_up_of_caller()), EVENTS)


def ndjson(reader: Reader, head: wire.Head, after: int) -> Response:
    """Everything after `after` up to the head, a line each, and a last line that says that it was everything."""
    follower = Follower(state().feed, reader, after, asking_again())
    return streamed(entry_lines(follower, head, base_url()), NDJSON)


def awaited(reader: Reader, after: int, seconds: int) -> Changes:
    """A page on which there is something, or the empty one there is after so many seconds."""
    follower = Follower(state().feed, reader, after, asking_again())
    gone = hang_up_of_caller()
    found = None
    with state().places.waiting():
        for found in follower.pages(until=time.monotonic() + seconds):
            if found.entries or found.has_more or gone():
                break
    if found is not None:
        return found
    if state().feed.watcher.closed:
        raise Problem("unavailable", "This server is stopping; ask again.", headers={"Retry-After": "1"})
    raise unauthenticated("The key was revoked, or expired, while you waited.")


def streamed(lines: Iterator[bytes], media_type: str) -> Response:
    """An answer of unknown length that no cache and no proxy may hold back."""
    give_back = state().places.stream()
    connection = request.environ.get("gunicorn.socket")
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
            % (wire_id.encode(), told.item.seq, told.type.encode(), entry_bytes(told, base))
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
        yield from pieces(chunk)


def entry_lines(follower: Follower, head: wire.Head, base: str) -> Iterator[bytes]:
    try:
        for page in follower.export(head.seq):
            yield from pieces(b"".join(entry_bytes(told, base) + b"\n" for told in page.entries))
    except Problem as problem:
        # Without its last line the reader knows that this is not everything.
        logger.warning("an export was cut off: %s", problem.detail)
        return
    if follower.after == head.seq:
        yield orjson.dumps({"next_after": head.seq, "head": head.seq}) + b"\n"


def pieces(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), PIECE):
        yield chunk[start : start + PIECE]


def hang_up_of_caller() -> Callable[[], bool]:
    """A question: whether the caller of this request has closed its connection."""
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
