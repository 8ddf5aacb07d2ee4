"""How much one web process does at a time: places for requests and, apart from them, for streams and waiting polls.

A request that begins to wait gives its place to the next one, so that two hundred readers who
wait keep nobody from being answered.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import g, request

from newswire.errors import Problem

QUEUE_SECONDS = 30.0


class Places:
    """So many requests and so many streams."""

    def __init__(self, requests: int, streams: int) -> None:
        self._requests = threading.BoundedSemaphore(requests)
        self._streams = threading.BoundedSemaphore(streams)
        self.most_streams = streams

    def enter(self) -> None:
        """The request takes a place; raises `unavailable` when there is none for long."""
        if not self._requests.acquire(timeout=QUEUE_SECONDS):
            raise Problem("unavailable", "Too many requests at once; try again.", headers={"Retry-After": "1"})
        g.has_place = True

    def leave(self) -> None:
        """The request gives its place back, if it has one."""
        if g.pop("has_place", False):
            self._requests.release()

    def stream(self) -> Callable[[], None]:
        """A place for a stream; returns what gives it back. Raises `unavailable` when all are taken."""
        if request.method == "HEAD":
            return lambda: None
        if not self._streams.acquire(blocking=False):
            detail = f"All {self.most_streams} streams of this process are open; try again, or read without waiting."
            raise Problem("unavailable", detail, headers={"Retry-After": "5"})
        return self._streams.release

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the block waits, the request holds a stream's place instead of its own."""
        give_back = self.stream()
        try:
            self.leave()
            yield
        finally:
            give_back()
