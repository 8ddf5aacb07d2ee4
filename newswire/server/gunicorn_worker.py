"""The web process: a worker class of gunicorn, whose event loop owns the connections and whose threads only work.

gunicorn's settings are in `supervisor`. What the process needs to know of the application is in `Hooks`, and nothing
here knows more of it.
"""

import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gunicorn.workers.base import Worker

from newswire.server.bounds import SWEEP_SECONDS, ConnectionBounds, connections_within, raise_descriptor_limit
from newswire.server.event_loop import EventLoop
from newswire.server.exchange import Environment, Exchanges

logger = logging.getLogger("newswire.server")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
NOTIFY_SECONDS = 0.5
"""The interval at which the master is told that the process is alive, and the process looks whether the master is."""
STOP_TURN_SECONDS = 0.1

M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
"""Parameters of mallopt(3), as malloc.h numbers them."""

LARGE_ALLOCATION_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the application tells the web process.

    `body_limit` gives the number of bytes that the body of a request may have, by its environment; with 0 the request
    is answered without its body. `close_streams` ends the responses that have no end of their own. `descriptors` are
    those that the application may open. `find_party` gives the name under which the connections of a peer's address are
    counted, None if they are not bounded.
    """

    body_limit: Callable[[Environment], int]
    close_streams: Callable[[], None]
    descriptors: int
    find_party: Callable[[str], str | None]
    connections_per_address: int


class WebProcess(Worker):  # type: ignore[misc]
    """A process that serves connections until it is told to stop; `app.hooks` are those of the application."""

    loop: EventLoop
    alive: bool

    def init_process(self) -> None:
        limit_heaps()
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        # A terminal sends Ctrl-C to this process too, where gunicorn would drop the requests that are being answered.
        signal.signal(signal.SIGINT, self.handle_exit)
        # The signal handlers are set now, so the signals that `Supervisor.spawn_worker` blocked may be delivered.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def run(self) -> None:
        """Serves, then stops gracefully: what is being received or answered is finished, within `graceful_timeout`."""
        hooks: Hooks = self.app.hooks
        connections = connections_within(raise_descriptor_limit(), hooks.descriptors, self.cfg.worker_connections)
        exchanges = Exchanges(
            self.cfg, self.wsgi, hooks.body_limit, lambda: not self.alive, lambda: self.loop.is_crowded
        )
        self.loop = EventLoop(
            self.sockets,
            exchanges.serve,
            self.cfg.threads,
            ConnectionBounds(connections, hooks.connections_per_address),
            hooks.find_party,
            # gunicorn's pipe, into which Python writes when a signal arrives: a signal wakes the loop too.
            (self.PIPE[0], self.PIPE[1]),
        )
        while self.alive:
            self.loop.run_once(SWEEP_SECONDS)
            self.notify_master()
        hooks.close_streams()
        self.loop.stop()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while self.loop.open_connections and time.monotonic() < deadline:
            self.loop.run_once(STOP_TURN_SECONDS)
            self.notify_master()
        self.loop.close()
        for listener in self.sockets:
            listener.close()

    notified_at = 0.0

    def notify_master(self) -> None:
        """Twice a second. A master that was killed sends no signal, and open streams would never end."""
        if time.monotonic() - self.notified_at >= NOTIFY_SECONDS:
            self.notified_at = time.monotonic()
            self.notify()
            self.alive = self.alive and self.ppid == os.getppid()


def limit_heaps() -> None:
    """Sets glibc's malloc to two heaps for all threads and to separate mappings for large blocks.

    By default each thread gets a heap of its own, whose freed memory no other thread can use, and the threshold for
    separate mappings grows with every large block that is freed, so that whole pages of the wire fragment the heaps:
    164 MB with the defaults, 117 MB with these. Other C libraries have no mallopt, and nothing happens.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_ALLOCATION_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, LARGE_ALLOCATION_BYTES)
