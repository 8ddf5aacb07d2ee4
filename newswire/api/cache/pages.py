"""The page cache: an LRU store of answers, bounded in bytes, with single flight; it knows neither Flask nor WSGI.

All its pages are of one head: the first look at another one empties it, so that no page has to be found to be
invalidated. A page that depends on the time too says until when it holds.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from newswire.wire import Head

MOST_BYTES = 4 * 1024 * 1024
OBJECT_BYTES = 2000
"""Bytes of the objects that a page is made of, beside its content."""
MOST_REPEATED = 4096
FLIGHT_SECONDS = 10.0
"""How long one request waits for another to make a page; after that everyone makes their own."""
Key = tuple[str | None, ...]


class CachedPage(NamedTuple):
    """An answer as it was sent, without its request id; it holds `until`, in milliseconds, and takes `size` bytes.

    A 304 has no body; it is for whoever holds the page already.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    until: int
    size: int


class PageCache:
    """The pages of one head; the least recently used are dropped first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Key, CachedPage] = OrderedDict()
        self._head: Head | None = None
        self._size = 0
        # Hashes of the keys of pages that were cached and asked for again, at this head or an earlier one.
        self._repeated: OrderedDict[int, None] = OrderedDict()
        self._making: dict[Key, threading.Event] = {}
        self._lock = threading.Lock()

    def drop_other_heads(self, head: Head) -> None:
        """Empties the cache if its pages are of another head. A restored wire has the same numbers, not the id."""
        with self._lock:
            if head != self._head:
                self._pages.clear()
                self._size = 0
                self._head = head

    def find_page(self, key: Key, head: Head, now: int) -> tuple[CachedPage | None, bool]:
        """The page under `key` if it holds at `now` and `head`, else None; and whether the caller is to make it.

        Single flight: whoever is to make it says so at its end (`finish_making`), and others who ask wait for
        that. Nobody waits for a page that was not cached and asked for again before, as it may never be cached.
        """
        with self._lock:
            page = self._fresh_page(key, head, now)
            if page is not None or hash(key) not in self._repeated:
                return page, False
            made = self._making.get(key)
            if made is None:
                self._making[key] = threading.Event()
                return None, True
        made.wait(FLIGHT_SECONDS)
        with self._lock:
            return self._fresh_page(key, head, now), False

    def finish_making(self, key: Key) -> None:
        """Wakes those who wait for a page: it is stored by now, or it cannot be cached."""
        with self._lock:
            self._making.pop(key).set()

    def store_page(
        self, key: Key, head: Head, headers: tuple[tuple[str, str], ...], body: bytes | None, until: int
    ) -> None:
        """Stores a page of `head`, unless the wire has moved on."""
        page = CachedPage(headers, body, until, size_of_page(key, headers, body or b""))
        with self._lock:
            if head != self._head:
                return
            if (old := self._pages.pop(key, None)) is not None:
                self._size -= old.size
            self._pages[key] = page
            self._size += page.size
            while self._size > MOST_BYTES:
                _, dropped = self._pages.popitem(last=False)
                self._size -= dropped.size

    def _fresh_page(self, key: Key, head: Head, now: int) -> CachedPage | None:
        page = self._pages.get(key)
        if head != self._head or page is None or page.until <= now:
            return None
        self._pages.move_to_end(key)
        self._repeated[hash(key)] = None
        self._repeated.move_to_end(hash(key))
        if len(self._repeated) > MOST_REPEATED:
            self._repeated.popitem(last=False)
        return page


def size_of_page(key: Key, headers: Iterable[tuple[str, str]], body: bytes) -> int:
    """The bytes that a page takes, roughly: an address can be longer than the page that it gets."""
    return OBJECT_BYTES + len(body) + sum(map(len, filter(None, key))) + sum([len(value) for _, value in headers])
