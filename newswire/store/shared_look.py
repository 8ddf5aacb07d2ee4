"""One look at the database for all threads that ask at the same time (single flight), on a connection of its own.

Every request asks for the head of the log before anything else. If each thread asked the database itself, a burst of
two hundred requests would need two hundred connections, and behind a frozen server every thread would wait. Not here:
what is read (`wire.look_at_head`), and the pool (`pools`).
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as NoAnswerError

from newswire.store.pools import ConnectionPool

PATIENCE_SECONDS = 1.0
"""How long a thread waits for its turn; a look that takes longer is one that the database does not answer."""
NEVER = float("inf")


class SharedLook:
    """Reads the same few values for all threads that ask, with one statement at a time.

    `pool` is of one connection, which no slow query can take. It is checked out at the first look and kept, because the
    pool is the half of what a look costs. `on_failure` is called when it has failed.
    """

    def __init__(self, pool: ConnectionPool, on_failure: Callable[[], None]) -> None:
        self.pool = pool
        self._on_failure = on_failure
        self._kept: Connection | None = None
        self._turn = threading.Lock()
        self._was_silent = False
        self._begun = 0
        self._began_at = NEVER
        self._newest: tuple[int, Any] = (0, None)

    @property
    def is_silent(self) -> bool:
        """Whether the last look had no answer in time, or the one that goes on has none yet."""
        return self._was_silent or self._is_overdue()

    def look(self, read: Callable[[Connection], Any]) -> Any:
        """The result of `read`, which is the same function for all who ask; raises what `read` raises.

        The result of another thread is used only if its look began after this call: an older one may have read the
        database before the commit of a transaction that this caller has been told of (read your writes).
        """
        asked = self._begun
        if not self._turn.acquire(blocking=False):
            self._wait_for_turn()
        try:
            number, result = self._newest
            if number <= asked:
                # Counted before the statement is sent: whoever read a smaller number has asked before this look began.
                self._begun = number = self._begun + 1
                self._began_at = time.monotonic()
                result = self._read(read)
                self._newest = number, result
                self._was_silent = False
            return result
        finally:
            self._began_at = NEVER
            self._turn.release()

    def close(self) -> None:
        """Returns the connection to the pool; the next look takes one again."""
        with self._turn:
            self._return()

    def _wait_for_turn(self) -> None:
        # Behind a frozen server one thread at a time finds out whether it is back; no other one has to wait for that.
        if self.is_silent or not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise NoAnswerError("the database does not answer")

    def _read(self, read: Callable[[Connection], Any]) -> Any:
        kept = self._kept
        if kept is not None and self.pool.is_current(kept):
            try:
                return read(kept)
            except BaseException as error:
                # The server may have been restarted since the last look: then another connection works.
                if self._discard() or not isinstance(error, Exception):
                    raise
        self._return()
        try:
            self._kept = self.pool.engine.connect()
            return read(self._kept)
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> bool:
        """Closes a connection that has failed; returns whether the database took too long to answer."""
        kept, self._kept = self._kept, None
        if kept is not None:
            self.pool.discard(kept)
            self._on_failure()
        self._was_silent = self._is_overdue()
        return self._was_silent

    def _is_overdue(self) -> bool:
        return time.monotonic() - self._began_at > PATIENCE_SECONDS

    def _return(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()
