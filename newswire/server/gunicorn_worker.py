"""The web process: gunicorn's threaded worker, whose threads keep serving a busy keep-alive connection.

gunicorn's settings are in `supervisor`.
"""

import ctypes
import logging
import select
import signal
import socket
from contextlib import suppress
from typing import Any

from flask import Flask
from gunicorn.workers.gthread import ThreadWorker

logger = logging.getLogger("newswire.server")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
"""Parameters of mallopt(3), as malloc.h numbers them."""

LARGE_ALLOCATION_BYTES = 128 * 1024
KEEPALIVE_POLL_MS = 1
"""How long a thread waits for the next request of its connection before it returns the connection to the poller."""


class WebProcess(ThreadWorker):  # type: ignore[misc]
    """gunicorn's `gthread` worker; its threads keep busy connections, and its streams end when it stops."""

    busy_connections = 0
    """Connections that a thread serves or that wait for a thread. Only the main thread changes it: no lock."""

    def init_process(self) -> None:
        limit_heaps()
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        # A terminal sends Ctrl-C to this process too, where gunicorn would drop the requests that are being answered.
        signal.signal(signal.SIGINT, self.handle_exit)
        # The signal handlers are set now, so the signals that `Supervisor.spawn_worker` blocked may be delivered.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        # Deferred, because a signal handler interrupts the main thread anywhere, perhaps while it holds the lock that
        # `close_streams` takes.
        self.method_queue.defer(lambda: close_streams(self))

    def is_parent_alive(self) -> bool:
        """Called once a second. A master that was killed sends no signal, and open streams would never end."""
        alive: bool = super().is_parent_alive()
        if not alive:
            self.handle_exit(signal.SIGTERM, None)
        return alive

    def enqueue_req(self, conn: Any) -> None:
        self.busy_connections += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        self.busy_connections -= 1
        super().finish_request(conn, fs)

    def handle(self, conn: Any) -> Any:
        """Answers a request and the ones that follow on its connection at once, unless a connection waits for a thread.

        gunicorn returns a connection to the main thread after each response, through a pipe, a queue and two system
        calls for the poller; a cached page takes no longer than that way (docs/decisions/0011).
        """
        keep_alive = super().handle(conn)
        # gunicorn's third value, "deferred to the poller", is truthy too: only True means that a response was sent.
        while (
            keep_alive is True
            and self.alive
            and self.busy_connections <= self.cfg.threads
            and has_next_request(conn.sock)
        ):
            keep_alive = super().handle(conn)
        return keep_alive

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            logger.info("closed the connection of a client that did not read its response")
            return False


def has_next_request(connection: socket.socket) -> bool:
    """Waits up to `KEEPALIVE_POLL_MS` for bytes of the client, or for its closing of the connection."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(KEEPALIVE_POLL_MS))


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


def close_streams(worker: Any) -> None:
    """Ends the open streams of a web process; their clients reconnect to another process and resume."""
    if isinstance(worker.wsgi, Flask):
        worker.wsgi.config["NEWSWIRE"].feed.watcher.close()
