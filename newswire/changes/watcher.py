"""One watcher for each process: it learns of new entries once and wakes everyone who waits for them.

Its thread begins with the first reader that waits (after gunicorn's fork, therefore), sleeps
while there is none, outlives a database that goes away, and ends with the process. Whoever
waits holds no connection and no transaction. The newest entries are kept here, so that a
hundred readers at the head of the wire cost one look at the database and not a hundred.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from newswire import wire
from newswire.changes.page import CHUNK, load_contents, scan_entries
from newswire.changes.rules import LogEntry, Reader, StoredContent
from newswire.errors import Problem
from newswire.store.articles import Past
from newswire.store.backend import MAX_LISTEN_SECONDS
from newswire.store.database import Database
from newswire.visibility import Standing

logger = logging.getLogger("newswire.watcher")

MOST_KEPT = 2000
MOST_BYTES = 16 * 1024 * 1024
LINGER_SECONDS = 10.0
RETRY_SECONDS = 0.25


class Sleepers:
    """All who wait for the same; nothing up to `passed` that came while they wait concerns them."""

    def __init__(self) -> None:
        self.alarms: set[threading.Event] = set()
        self.passed = 0


class Watcher:
    """The head of the wire as this process knows it, and the entries before it."""

    def __init__(self, database: Database) -> None:
        self.database = database
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
        """While a reader is in this block the wire is watched."""
        with self._lock:
            self._readers += 1
            self._wanted.set()
            if self._thread is None:
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

    def wait(self, after: int, revision: int | None, seconds: float, reader: Reader) -> int:
        """Waits until something behind `after` concerns the reader, the configuration was revised, or it is time.

        Returns how far nothing concerns it. The watcher's thread asks, once for all who read the same, so that
        who reads something else sleeps on.
        """
        alarm = threading.Event()
        with self._lock:
            news = self.head is not None and (self.head.seq > after or self.head.revision != revision)
            if news or self.closed:
                return after
            sleepers = self._sleepers.setdefault(reader, Sleepers())
            sleepers.alarms.add(alarm)
        if not alarm.wait(seconds):
            with self._lock:
                sleepers.alarms.discard(alarm)
                if not sleepers.alarms and self._sleepers.get(reader) is sleepers:
                    del self._sleepers[reader]
        # A reader may have come from a page that the watcher had not seen yet.
        return max(after, sleepers.passed)

    def since(self, after: int) -> tuple[Sequence[LogEntry], wire.Head] | None:
        """The entries behind `after`, and the head; None when they are not all here."""
        with self._lock:
            if self.head is None or not self._first <= after <= self.head.seq:
                return None
            return self._items[after - self._first :], self.head

    def standing(self, item: LogEntry) -> Standing:
        """What the article of a kept entry is now."""
        return self._standing.get(item.number, item.standing)

    def content(self, number: int, past: Past) -> StoredContent | None:
        """A version that is kept here."""
        with self._lock:
            position = past.seq - self._first - 1
            if not 0 <= position < len(self._items):
                return None
            return self._items[position].content

    def close(self) -> None:
        """Everyone who waits goes home, and so does the thread."""
        with self._lock:
            self._stop.set()
            self._wanted.set()
            for sleepers in self._sleepers.values():
                wake_sleepers(sleepers)

    def join(self) -> None:
        """Waits until the thread has let go of its connection, as it does at once after `close`."""
        if self._thread is not None:
            self._thread.join(MAX_LISTEN_SECONDS)

    def _watch(self) -> None:
        while self._is_wanted():
            try:
                with self.database.listen(self._stop) as wait_for_commit:
                    while self._is_wanted(linger=True):
                        self._look()
                        wait_for_commit()
            except Exception as error:
                # Whatever it was, a reader that waits must not wait for ever.
                is_away = isinstance(error, (Problem, SQLAlchemyError, *self.database.backend.errors))
                logger.warning("the wire cannot be watched: %s", error, exc_info=not is_away)
                self._stop.wait(RETRY_SECONDS)

    def _is_wanted(self, *, linger: bool = False) -> bool:
        """Whether to watch on. Without `linger` it waits until somebody reads; False then means: never again."""
        if not linger:
            self._wanted.wait()
            return not self.closed
        with self._lock:
            if not self._readers and time.monotonic() - self._left > LINGER_SECONDS:
                self._wanted.clear()
            return self._wanted.is_set() and not self.closed

    def _look(self) -> None:
        """Takes what is new out of the database, in one short transaction, and wakes everyone."""
        known = self.head
        with self.database.read() as connection:
            found = wire.read_head(connection)
            if found == known:
                return
            # Whoever lags behind so far reads pages.
            fresh = known is not None and found.wire == known.wire and 0 <= found.seq - known.seq <= MOST_KEPT
            items = list(scan_entries(connection, known.seq, found.seq, CHUNK)) if known and fresh else []
            fresh = fresh and sum(item.size for item in items) <= MOST_BYTES
            load_contents(connection, items if fresh else ())
        revised = known is None or known.revision != found.revision
        with self._lock:
            self._keep(items if fresh else (), found)
            concerned = [
                reader for reader in self._sleepers if revised or not fresh or any(map(reader.concerns, items))
            ]
            woken = [self._sleepers.pop(reader) for reader in concerned]
            for sleepers in self._sleepers.values():
                sleepers.passed = found.seq
        # Outside the lock, which everyone who wakes wants first.
        for sleepers in woken:
            wake_sleepers(sleepers)

    def _keep(self, items: Sequence[LogEntry], found: wire.Head) -> None:
        self.head = found
        self._items.extend(items)
        if self._first + len(self._items) != found.seq:
            self._items.clear()
            self._standing.clear()
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


def wake_sleepers(sleepers: Sleepers) -> None:
    # A copy: one whose time is up takes its alarm away meanwhile.
    for alarm in tuple(sleepers.alarms):
        alarm.set()
