"""Accepting connections: how many there may be, from whom, and which ones are closed to make room for new ones."""

import logging
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from newswire.server import bounds
from newswire.server.bounds import ConnectionBounds
from newswire.server.connection import Connection, State

if TYPE_CHECKING:
    from newswire.server.event_loop import EventLoop

logger = logging.getLogger("newswire.server")

WARNING_SECONDS = 60.0
"""The shortest interval of warnings that no connection can be accepted."""
EVICTED = ((State.LINGERING, 0.0), (State.HEAD, bounds.NEWCOMER_SECONDS), (State.IDLE, 0.0))
"""States whose oldest connection is closed to make room, and the age in seconds that it must have."""


class Acceptor:
    """Accepts the connections of an event loop, within `limits`; new ones wait in the kernel while there is no room."""

    def __init__(
        self,
        loop: "EventLoop",
        listeners: Sequence[Any],
        limits: ConnectionBounds,
        find_party: Callable[[str], str | None],
    ) -> None:
        self.loop = loop
        self.listeners = [(listener, listener.getsockname()) for listener in listeners]
        self.limits = limits
        self.find_party = find_party
        self.per_party: Counter[str] = Counter()
        self.is_accepting = self.is_closed = False
        self.accept_after = self.warn_after = 0.0

    @property
    def is_full(self) -> bool:
        return self.loop.open_connections >= self.limits.connections

    def prepare(self, timeout: float) -> float:
        """Ends a pause that is over; returns the longest time that the loop may wait for events, in seconds."""
        if self.is_accepting or self.is_closed:
            return timeout
        now = time.monotonic()
        if now >= self.accept_after:
            self.resume(now)
        return min(timeout, bounds.ACCEPT_PAUSE_SECONDS)

    def resume(self, now: float) -> None:
        if self.is_full and not self.evict(now) and not self.evict_slowest(now):
            self.accept_after = now + bounds.ACCEPT_PAUSE_SECONDS
            return
        for listener, address in self.listeners:
            self.loop.selector.register(listener, selectors.EVENT_READ, partial(self.accept, listener, address))
        self.is_accepting = True

    def pause(self, now: float) -> None:
        """Leaves new connections in the queue of the kernel for a moment, or for the other processes."""
        if self.is_accepting:
            for listener, _ in self.listeners:
                self.loop.selector.unregister(listener)
            self.is_accepting = False
        self.accept_after = now + bounds.ACCEPT_PAUSE_SECONDS

    def close(self) -> None:
        """Accepts nothing any more."""
        self.pause(time.monotonic())
        self.is_closed = True

    def accept(self, listener: Any, server: Any) -> None:
        """Accepts one connection: what else waits in the kernel is for whichever process is free."""
        now = time.monotonic()
        if self.is_full and not self.evict(now):
            self.pause(now)
            return
        try:
            opened, client = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            # EMFILE, ENFILE, ENOBUFS, ENOMEM: without the pause the loop would try again at once, and for ever.
            if now >= self.warn_after:
                logger.warning("connections wait until others are closed: %s", error)
                self.warn_after = now + WARNING_SECONDS
            self.evict(now)
            self.pause(now)
            return
        self.admit(opened, client, server)

    def admit(self, opened: socket.socket, client: Any, server: Any) -> None:
        """Hands a connection to the loop, or closes it if its address has as many as it may have."""
        party = self.find_party(client[0]) if isinstance(client, tuple) else None
        if party is not None:
            if self.per_party[party] >= self.limits.per_address:
                opened.close()
                return
            self.per_party[party] += 1
        opened.setblocking(False)
        self.loop.add(Connection(opened, client, server, party))

    def forget(self, party: str | None) -> None:
        """Counts one connection of this party less."""
        if party is not None:
            self.per_party[party] -= 1
            if not self.per_party[party]:
                del self.per_party[party]

    def evict(self, now: float) -> bool:
        """Closes one connection that nobody would miss, if there is one."""
        for state, age in EVICTED:
            connection = next(iter(self.loop.connections[state]), None)
            if connection is not None and now - connection.since >= age:
                self.loop.drop(connection)
                return True
        return False

    def evict_slowest(self, now: float) -> bool:
        """Closes the connection whose body or response moves most slowly, if one is older than the grace of a body.

        It looks at all of them, so it is called at most once in a pause.
        """
        rates = {
            connection: (connection.exchange.body.received if state is State.BODY else connection.sent) / age
            for state in (State.BODY, State.SENDING)
            for connection in self.loop.connections[state]
            if (age := now - connection.since) > bounds.BODY_WINDOW_SECONDS
        }
        if rates:
            self.loop.drop(min(rates, key=rates.__getitem__))
        return bool(rates)
