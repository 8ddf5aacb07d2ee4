"""What a connection pool of SQLAlchemy refuses to lend: connections that were idle for long, or are suspect.

How many connections a pool may open is decided in `database`, how one is opened in the package of each database system.
"""

import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from newswire.store.backend import Backend

FAILURES = "newswire_failures"
"""The key in a connection's `info` for the number of failures in its pool before its first use."""
LENT_AT = "newswire_lent_at"
"""The key in a connection's `info` for the time when it was last lent, in seconds of the monotonic clock."""
LONGEST_IDLE_SECONDS = 30.0
"""A connection that was lent longer ago is replaced; by then the server may have closed it (`IDLE_CLOSED_SECONDS`)."""


class ConnectionPool:
    """The pool of an engine, whose older connections are all replaced after one of them has failed.

    The cause of one failure (a restart, a firewall) may have broken all connections, so each that was opened before it
    is replaced when it is next checked out. Disposing of the whole pool instead would leave threads waiting at the old
    pool, and connections in use would never be closed.
    """

    def __init__(self, engine: Engine, backend: Backend) -> None:
        self.engine = engine
        self.backend = backend
        self.failures = 0
        event.listen(engine, "checkout", self._refuse_stale)

    @property
    def is_exhausted(self) -> bool:
        """Whether a thread would have to wait for a connection at this moment."""
        pool = self.engine.pool
        return isinstance(pool, QueuePool) and pool.checkedout() >= pool.size()

    def is_current(self, connection: Connection) -> bool:
        """Whether a connection that stays checked out would still be lent; notes its use."""
        info, now = connection.info, time.monotonic()
        is_fresh: bool = info[FAILURES] == self.failures and now - info[LENT_AT] <= LONGEST_IDLE_SECONDS
        info[LENT_AT] = now
        return is_fresh and not self.backend.is_stale(info)

    def suspect_all(self) -> None:
        """Has all connections replaced when they are next checked out."""
        self.failures += 1

    def discard(self, connection: Connection) -> None:
        """Closes a connection that has failed, and has all older ones replaced when they are next checked out."""
        self.suspect_all()
        self.close(connection)

    def close(self, connection: Connection) -> None:
        """Closes a connection instead of returning it to the pool."""
        with suppress(Exception):
            connection.invalidate()
            connection.close()

    def _refuse_stale(self, driver: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        # A new connection gets both values here, so it is never refused: SQLAlchemy gives up after two refusals in a
        # row. It catches the exception, closes the connection and opens another one in its place.
        info, now = record.info, time.monotonic()
        is_suspect = info.setdefault(FAILURES, self.failures) != self.failures
        last = info.get(LENT_AT, now)
        info[LENT_AT] = now
        if is_suspect or now - last > LONGEST_IDLE_SECONDS or self.backend.is_stale(info):
            raise DisconnectionError
