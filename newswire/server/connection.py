"""One connection of a client: its socket, what was received and not yet parsed, and what is still to be sent.

A connection belongs either to the event loop or to one thread; only its owner touches it. The loop is in `event_loop`,
what a thread does with a connection in `exchange`.
"""

import re
import select
import socket
import time
from collections import deque
from enum import Enum, auto
from typing import Any

from newswire.server.bounds import HEAD_BYTES, RECEIVE_BYTES, RESPONSE_QUEUE_BYTES, SEND_SECONDS
from newswire.server.gunicorn_patches import REQUEST_LINE_BYTES

NOT_ASCII = re.compile(rb"[\x80-\xff]")
SENT_TOGETHER = 16
"""Queued pieces of a response that one system call sends."""


class State(Enum):
    """What a connection waits for."""

    HEAD = auto()
    """A client that has not sent its first request, or only a part of a head."""
    IDLE = auto()
    """The next request of a connection that is kept open."""
    BODY = auto()
    """The rest of a body."""
    THREAD = auto()
    """A thread of the pool, which owns the connection."""
    SENDING = auto()
    """A client that takes the rest of its response."""
    LINGERING = auto()
    """A client that closes its side too."""


class ReceivedBytes:
    """Bytes that were received and not parsed yet; has the methods of gunicorn's `Unreader` that its parser calls."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.searched = 0

    def read(self, size: int | None = None, read_ahead: int | None = None) -> bytearray:
        """Everything that is there; nothing means the end, as everything that can be parsed is there already."""
        data, self.data, self.searched = self.data, bytearray(), 0
        return data

    def unread(self, data: bytes) -> None:
        if data:
            self.data[:0] = data
            self.searched = 0

    def encode_target(self) -> None:
        """Percent-encodes what is not ASCII in the path and query of a request line, as browsers do.

        curl sends `?q=café` as it was typed, and gunicorn's parser refuses it. Nothing else is repaired: a line with
        another space or a control character, a target without its slash, and other parts of the line are left to the
        parser. An encoded byte means the same to every server on the way (RFC 3986, section 2.1).
        """
        end = self.data.find(b"\r\n")
        parts = bytes(self.data[: max(end, 0)]).split(b" ")
        if len(parts) == 3 and parts[1].startswith(b"/"):
            parts[1] = NOT_ASCII.sub(lambda found: b"%%%02X" % ord(found[0]), parts[1])
            self.data[:end] = b" ".join(parts)

    def append(self, data: bytes) -> None:
        self.data += data

    def is_parsable(self) -> bool:
        """Whether a whole head is there, or enough of one to see that it must be refused.

        Each byte is looked at once or twice, however slowly a head arrives.
        """
        data = self.data
        if not data:
            return False
        start = max(0, self.searched - 3)
        if data.find(b"\r\n\r\n", start) >= 0 or len(data) > HEAD_BYTES:
            return True
        # A line that ends with LF alone is refused at once: the end of such a head would be waited for in vain.
        if data.count(b"\n", start) != data.count(b"\r\n", max(0, start - 1)) or data.startswith(b"\n"):
            return True
        self.searched = len(data)
        return len(data) > REQUEST_LINE_BYTES + 2 and data.find(b"\r\n", 2, REQUEST_LINE_BYTES + 4) < 0


class Connection:
    """A connection and its state; `since`, `deadline` and `progress_at` are in seconds of the monotonic clock."""

    def __init__(self, opened: socket.socket, client: Any, server: Any, party: str | None) -> None:
        self.socket = opened
        self.client = client
        self.server = server
        self.party = party
        self.received = ReceivedBytes()
        self.requests = 0
        # The request whose body is being received; set by the thread that has parsed its head.
        self.exchange: Any = None
        self.queue: deque[memoryview] = deque()
        self.unsent = 0
        self.sent = 0
        self.sending_since = 0.0
        # Whether the connection is closed once everything was sent, and whether it is closed without that.
        self.is_closing = False
        self.is_broken = False
        # Kept by the event loop.
        self.state = State.HEAD
        self.events = 0
        self.since = self.deadline = self.progress_at = 0.0
        self.counted_body = self.counted_unsent = self.drained = 0

    def receive(self) -> bool:
        """Receives what is there without waiting; False if the client has closed its side. Raises ConnectionError."""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError as error:
            raise ConnectionAbortedError(*error.args) from None
        self.received.append(data)
        return bool(data)

    def is_client_gone(self) -> bool:
        """Whether the client has closed its side; one that has closed only that is taken for gone, as nginx does."""
        poll = select.poll()
        try:
            # Only Linux tells of a half-closed connection; elsewhere a reset is noticed.
            poll.register(self.socket, getattr(select, "POLLRDHUP", 0))
        except ValueError:
            # The connection was closed by us meanwhile.
            return True
        return bool(poll.poll(0))

    def enqueue(self, data: bytes) -> None:
        """Queues bytes of a response."""
        if data:
            self.queue.append(memoryview(data))
            self.unsent += len(data)

    def send(self) -> None:
        """Sends what the socket takes of the queue, without waiting. Raises ConnectionError."""
        while self.queue:
            try:
                if len(self.queue) == 1:
                    count = self.socket.send(self.queue[0])
                else:
                    count = self.socket.sendmsg([self.queue[at] for at in range(min(len(self.queue), SENT_TOGETHER))])
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                # Some are no ConnectionError, such as EHOSTUNREACH, but none is a defect of ours.
                raise ConnectionAbortedError(*error.args) from None
            self.sent += count
            self.unsent -= count
            while self.queue and count >= len(self.queue[0]):
                count -= len(self.queue.popleft())
            if count:
                rest = self.queue[0][count:]
                # A view keeps all of its object in memory. The copies of one object are together no longer than it is.
                self.queue[0] = rest if 2 * len(rest) > len(rest.obj) else memoryview(bytes(rest))  # type: ignore[arg-type]

    def drop_queue(self) -> None:
        """Forgets what was not sent, which frees its memory."""
        self.queue.clear()
        self.unsent = 0

    def release_exchange(self) -> None:
        """Forgets the request that was received in part, and deletes its body."""
        if self.exchange is not None:
            self.exchange.body.close()
            self.exchange = None


class ResponseSocket:
    """What gunicorn's `Response` writes to: a queue, which is sent at the end of the response without waiting.

    After `settimeout` each write is sent at once and waits for the client, at most that long: for streams, whose
    thread has nothing to do before the client has taken what there is.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.timeout: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def gettimeout(self) -> float | None:
        return self.timeout

    def fileno(self) -> int:
        return self.connection.socket.fileno()

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self.connection.socket.recv(size, flags)

    def sendall(self, data: bytes) -> None:
        """Queues or sends `data`; raises ConnectionError, and TimeoutError for a client that does not take it."""
        self.connection.enqueue(data)
        if self.timeout is not None:
            self._send(down_to=0, seconds=self.timeout)
        elif self.connection.unsent > RESPONSE_QUEUE_BYTES:
            self._send(down_to=RESPONSE_QUEUE_BYTES, seconds=SEND_SECONDS)

    def _send(self, down_to: int, seconds: float) -> None:
        """Sends until no more than `down_to` bytes are queued; raises TimeoutError after `seconds`."""
        poll = select.poll()
        poll.register(self.connection.socket, select.POLLOUT)
        deadline = time.monotonic() + seconds
        self.connection.send()
        while self.connection.unsent > down_to:
            # Without the event nothing is tried again: the kernel takes some bytes of a full queue now and then, long
            # before it calls the socket writable, and each would pass for progress.
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            self.connection.send()
