"""The page cache: an LRU store of responses, bounded in bytes, with single flight. It knows neither Flask nor WSGI.

All its pages belong to one head. A new head empties it, so that no page is ever invalidated by itself. A page that
depends on the time too has an end of validity. Which responses are cached, and under which key, is in `middleware`.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from newswire.wire import Head

MOST_BYTES = 4 * 1024 * 1024
OBJECT_BYTES = 2000
"""The memory that the Python objects of a page take beside its content, in bytes."""
MOST_REPEATED = 4096
"""Keys that are remembered as asked for more than once."""
FLIGHT_SECONDS = 1.0
"""How long a request waits for another one to make a page, before it makes the page itself."""
MOST_WAITING = 16
"""Requests of one process that wait for a page which another one makes."""
Key = tuple[str | None, ...]


class CachedPage(NamedTuple):
    """A response as it was sent, without its request id; valid `until` (milliseconds), `size` in bytes.

    A cached 304 has no body, and only answers clients that have its ETag.
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
        # Hashes of the keys that were found in the cache at this head or an earlier one, least recent first.
        self._repeated: OrderedDict[int, None] = OrderedDict()
        self._making: dict[Key, threading.Event] = {}
        self._waiting = 0
        self._lock = threading.Lock()

    def drop_other_heads(self, head: Head) -> None:
        """Empties the cache if `head` is another one. All its fields count: a restored wire may repeat a number."""
        with self._lock:
            if head != self._head:
                self._pages.clear()
                self._size = 0
                self._head = head

    def recall_page(self, key: Key, head: Head, now: int) -> CachedPage | None:
        """The page under `key` if it is valid at `now` and `head`."""
        with self._lock:
            return self._fresh_page(key, head, now)

    def find_page(self, key: Key, head: Head, now: int) -> tuple[CachedPage | None, bool]:
        """The page under `key` if it is valid at `now` and `head`, else None; and whether the caller must make it.

        Single flight: the one caller that must make a page calls `finish_making` at the end, and the others wait for
        that. They wait only for keys that were found in the cache before; other pages may be uncacheable, and waiting
        for them would only put requests in a queue.
        """
        with self._lock:
            page = self._fresh_page(key, head, now)
            if page is not None or hash(key) not in self._repeated:
                return page, False
            made = self._making.get(key)
            if made is None:
                self._making[key] = threading.Event()
                return None, True
            if self._waiting == MOST_WAITING:
                # These waits need no slot, so that without a bound they would take all threads.
                return None, False
            self._waiting += 1
        # Outside the lock, or the maker could not store the page.
        made.wait(FLIGHT_SECONDS)
        with self._lock:
            self._waiting -= 1
            return self._fresh_page(key, head, now), False

    def finish_making(self, key: Key) -> None:
        """Wakes the threads that wait for a page. It is stored by now, or could not be cached."""
        with self._lock:
            self._making.pop(key).set()

    def store_page(self, key: Key, head: Head, page: CachedPage) -> None:
        """Stores a page, unless the cache has moved to another head meanwhile.

        A page of a later head empties the cache, as the first look at that head would: what wakes a reader that waits
        is often the first to know of it.
        """
        with self._lock:
            if head != self._head:
                if not is_later(head, self._head):
                    return
                self._pages.clear()
                self._size = 0
                self._head = head
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


def is_later(head: Head, known: Head | None) -> bool:
    """Whether a head follows `known` on the same wire."""
    return known is not None and head.wire == known.wire and head.seq >= known.seq and head.revision >= known.revision


def size_of_page(key: Key, headers: Iterable[tuple[str, str]], body: bytes) -> int:
    """The approximate memory of a page in bytes. The key counts, because a URL can be longer than its response."""
    return OBJECT_BYTES + len(body) + sum(map(len, filter(None, key))) + sum([len(value) for _, value in headers])
