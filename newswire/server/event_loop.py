"""The event loop: owns every connection that no thread works on, and waits for all clients at once.

It receives heads and bodies, sends what is left of responses, closes connections and holds them to their deadlines. It
never waits for one client. Connections are accepted by `acceptor`, and answered by threads (`exchange`).
"""

import logging
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from newswire.server import bounds
from newswire.server.acceptor import Acceptor
from newswire.server.bounds import ConnectionBounds
from newswire.server.connection import Connection, State
from newswire.server.exchange import feed_body, refuse
from newswire.server.refusals import NO_ROOM, SHORT_BODY, SLOW_BODY, SLOW_HEAD, Refusal, RefusedError

logger = logging.getLogger("newswire.server")

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class EventLoop:
    """The connections of one process.

    `serve` is called in a thread for each connection that has something to answer. `find_party` gives the name under
    which the connections of a peer's address are counted, None if they are not. `wakeup` are the two ends of a pipe
    that does not block.
    """

    def __init__(
        self,
        listeners: Sequence[Any],
        serve: Callable[[Connection], None],
        threads: int,
        limits: ConnectionBounds,
        find_party: Callable[[str], str | None],
        wakeup: tuple[int, int],
    ) -> None:
        self.serve = serve
        self.wakeup = wakeup
        self.pool = ThreadPoolExecutor(max_workers=threads)
        self.threads = threads
        self.selector = selectors.DefaultSelector()
        self.selector.register(wakeup[0], READ, self.empty_pipe)
        # Dictionaries, whose first key is the connection that has been in the state for the longest time.
        self.connections: dict[State, dict[Connection, None]] = {state: {} for state in State}
        self.acceptor = Acceptor(self, listeners, limits, find_party)
        self.returned: deque[Connection] = deque()
        self.unsent = self.bodies = 0
        self.buffer = bytearray(4 * bounds.RECEIVE_BYTES)
        self.is_stopping = False
        self.swept_at = 0.0

    # The thread's side.

    def run_in_thread(self, connection: Connection) -> None:
        try:
            self.serve(connection)
        finally:
            self.returned.append(connection)
            # The pipe is full if the loop has not looked for long; then it will wake up anyway.
            with suppress(BlockingIOError):
                os.write(self.wakeup[1], b".")

    @property
    def is_crowded(self) -> bool:
        """Whether connections may be waiting for a thread, as threads see it: the number may change meanwhile."""
        return len(self.connections[State.THREAD]) > self.threads

    # The loop's side.

    @property
    def open_connections(self) -> int:
        return sum(map(len, self.connections.values()))

    def run_once(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for events, and handles them; looks at the deadlines now and then."""
        timeout = self.acceptor.prepare(timeout)
        for key, _ in self.selector.select(timeout):
            handle = key.data
            if isinstance(handle, Connection):
                self.handle(handle)
            else:
                handle()
        while self.returned:
            connection = self.returned.popleft()
            if connection in self.connections[State.THREAD]:
                self.guard(self.resume, connection)
        now = time.monotonic()
        if self.is_stopping or now - self.swept_at >= bounds.SWEEP_SECONDS:
            self.swept_at = now
            self.sweep(now)

    def empty_pipe(self) -> None:
        with suppress(BlockingIOError):
            while len(os.read(self.wakeup[0], 4096)) == 4096:
                pass

    def guard(self, act: Callable[[Connection], None], connection: Connection) -> None:
        """Calls `act`; whatever it raises ends this connection and no other one."""
        try:
            act(connection)
        except RefusedError as refused:
            self.refuse(connection, refused.refusal)
        except OSError:
            # The client is gone: reset, timed out, unreachable.
            self.drop(connection)
        except Exception:
            logger.exception("a defect: a connection could not be handled")
            self.drop(connection)

    def handle(self, connection: Connection) -> None:
        if connection not in self.connections[connection.state]:
            # Another event of the same moment has closed it to make room.
            return
        if connection.state is State.SENDING:
            self.guard(self.send, connection)
        elif connection.state is State.BODY:
            self.guard(self.receive_body, connection)
        elif connection.state is State.LINGERING:
            self.guard(self.drain, connection)
        elif connection.state is not State.THREAD:
            self.guard(self.receive_head, connection)

    def stop(self) -> None:
        """Accepts no connection any more, and closes idle ones soon."""
        self.acceptor.close()
        self.is_stopping = True
        soon = time.monotonic() + bounds.STOP_SECONDS
        for state in (State.IDLE, State.HEAD):
            for connection in self.connections[state]:
                connection.deadline = min(connection.deadline, soon)

    def add(self, connection: Connection) -> None:
        """Takes a new connection."""
        connection.since = time.monotonic()
        connection.deadline = connection.since + bounds.HEAD_SECONDS
        self.connections[State.HEAD][connection] = None
        self.guard(self.begin, connection)

    def begin(self, connection: Connection) -> None:
        # The request of most clients is there already: then nothing is registered.
        self.receive_head(connection)
        if connection in self.connections[State.HEAD]:
            self.watch(connection, READ)

    # The states of a connection.

    def enter(self, connection: Connection, state: State, events: int) -> None:
        """Moves a connection to another state; `events` are the ones that it waits for, 0 for none."""
        del self.connections[connection.state][connection]
        self.connections[state][connection] = None
        connection.state, connection.since = state, time.monotonic()
        self.watch(connection, events)

    def watch(self, connection: Connection, events: int) -> None:
        if connection.events and events:
            self.selector.modify(connection.socket, events, connection)
        elif connection.events:
            self.selector.unregister(connection.socket)
        elif events:
            self.selector.register(connection.socket, events, connection)
        connection.events = events

    def dispatch(self, connection: Connection) -> None:
        """Gives the connection to a thread."""
        self.enter(connection, State.THREAD, 0)
        self.pool.submit(self.run_in_thread, connection)

    def resume(self, connection: Connection) -> None:
        """Decides what a connection waits for that a thread has returned, or whose response is sent."""
        self.count(connection)
        if connection.is_broken:
            self.drop(connection)
        elif connection.queue:
            self.enter(connection, State.SENDING, WRITE)
            connection.progress_at = connection.since
            self.bound_unsent()
        elif connection.is_closing:
            self.linger(connection)
        elif connection.exchange is not None:
            self.enter(connection, State.BODY, READ)
        elif connection.received.is_parsable():
            self.dispatch(connection)
        elif connection.received.data:
            self.await_head(connection)
        else:
            self.enter(connection, State.IDLE, READ)
            seconds = bounds.STOP_SECONDS if self.is_stopping else bounds.KEEPALIVE_SECONDS
            connection.deadline = connection.since + seconds

    def await_head(self, connection: Connection) -> None:
        self.enter(connection, State.HEAD, READ)
        connection.deadline = connection.since + bounds.HEAD_SECONDS

    def receive_head(self, connection: Connection) -> None:
        if not connection.receive():
            self.drop(connection)
        elif connection.received.is_parsable():
            self.dispatch(connection)
        elif connection.state is State.IDLE and connection.received.data:
            self.await_head(connection)

    def receive_body(self, connection: Connection) -> None:
        body = connection.exchange.body
        try:
            count = connection.socket.recv_into(self.buffer)
        except (BlockingIOError, InterruptedError):
            return
        if not count:
            raise RefusedError(SHORT_BODY)
        feed_body(body, bytes(memoryview(self.buffer)[:count]))
        self.count(connection)
        if body.is_whole or body.is_refused:
            self.dispatch(connection)
        elif self.bodies > bounds.BODIES_BYTES:
            # Not the one that happens to receive: a few clients with large bodies would have all others refused.
            self.refuse(max(self.connections[State.BODY], key=lambda each: each.exchange.body.size), NO_ROOM)

    def send(self, connection: Connection) -> None:
        before = connection.unsent
        connection.send()
        if connection.unsent < before:
            connection.progress_at = time.monotonic()
        self.count(connection)
        if not connection.queue:
            self.resume(connection)

    def linger(self, connection: Connection) -> None:
        """Closes our side, and waits in the loop for the client to close its side.

        A socket that is closed while the client still sends makes the kernel send a reset, and the client may lose the
        response that it has not read yet (RFC 9112, section 9.6).
        """
        connection.socket.shutdown(socket.SHUT_WR)
        self.enter(connection, State.LINGERING, READ)
        connection.progress_at = connection.since
        connection.received.read()

    def drain(self, connection: Connection) -> None:
        try:
            count = connection.socket.recv_into(self.buffer)
        except (BlockingIOError, InterruptedError):
            return
        connection.drained += count
        connection.progress_at = time.monotonic()
        if not count or connection.drained > bounds.LINGER_BYTES:
            self.drop(connection)

    def refuse(self, connection: Connection, refusal: Refusal) -> None:
        connection.release_exchange()
        refuse(connection, refusal)
        self.guard(self.resume, connection)

    def drop(self, connection: Connection) -> None:
        """Closes a connection at once."""
        if connection not in self.connections[connection.state]:
            return
        del self.connections[connection.state][connection]
        self.watch(connection, 0)
        connection.release_exchange()
        connection.drop_queue()
        self.count(connection)
        connection.socket.close()
        self.acceptor.forget(connection.party)

    # Bounds and deadlines.

    def count(self, connection: Connection) -> None:
        """Adds the bytes of the connection's body and response to those of the process, or takes them off."""
        body = 0 if connection.exchange is None else connection.exchange.body.size
        self.bodies += body - connection.counted_body
        self.unsent += connection.unsent - connection.counted_unsent
        connection.counted_body, connection.counted_unsent = body, connection.unsent

    def bound_unsent(self) -> None:
        """Closes the connections whose clients take the fewest bytes a second, until the others are within bounds."""
        while self.unsent > bounds.UNSENT_BYTES:
            now = time.monotonic()
            slowest = min(self.connections[State.SENDING], key=lambda each: each.sent / (now - each.sending_since + 1))
            logger.info("closed the connection of a client that did not read its response: too many bytes are unsent")
            self.drop(slowest)

    def sweep(self, now: float) -> None:
        """Ends what has passed its deadline."""
        for connection in list(self.find_overdue(now)):
            if connection.state is State.BODY:
                self.refuse(connection, SLOW_BODY)
            elif connection.state is State.HEAD and connection.received.data:
                self.refuse(connection, SLOW_HEAD)
            else:
                if connection.state is State.SENDING:
                    logger.info("closed the connection of a client that did not read its response")
                self.drop(connection)

    def find_overdue(self, now: float) -> Iterator[Connection]:
        for state in (State.HEAD, State.IDLE):
            yield from (each for each in self.connections[state] if now > each.deadline)
        yield from (each for each in self.connections[State.BODY] if each.exchange.body.is_too_slow(now))
        yield from (each for each in self.connections[State.SENDING] if now - each.progress_at > bounds.SEND_SECONDS)
        for each in self.connections[State.LINGERING]:
            if now - each.progress_at > bounds.LINGER_SECONDS or now - each.since > bounds.LINGER_TOTAL_SECONDS:
                yield each

    def close(self) -> None:
        """Closes everything at once; threads that still run are left to the end of the process."""
        for state in State:
            if state is not State.THREAD:
                for connection in list(self.connections[state]):
                    self.drop(connection)
        self.pool.shutdown(wait=False)
        self.selector.close()
