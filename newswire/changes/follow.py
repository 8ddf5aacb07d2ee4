"""The loop that follows the log for one reader: pages up to the head, then waiting. Long polls and streams all use it.

Pages come from the watcher's cache of the newest entries where it reaches back far enough, else from the database,
`READS_AT_ONCE` at a time. Access is resolved again whenever the configuration revision moves: a revoked key ends the
walk, and a new entitlement applies at once. `watcher` notices new entries; `page` reads them from the database.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from newswire import wire
from newswire.changes.content import read_content
from newswire.changes.forks import HistoryMemory
from newswire.changes.page import Changes, changes_page, select_entries
from newswire.changes.positions import LogPosition
from newswire.changes.rules import LogEntry, Matcher, Reader, StoredContent
from newswire.changes.watcher import Watcher
from newswire.errors import Problem
from newswire.store.articles import Past
from newswire.store.backend import LEND_SECONDS
from newswire.store.database import Database, unavailable_problem
from newswire.timestamps import now
from newswire.visibility import Visibility

READS_AT_ONCE = 4
PAGE = 100
FOLLOW_BYTES = 1024 * 1024
"""Bytes of a page for a follower, which stays in memory until a slow client has taken all of it."""
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Access:
    """The visibility of a caller, and when the key expires, in milliseconds since 1970 (None: never)."""

    visibility: Visibility
    expires_at: int | None


class LiveWire:
    """The log as one process serves it: what it has seen of it, the watcher, and a bound on concurrent reads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.history = HistoryMemory(database)
        self.watcher = Watcher(database, self.history)
        self._reads = threading.BoundedSemaphore(READS_AT_ONCE)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction; at most `READS_AT_ONCE`, so that requests find free connections."""
        # Behind a server that does not answer each turn takes long, and a long poll has to end in time.
        if not self._reads.acquire(timeout=LEND_SECONDS):
            raise unavailable_problem()
        try:
            with self.database.read() as connection:
                yield connection
        finally:
            self._reads.release()

    def page(self, reader: Reader, position: LogPosition, limit: int, until: int | None = None) -> Changes:
        """A page as `changes_page` returns it, from the watcher's cache if it covers everything after the position."""
        cached = None if until is not None else self.watcher.since(position.seq)
        if cached is not None:
            return self._cached_page(reader, *cached, position, limit)
        with self.read() as connection:
            return changes_page(
                connection, reader, wire.read_head(connection), position, limit, now(), until, FOLLOW_BYTES
            )

    def _cached_page(
        self, reader: Reader, items: Sequence[LogEntry], head: wire.Head, position: LogPosition, limit: int
    ) -> Changes:
        matcher, rule = Matcher(reader, self._content), reader.visibility.rule_at(now())
        delivered, reached = select_entries(
            items, position, head, limit, matcher, rule, self.watcher.standing, FOLLOW_BYTES
        )
        return Changes(delivered, reached, reached.seq < head.seq, head)

    def _content(self, number: int, past: Past) -> StoredContent:
        cached = self.watcher.content(number, past)
        if cached is not None:
            return cached
        with self.read() as connection:
            return read_content(connection, number, past)


class Follower:
    """One reader and its position in the log, verified and with its whole chain value.

    `access` resolves the reader's access again; None: it may no longer read. `known` is its access with the
    configuration revision at which it was read, if that is known. `limit` is the number of entries on a page.
    """

    def __init__(
        self, feed: LiveWire, reader: Reader, position: LogPosition, access: Callable[[], Access | None],
        known: tuple[Access, int] | None = None, limit: int = PAGE,
    ) -> None:  # fmt: skip
        self.feed = feed
        self.reader = reader
        self.position = position
        self.is_denied = False
        """Whether `pages` has ended because the reader may not read any more."""
        self._ask = access
        self._access: Access | None = None
        self._revision: int | None = None
        if known is not None:
            self._access, self._revision = known
        self._limit = limit

    def pages(self, until: float | None = None) -> Iterator[Changes]:
        """Pages as entries arrive; an empty one after `TICK_SECONDS` without any.

        Ends at `until` (monotonic clock, seconds), when access ends, when the wire gets a new id, or at shutdown.
        Raises `wire_forked` or `cursor_ahead` when the log does not continue from what the reader has got.
        """
        watcher = self.feed.watcher
        with watcher.attended():
            while not watcher.closed:
                try:
                    if not self._may_read():
                        self.is_denied = True
                        return
                    page = self.feed.page(self.reader, self.position, self._limit)
                except Problem as problem:
                    if problem.code != "unavailable" or until is not None:
                        raise
                    # A stream outlives a short outage of the database; a long poll has a deadline and reports it.
                    time.sleep(TICK_SECONDS)
                    continue
                # A restored backup has a new id, and the reader's position means nothing on it. A wire that found that
                # it had lost entries has one too: a reader who comes back with its chain value is given the new id.
                if self.position.wire not in (None, page.head.wire):
                    return
                self.position = page.next
                yield page
                left = TICK_SECONDS if until is None else min(TICK_SECONDS, until - time.monotonic())
                if left <= 0:
                    return
                if not page.has_more:
                    self.position = watcher.wait(self.position, self._revision, left, self.reader)

    def export(self, until: int) -> Iterator[Changes]:
        """Pages up to the entry `until`, each in a short transaction of its own; ends early if access ends."""
        while self.position.seq < until and not self.feed.watcher.closed and self._may_read(always=True):
            page = self.feed.page(self.reader, self.position, PAGE, until)
            self.position = page.next
            yield page

    def _may_read(self, *, always: bool = False) -> bool:
        """Whether the reader still has access, which is resolved again if the revision moved, or `always`."""
        head = self.feed.watcher.head
        revision = self._revision if head is None else head.revision
        if always or self._access is None or revision != self._revision:
            self._access = self._ask()
            self._revision = revision
            if self._access is not None:
                self.reader = Reader(self._access.visibility, self.reader.query, self.reader.types)
        access = self._access
        return access is not None and (access.expires_at is None or access.expires_at > now())
