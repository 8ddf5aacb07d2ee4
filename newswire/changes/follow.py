"""One reader behind the head of the wire: page after page, then waiting for more. Every live door is this loop.

Pages come from the watcher's newest entries where these reach back far enough, else from the
database, few at a time. Who reads is asked again whenever the configuration was revised: a
revoked key ends the walk, another entitlement is in force at once.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from newswire import wire
from newswire.changes.page import Changes, DeliveredEntry, changes_page, read_content
from newswire.changes.rules import LogEntry, Matcher, Reader, StoredContent, event_type_for, is_readable
from newswire.changes.watcher import Watcher
from newswire.errors import Problem
from newswire.store.articles import Past
from newswire.store.database import Database
from newswire.timestamps import now
from newswire.visibility import Visibility

READS_AT_ONCE = 4
PAGE = 100
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Access:
    """What the caller may see, and until when (milliseconds; None: no end)."""

    visibility: Visibility
    expires_at: int | None


class LiveWire:
    """The wire of one process, for readers that stay."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.watcher = Watcher(database)
        self._reads = threading.BoundedSemaphore(READS_AT_ONCE)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction that leaves connections to the requests."""
        with self._reads, self.database.read() as connection:
            yield connection

    def page(self, reader: Reader, after: int, limit: int, until: int | None = None) -> Changes:
        """A page as `changes` makes it."""
        kept = None if until is not None else self.watcher.since(after)
        if kept is not None:
            return self._kept_page(reader, *kept, after, limit)
        with self.read() as connection:
            return changes_page(connection, reader, wire.read_head(connection), after, limit, now(), until)

    def _kept_page(self, reader: Reader, items: Sequence[LogEntry], head: wire.Head, after: int, limit: int) -> Changes:
        matcher, rule = Matcher(reader, self._content), reader.visibility.rule_at(now())
        told: list[DeliveredEntry] = []
        for item in items:
            after = item.seq
            kind = event_type_for(item, matcher)
            if kind is not None:
                shown = is_readable(item, self.watcher.standing(item), kind, rule)
                told.append(DeliveredEntry(kind, item, shown))
            if len(told) == limit:
                break
        return Changes(told, after, after < head.seq, head)

    def _content(self, number: int, past: Past) -> StoredContent:
        kept = self.watcher.content(number, past)
        if kept is not None:
            return kept
        with self.read() as connection:
            return read_content(connection, number, past)


class Follower:
    """One reader and its place; `access` asks anew what it may see, None when it may read no longer."""

    def __init__(self, feed: LiveWire, reader: Reader, after: int, access: Callable[[], Access | None]) -> None:
        self.feed = feed
        self.reader = reader
        self.after = after
        self._ask = access
        self._access: Access | None = None
        self._revision: int | None = None

    def pages(self, until: float | None = None) -> Iterator[Changes]:
        """Pages as they come, also empty ones, a second apart at most; ends at `until` (monotonic), or for good."""
        watcher, wire_id = self.feed.watcher, None
        with watcher.attended():
            while not watcher.closed:
                try:
                    if not self._may_read():
                        return
                    page = self.feed.page(self.reader, self.after, PAGE)
                except Problem as problem:
                    if problem.code != "unavailable" or until is not None:
                        raise
                    # The database is away for a moment; the reader need not notice.
                    time.sleep(TICK_SECONDS)
                    continue
                if wire_id not in (None, page.head.wire):
                    return
                self.after, wire_id = page.next_after, page.head.wire
                yield page
                left = TICK_SECONDS if until is None else min(TICK_SECONDS, until - time.monotonic())
                if left <= 0:
                    return
                if not page.has_more:
                    self.after = watcher.wait(self.after, self._revision, left, self.reader)

    def export(self, until: int) -> Iterator[Changes]:
        """Pages up to the entry `until`, each in a short transaction of its own; ends early for who may no longer."""
        while self.after < until and not self.feed.watcher.closed and self._may_read(always=True):
            page = self.feed.page(self.reader, self.after, PAGE, until)
            self.after = page.next_after
            yield page

    def _may_read(self, *, always: bool = False) -> bool:
        head = self.feed.watcher.head
        revision = None if head is None else head.revision
        if always or self._access is None or revision != self._revision:
            self._access = self._ask()
            self._revision = revision
            if self._access is not None:
                self.reader = Reader(self._access.visibility, self.reader.query, self.reader.types)
        access = self._access
        return access is not None and (access.expires_at is None or access.expires_at > now())
