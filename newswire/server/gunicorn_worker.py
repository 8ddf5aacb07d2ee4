"""A web process: gunicorn's worker with threads, with less work between two requests, and streams that it ends.

gunicorn's own settings are in `serving`.
"""

import ctypes
import logging
import select
import signal
import socket
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

from flask import Flask
from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

logger = logging.getLogger("newswire.server")

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
"""As malloc.h has them."""

LARGE_BYTES = 128 * 1024
MOMENT = 1
"""Milliseconds in which whoever is close by asks again."""

# gunicorn writes the time out anew for every answer, which takes as long as to look at the head.
written_date = lru_cache(1)(util.http_date)
util.http_date = lambda timestamp=None: written_date(int(time.time()) if timestamp is None else timestamp)


class WebProcess(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, which stay with whoever asks on, and end their streams when told to stop."""

    at_work = 0
    """Connections that a thread has or that wait for one; only the main thread counts."""

    def init_process(self) -> None:
        share_memory()
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        # See `Supervisor.spawn_worker`: whoever was told to stop meanwhile hears of it now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        # Not here, in the midst of whatever the main thread is doing.
        self.method_queue.defer(lambda: end_streams(self))

    def is_parent_alive(self) -> bool:
        """Asked once a second. A master that was killed has told nobody to stop, and open streams would go on."""
        alive: bool = super().is_parent_alive()
        if not alive:
            self.handle_exit(signal.SIGTERM, None)
        return alive

    def enqueue_req(self, conn: Any) -> None:
        self.at_work += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        self.at_work -= 1
        super().finish_request(conn, fs)

    def handle(self, conn: Any) -> Any:
        """Answers, and goes on with whoever asks again at once, unless somebody waits for a thread.

        A connection goes from the thread to the main thread and back through a pipe, a queue and two system calls
        to watch it.
        """
        kept = super().handle(conn)
        while kept is True and self.alive and self.at_work <= self.cfg.threads and asks_again(conn.sock):
            kept = super().handle(conn)
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            logger.info("a reader was dropped that took nothing")
            return False


def asks_again(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(MOMENT))


def share_memory() -> None:
    """Two heaps for all threads, and what is large gets its memory by itself and gives it back.

    glibc gives each thread a heap of its own, and what one has freed no other can use. And it learns from what is freed
    to put ever larger things, such as pages, into the heaps, where they leave holes.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)


def end_streams(worker: Any) -> None:
    """Their readers connect anew, to whoever serves then, and resume."""
    if isinstance(worker.wsgi, Flask):
        worker.wsgi.config["NEWSWIRE"].feed.watcher.close()
