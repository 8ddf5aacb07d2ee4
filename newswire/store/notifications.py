"""Hearing that somebody committed, without asking again and again: an ear for each engine.

An ear holds one connection of its own, outside the pool and outside any transaction. It may
hear more than there is (any commit on SQLite) and, for a second at most, less; whoever has
one looks at the head after every `wait`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from newswire.store.database import Database

LONGEST_SECONDS = 1.0
"""A wait is never longer: what was not heard, behind a broken connection or a pooler, is seen all the same."""
SQLITE_SECONDS = 0.005
REPLICA_SECONDS = 0.05

Ear = Callable[[], None]


@contextmanager
def listening(database: Database, channel: str, stop: threading.Event) -> Iterator[Ear]:
    """The ear: a function that returns when something may have been committed since it was called last."""
    held, raw = database.apart()
    try:
        yield sqlite_ear(raw, stop) if database.is_sqlite else postgres_ear(raw, channel)
    finally:
        held.close()


def sqlite_ear(raw: Any, stop: threading.Event) -> Ear:
    """SQLite tells a connection by a number that others have written: looking at it costs some microseconds."""

    def version() -> int:
        return int(raw.execute("PRAGMA data_version").fetchone()[0])

    known = version()

    def wait() -> None:
        nonlocal known
        deadline = time.monotonic() + LONGEST_SECONDS
        while (seen := version()) == known and time.monotonic() < deadline and not stop.wait(SQLITE_SECONDS):
            pass
        known = seen

    return wait


def postgres_ear(raw: Any, channel: str) -> Ear:
    """LISTEN; on a replica, where that is impossible, a look every 50 ms."""
    from psycopg.errors import ReadOnlySqlTransaction

    try:
        raw.execute(f"LISTEN {channel}")
    except ReadOnlySqlTransaction:
        return lambda: time.sleep(REPLICA_SECONDS)

    def wait() -> None:
        for _ in raw.notifies(timeout=LONGEST_SECONDS, stop_after=1):
            return

    return wait
