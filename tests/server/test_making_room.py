"""Which connections an event loop closes when there are too many of them, or too many bytes are unsent."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from newswire.server.bounds import (
    BODY_WINDOW_SECONDS,
    HEAD_SECONDS,
    KEEPALIVE_SECONDS,
    LINGER_SECONDS,
    MIB,
    NEWCOMER_SECONDS,
    SEND_SECONDS,
    UNSENT_BYTES,
    ConnectionBounds,
)
from newswire.server.connection import Connection, State
from newswire.server.event_loop import READ, WRITE, EventLoop


class Loop(EventLoop):
    """An event loop without listeners, of at most four connections; what it would answer stays where it is."""

    def __init__(self, ending: ExitStack) -> None:
        self.ending = ending
        pipe = os.pipe()
        for end in pipe:
            os.set_blocking(end, False)
            ending.callback(os.close, end)
        super().__init__([], lambda connection: None, 1, ConnectionBounds(4, 2), lambda host: host, pipe)
        ending.callback(self.close)

    def connect(self, host: str = "192.0.2.1") -> socket.socket:
        """The client's end of a new connection."""
        ours, theirs = socket.socketpair()
        self.ending.enter_context(closing(theirs))
        self.acceptor.admit(ours, (host, 1), ("127.0.0.1", 80))
        return theirs

    def put(self, state: State, host: str) -> Connection:
        """A connection in this state."""
        self.connect(host)
        connection = next(reversed(self.connections[State.HEAD]))
        self.enter(connection, state, WRITE if state is State.SENDING else READ)
        connection.progress_at = connection.since
        connection.deadline = connection.since + KEEPALIVE_SECONDS
        return connection

    def is_open(self, connection: Connection) -> bool:
        return connection in self.connections[connection.state]


@pytest.fixture
def loop() -> Iterator[Loop]:
    with ExitStack() as ending:
        yield Loop(ending)


def is_closed(client: socket.socket) -> bool:
    client.settimeout(5)
    return client.recv(1) == b""


def test_an_address_has_its_share_and_gets_it_back(loop: Loop) -> None:
    first, second = loop.connect(), loop.connect()
    assert is_closed(loop.connect())
    loop.connect("192.0.2.2")
    assert loop.open_connections == 3
    first.close()
    loop.run_once(0)
    loop.connect()
    assert is_closed(loop.connect())
    assert loop.open_connections == 3
    assert second.fileno() > 0


def test_lingering_connections_go_first_then_silent_ones_then_idle_ones(loop: Loop) -> None:
    idle = loop.put(State.IDLE, "a")
    silent = loop.put(State.HEAD, "b")
    lingering = loop.put(State.LINGERING, "c")
    now = time.monotonic()
    assert loop.acceptor.evict(now)
    assert not loop.is_open(lingering)
    # A newcomer may be about to send its request.
    assert loop.acceptor.evict(now + NEWCOMER_SECONDS / 2)
    assert not loop.is_open(idle)
    assert not loop.acceptor.evict(now + NEWCOMER_SECONDS / 2)
    assert loop.acceptor.evict(now + NEWCOMER_SECONDS + 1)
    assert not loop.is_open(silent)


def test_the_slowest_of_the_busy_ones_goes_when_nothing_else_does(loop: Loop) -> None:
    quick, slow = loop.put(State.SENDING, "a"), loop.put(State.SENDING, "b")
    quick.sent, slow.sent = 1_000_000, 100
    now = time.monotonic()
    assert not loop.acceptor.evict(now + 60)
    assert not loop.acceptor.evict_slowest(now + BODY_WINDOW_SECONDS / 2)
    assert loop.acceptor.evict_slowest(now + BODY_WINDOW_SECONDS + 1)
    assert (loop.is_open(quick), loop.is_open(slow)) == (True, False)


def test_unsent_responses_are_bounded_and_the_slowest_reader_is_closed(loop: Loop) -> None:
    readers = [loop.put(State.THREAD, host) for host in "abc"]
    for number, reader in enumerate(readers):
        reader.sent, reader.sending_since = (number + 1) % 3 * MIB, time.monotonic() - 5
        reader.enqueue(bytes(UNSENT_BYTES // 2 - MIB if number < 2 else 8 * MIB))
        loop.resume(reader)
    assert [loop.is_open(reader) for reader in readers] == [True, True, False]
    assert loop.unsent == sum(reader.unsent for reader in readers[:2]) <= UNSENT_BYTES
    loop.drop(readers[0])
    assert loop.unsent == readers[1].unsent


@pytest.mark.parametrize(
    ("state", "seconds"),
    [(State.HEAD, HEAD_SECONDS), (State.SENDING, SEND_SECONDS), (State.LINGERING, LINGER_SECONDS),
     (State.IDLE, KEEPALIVE_SECONDS)],
)  # fmt: skip
def test_every_wait_has_its_deadline(loop: Loop, state: State, seconds: float) -> None:
    connection = loop.put(state, "a")
    if state is State.HEAD:
        connection.deadline = connection.since + HEAD_SECONDS
    loop.sweep(connection.since + seconds - 0.5)
    assert loop.is_open(connection)
    loop.sweep(connection.since + seconds + 0.5)
    assert not loop.is_open(connection)


def test_events_of_a_connection_that_was_closed_meanwhile_are_passed_over(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    for state in (State.IDLE, State.SENDING, State.LINGERING):
        connection = loop.put(state, state.name)
        loop.drop(connection)
        loop.handle(connection)
        assert loop.open_connections == 0
    assert not caplog.records


def test_a_view_of_a_response_does_not_keep_what_was_sent_in_memory(loop: Loop) -> None:
    sizes: list[int] = []
    client = loop.connect()
    (connection,) = loop.connections[State.HEAD]
    connection.enqueue(bytes(8 * MIB))
    while connection.queue:
        connection.send()
        if connection.queue:
            sizes.append(len(connection.queue[0].obj) - 2 * len(connection.queue[0]))  # type: ignore[arg-type]
        client.recv(1 << 20)
    assert max(sizes) <= 0
