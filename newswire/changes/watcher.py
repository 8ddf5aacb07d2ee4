"""The listener of a process: one thread learns of new entries, caches them, and wakes the readers that wait for them.

The thread starts with the first waiting reader, and so after gunicorn's fork, which no thread would survive. It sleeps
while there is no reader, survives outages of the database, and ends with the process. Waiting readers hold neither a
connection nor a transaction. With the cache, a hundred readers at the head cost one read of the database (decision
0005). What each reader gets of the entries is decided in `rules`.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from newswire import wire
from newswire.changes.content import load_contents
from newswire.changes.forks import HistoryMemory
from newswire.changes.page import CHUNK, scan_entries
from newswire.changes.positions import LogPosition
from newswire.changes.rules import LogEntry, Reader, StoredContent
from newswire.errors import DamageError, Problem
from newswire.store.articles import Past
from newswire.store.backend import MAX_LISTEN_SECONDS
from newswire.store.database import Database
from newswire.visibility import Standing

logger = logging.getLogger("newswire.watcher")

MOST_KEPT = 2000
MOST_BYTES = 16 * 1024 * 1024
LINGER_SECONDS = 10.0
RETRY_SECONDS = 0.25
DAMAGED_RETRY_SECONDS = 60.0
"""Damage lasts until an operator comes, and each attempt is a line in the log."""


class Sleepers:
    """The waiting readers of one query and access; no entry up to `passed` since they wait concerns them."""

    def __init__(self) -> None:
        self.alarms: set[threading.Event] = set()
        self.passed: LogPosition | None = None


class Watcher:
    """The head as this process knows it, and a cache of the entries before it, bounded in number and bytes.

    Only the thread writes the head and the cache, under `_lock`.
    """

    def __init__(self, database: Database, history: HistoryMemory) -> None:
        self.database = database
        self.history = history
        self.head: wire.Head | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._sleepers: dict[Reader, Sleepers] = {}
        self._wanted = threading.Event()
        self._readers = 0
        self._left = 0.0
        self._thread: threading.Thread | None = None
        self._first = 0
        self._items: list[LogEntry] = []
        self._standing: dict[int, Standing] = {}

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Keeps the thread watching while a reader is in this block."""
        with self._lock:
            self._readers += 1
            self._wanted.set()
            if self._thread is None:
                # A daemon: a process that ends without `close` must not wait for it.
                self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                self._left = time.monotonic()

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    def wait(self, position: LogPosition, revision: int | None, seconds: float, reader: Reader) -> LogPosition:
        """Waits at most `seconds` for an entry after `position` that concerns the reader, or for a new revision.

        Returns the position up to which no entry concerns the reader. The thread tests each entry once for all readers
        of the same query and access, so the others are not woken.
        """
        alarm = threading.Event()
        # Tested and registered under one lock: an entry that arrives in between would wake nobody.
        with self._lock:
            news = self.head is not None and (self.head.seq > position.seq or self.head.revision != revision)
            if news or self.closed:
                return position
            # Only then the entries that this thread passes follow from the position: the reader's page may have come
            # from the database and be ahead of this thread, or from before a failover.
            follows = self.head is not None and (self.head.seq, self.head.chain) == (position.seq, position.chain)
            sleepers = self._sleepers.setdefault(reader, Sleepers())
            sleepers.alarms.add(alarm)
        if not alarm.wait(seconds):
            with self._lock:
                sleepers.alarms.discard(alarm)
                if not sleepers.alarms and self._sleepers.get(reader) is sleepers:
                    del self._sleepers[reader]
        passed = sleepers.passed
        return passed if follows and passed is not None else position

    def since(self, after: int) -> tuple[Sequence[LogEntry], wire.Head] | None:
        """The cached entries after `after`, and the head; None unless all of them are cached."""
        with self._lock:
            if self.head is None or not self._first <= after <= self.head.seq:
                return None
            return self._items[after - self._first :], self.head

    def standing(self, item: LogEntry) -> Standing:
        """The current state of a cached entry's article, which a later entry may have changed."""
        return self._standing.get(item.number, item.standing)

    def content(self, number: int, past: Past) -> StoredContent | None:
        """The content of a cached entry; None if the entry is not cached."""
        with self._lock:
            position = past.seq - self._first - 1
            if not 0 <= position < len(self._items):
                return None
            return self._items[position].content

    def close(self) -> None:
        """Wakes all waiting readers and ends the thread."""
        with self._lock:
            self._stop.set()
            self._wanted.set()
            for sleepers in self._sleepers.values():
                wake_sleepers(sleepers)

    def join(self) -> None:
        """Waits until the thread has returned its connection, which it does at once after `close`."""
        if self._thread is not None:
            self._thread.join(MAX_LISTEN_SECONDS)

    def _watch(self) -> None:
        while self._is_wanted():
            try:
                with self.database.listen(self._stop) as wait_for_commit:
                    while self._is_wanted(linger=True):
                        self._read_new_entries()
                        wait_for_commit()
            except Exception as error:
                # Every error is caught, because readers would wait for ever behind a dead thread.
                is_away = isinstance(error, (Problem, SQLAlchemyError, *self.database.backend.errors))
                logger.warning("the wire cannot be watched: %s", error, exc_info=not is_away)
                self._stop.wait(DAMAGED_RETRY_SECONDS if isinstance(error, DamageError) else RETRY_SECONDS)

    def _is_wanted(self, *, linger: bool = False) -> bool:
        """Whether to go on: with `linger`, until `LINGER_SECONDS` after the last reader left.

        Without it this blocks until a reader comes, and False means that the watcher is closed.
        """
        if not linger:
            self._wanted.wait()
            return not self.closed
        with self._lock:
            if not self._readers and time.monotonic() - self._left > LINGER_SECONDS:
                self._wanted.clear()
            return self._wanted.is_set() and not self.closed

    def _read_new_entries(self) -> None:
        """Reads new entries in one short transaction, caches them, and wakes the readers that they concern."""
        known = self.head
        with self.database.read() as connection:
            found = wire.read_head(connection)
            if found == known:
                return
            # After a long gap the cache restarts empty at the head, and readers get pages from the database.
            fresh = known is not None and found.wire == known.wire and 0 <= found.seq - known.seq <= MOST_KEPT
            items: list[LogEntry] = []
            if known and fresh:
                items = first_entries(scan_entries(connection, known.seq, found.seq, CHUNK), MOST_BYTES)
            # After a failover the log may continue from an earlier entry than the last one of the cache.
            fresh = fresh and known is not None and continues_from(known, items, found)
            load_contents(connection, items if fresh else ())
        if fresh:
            self.history.remember(found)
        elif self.history.admit(found) != found:
            # The wire has taken a new id, with which the next look begins anew.
            return
        # A new revision wakes everyone: access must be resolved again before the next wait.
        revised = known is None or known.revision != found.revision
        with self._lock:
            # An edit of a subject map changes terms of entries that are cached.
            self._cache(items if fresh and not revised else None, found)
            concerned = [
                reader for reader in self._sleepers if revised or not fresh or any(map(reader.concerns, items))
            ]
            woken = [self._sleepers.pop(reader) for reader in concerned]
            for sleepers in self._sleepers.values():
                sleepers.passed = LogPosition(found.seq, found.chain, found.wire)
        # Outside the lock, because every woken reader takes it first.
        for sleepers in woken:
            wake_sleepers(sleepers)

    def _cache(self, items: Sequence[LogEntry] | None, found: wire.Head) -> None:
        """Appends `items`, or starts anew without any, and drops the oldest entries over either bound.

        Call it with the lock. None stands for entries that do not follow from the cached ones.
        """
        self.head = found
        if items is None:
            self._items.clear()
            self._standing.clear()
            items = ()
        self._items.extend(items)
        excess, size = len(self._items) - MOST_KEPT, 0
        for position, item in enumerate(reversed(self._items)):
            size += item.size
            if size > MOST_BYTES:
                excess = max(excess, len(self._items) - position)
                break
        if excess > 0:
            gone, self._items = self._items[:excess], self._items[excess:]
            left = {item.number for item in self._items}
            for item in gone:
                if item.number not in left:
                    self._standing.pop(item.number, None)
        self._first = found.seq - len(self._items)
        self._standing.update((item.number, item.standing) for item in items)


def first_entries(items: Iterable[LogEntry], most_bytes: int) -> list[LogEntry]:
    """The first entries, up to `most_bytes` in all: never is more of them in memory."""
    found: list[LogEntry] = []
    size = 0
    for item in items:
        size += item.size
        if size > most_bytes:
            break
        found.append(item)
    return found


def continues_from(known: wire.Head, items: Sequence[LogEntry], found: wire.Head) -> bool:
    """Whether the entries after the head `known`, up to the head `found`, follow from it."""
    if not items:
        return (known.seq, known.chain) == (found.seq, found.chain)
    return LogPosition(known.seq, known.chain).precedes(items[0]) and items[-1].seq == found.seq


def wake_sleepers(sleepers: Sleepers) -> None:
    # A copy, because a reader whose time is up removes its alarm at the same time.
    for alarm in tuple(sleepers.alarms):
        alarm.set()
