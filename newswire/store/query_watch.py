"""The deadline of queries, on both engines: one thread for each process cancels what runs too long or for nobody.

`Database.read` and `Database.look` register their connection here for as long as they use it. A timer in the driver was
refused: SQLite's progress handler is not called within FTS5, where slow searches spend their time, and PostgreSQL's
`statement_timeout` bounds one statement, not a request, and costs a round trip where a pooler stands between.
Registering costs two microseconds, and the thread looks at queries ten times a second (decision 0023). Not here: how a
driver cancels (`Backend.cancel_query`), and which requests have a deadline (`api.context`).
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from newswire.errors import Problem

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.1
IDLE_TICKS = 50
"""Ticks without a query after which the thread sleeps until the next one comes."""


class QueryLimit:
    """The deadline of all queries of one request together, and whether its caller has gone.

    The time begins with the first query, because what a request waits for before that is bounded elsewhere.
    `is_caller_gone` is asked by another thread, while a query runs.
    """

    __slots__ = ("_until", "is_caller_gone", "seconds")

    def __init__(self, seconds: float, is_caller_gone: Callable[[], bool] | None = None) -> None:
        self.seconds, self.is_caller_gone = seconds, is_caller_gone
        self._until: float | None = None

    def start(self) -> None:
        if self._until is None:
            self._until = time.monotonic() + self.seconds

    def fault(self) -> Problem | None:
        """The problem of a query that must not go on."""
        if self._until is not None and time.monotonic() >= self._until:
            detail = (
                f"The query took longer than {self.seconds:g} seconds. Narrow it: fewer or longer words, a section, a"
                " range of time, or leave out count, facets and highlight."
            )
            return Problem("query_too_slow", detail)
        if self.is_caller_gone is not None and self.is_caller_gone():
            return Problem("query_too_slow", "The caller closed the connection before the query had ended.")
        return None


class WatchedQuery:
    """A connection in use, by the thread of a request; `fault` is set once its query was canceled."""

    __slots__ = ("driver", "fault", "is_over", "limit", "lock")

    def __init__(self, driver: Any, limit: QueryLimit) -> None:
        self.driver, self.limit = driver, limit
        self.lock = threading.Lock()
        self.is_over = False
        self.fault: Problem | None = None


class QueryWatch:
    """The connections in use that have a deadline, and the thread that looks at them; it starts with the first one.

    So it starts after gunicorn's fork, which no thread would survive.
    """

    def __init__(self, cancel_query: Callable[[Any], None]) -> None:
        self._cancel_query = cancel_query
        self._watched: dict[WatchedQuery, None] = {}
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, driver: Any, limit: QueryLimit) -> WatchedQuery:
        """Watches a connection until `remove`."""
        limit.start()
        query = WatchedQuery(driver, limit)
        self._watched[query] = None
        # Only a sleeping thread is woken: setting an event for each query would cost ten times what the rest does.
        if not self._wanted.is_set():
            self._wake()
        return query

    def remove(self, query: WatchedQuery) -> Problem | None:
        """Ends watching; returns the problem if the query was canceled. Then the connection must be closed.

        A cancellation of PostgreSQL may arrive late, and would meet the next statement of that connection.
        """
        # The lock waits for a cancellation that is on its way, so that none starts after this.
        with query.lock:
            query.is_over = True
        self._watched.pop(query, None)
        return query.fault

    def close(self) -> None:
        """Ends the thread, which would keep the database in memory; the next query starts another one."""
        with self._starting:
            wanted, self._wanted, self._thread = self._wanted, threading.Event(), None
            wanted.set()

    def _wake(self) -> None:
        with self._starting:
            self._wanted.set()
            if self._thread is None:
                # A daemon: a process that ends must not wait for it.
                self._thread = threading.Thread(
                    target=self._watch, args=(self._wanted,), name="query-watch", daemon=True
                )
                self._thread.start()

    def _watch(self, wanted: threading.Event) -> None:
        """Looks at the queries until `close`, which puts another event in the place of `wanted`."""
        idle = 0
        while wanted.wait() and wanted is self._wanted:
            time.sleep(TICK_SECONDS)
            queries = list(self._watched)
            idle = 0 if queries else idle + 1
            if idle > IDLE_TICKS:
                wanted.clear()
                # One that was added before the event was cleared has woken nobody.
                if self._watched:
                    wanted.set()
            for query in queries:
                self._check(query)

    def _check(self, query: WatchedQuery) -> None:
        """Cancels a query that must not go on; again at each tick, as there is nothing to cancel between statements."""
        fault = query.fault or query.limit.fault()
        if fault is None:
            return
        with query.lock:
            if query.is_over:
                return
            query.fault = fault
            try:
                self._cancel_query(query.driver)
            except Exception as error:
                # Every error is caught, because without this thread no query would have a deadline.
                logger.warning("a query could not be canceled: %s", error)
