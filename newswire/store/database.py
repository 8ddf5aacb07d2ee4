"""The database, its two connection pools and its transactions (`Database.begin` to write, `Database.read` to read).

Transactions are opened and ended at the edges only (a view, a command). The backend is chosen here, once, from the URL;
what a transaction is on each database system is in `sqlite.backend` and `postgres.backend`.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from newswire.errors import Problem
from newswire.store.backend import Backend, CommitListener, DatabaseError, Errors, driver_connection
from newswire.store.damage import DamageMark
from newswire.store.query_watch import QueryLimit, QueryWatch, WatchedQuery

logger = logging.getLogger(__name__)

POOL_SIZE = 20
FAILURES = "newswire_failures"
"""The key in a connection's `info` for the number of failures in its pool before its first use."""


def create_backend(url: str) -> Backend:
    """The backend for a database URL. Raises `DatabaseError` for a URL of any other kind.

    A backend is imported only if it is used, because its driver takes memory in every process (9 MB on PostgreSQL).
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError(
            "The database URL cannot be understood; it looks like sqlite:///FILE"
            " or postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    name = parsed.get_backend_name()
    if name == "sqlite":
        from newswire.store.sqlite.backend import SqliteBackend

        return SqliteBackend(parsed)
    if name in ("postgresql", "postgres"):
        from newswire.store.postgres.backend import PostgresBackend

        return PostgresBackend(parsed)
    raise DatabaseError(f"The database URL must begin with sqlite:/// (and a file) or postgresql://, not {name}.")


def public_url(url: URL) -> str:
    """The database URL without its password and options, which anyone may see."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


class Database:
    """A database with a connection pool for writing and one for reading, each of at most `connections`.

    A thread waits for a connection if all are in use. It may use one connection of each pool at a time, but never two
    of the same pool: if all threads waited for a second one, none would ever continue (deadlock).
    """

    def __init__(self, url: str, connections: int = POOL_SIZE) -> None:
        self.backend = create_backend(url)
        self.url = self.backend.url
        self.damage = DamageMark(self.backend)
        self.engine = self.backend.create_engine(connections)
        self._writers = self.engine.execution_options(newswire_write=True)
        self._readers = ReadPool(self.backend, connections)
        self._watch = QueryWatch(self.backend.cancel_query)

    @contextmanager
    def begin(self, *, keep: bool = True, patient: bool = True) -> Iterator[Connection]:
        """A write transaction: committed if the block ends without an exception and `keep` is true, else rolled back.

        Without `patient` it does not wait for the write lock of a database with a single writer, but raises
        `unavailable` at once.
        """
        writers = self._writers if patient else self._writers.execution_options(newswire_patient=False)
        with (
            self.failures_as_problems(),
            self.backend.write_turn(patient=patient),
            writers.connect() as connection,
            connection.begin() as transaction,
        ):
            yield connection
            if not keep:
                transaction.rollback()

    @contextmanager
    def read(self, limit: QueryLimit | None = None) -> Iterator[Connection]:
        """A read transaction: all statements in the block see the same snapshot.

        Where the `limit` is passed they are canceled: `query_too_slow`.
        """
        watch = None if limit is None else self._watch
        with self.failures_as_problems(), Reading(self._readers, watch, limit, snapshot=True) as connection:
            yield connection

    def look(self, limit: QueryLimit | None = None) -> AbstractContextManager[Connection]:
        """A connection for reading outside of any transaction: each statement sees what was committed before it.

        A transaction costs PostgreSQL two more round trips, so single statements are read this way. `limit` as in
        `read`.
        """
        return Reading(self._readers, None if limit is None else self._watch, limit, snapshot=False)

    @contextmanager
    def listen(self, stop: threading.Event) -> Iterator[CommitListener]:
        """A listener that returns when a transaction may have been committed since its last call.

        It has a connection of its own, outside of the pools, because it blocks for as long as the process runs.
        """
        connection = self._readers.engine.raw_connection()
        driver = connection.driver_connection
        connection.detach()
        try:
            yield self.backend.create_listener(driver, stop)
        finally:
            connection.close()

    @contextmanager
    def failures_as_problems(self) -> Iterator[None]:
        """Turns errors of a damaged, lost, locked, unreachable or read-only database into a 503 with `Retry-After`."""
        with self.damage.guard_transaction(), self._driver_errors_as_problems():
            yield

    @contextmanager
    def _driver_errors_as_problems(self) -> Iterator[None]:
        lost: Errors = (OperationalError, InterfaceError, PoolTimeoutError, *self.backend.lost_errors)
        refused: Errors = (DBAPIError, *self.backend.replica_errors)
        try:
            yield
        except lost as error:
            logger.warning("the database failed: %s", getattr(error, "orig", error))
            raise Problem(
                "unavailable",
                "The database cannot be reached or is too busy at the moment; try again.",
                headers={"Retry-After": "1"},
            ) from error
        except refused as error:
            if not isinstance(getattr(error, "orig", error), self.backend.replica_errors):
                raise
            detail = "This server reads a replica of the database, where nothing can be stored; ask another one."
            raise Problem("unavailable", detail, headers={"Retry-After": "60"}) from error

    def dispose(self) -> None:
        """Closes the connections that are idle."""
        self._readers.engine.dispose()
        self.engine.dispose()


class ReadPool:
    """The connection pool for reading, a pool of SQLAlchemy that replaces all older connections after one has failed.

    The cause of one failure (a restart, a firewall) may have broken all connections, so each that was opened before it
    is replaced when it is next checked out. Disposing of the whole pool instead would leave threads waiting at the old
    pool, and connections in use would never be closed.
    """

    def __init__(self, backend: Backend, connections: int) -> None:
        self.backend = backend
        self.engine = backend.create_read_engine(connections)
        self.failures = 0
        event.listen(self.engine, "checkout", self._refuse_suspect)

    def _refuse_suspect(self, driver: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        # A new connection gets the current number of failures here, so it is never refused: SQLAlchemy gives up after
        # two refusals in a row.
        if record.info.setdefault(FAILURES, self.failures) != self.failures:
            # SQLAlchemy catches this, closes the connection and opens another one in its place.
            raise DisconnectionError


class Reading:
    """A context manager for a connection of the read pool; with `snapshot` all statements see the same state.

    It is a class because each request enters one or more, and a generator costs twice as much. BEGIN and COMMIT go
    directly to the driver: a transaction of SQLAlchemy takes longer (0.1 ms) than the statements in it, and after its
    rollback the driver of PostgreSQL would drop all prepared statements.
    """

    __slots__ = ("connection", "limit", "pool", "query", "snapshot", "watch")

    def __init__(self, pool: ReadPool, watch: QueryWatch | None, limit: QueryLimit | None, *, snapshot: bool) -> None:
        self.pool, self.watch, self.limit, self.snapshot = pool, watch, limit, snapshot
        self.query: WatchedQuery | None = None

    def __enter__(self) -> Connection:
        self.connection = self.pool.engine.connect()
        if self.watch is not None and self.limit is not None:
            self.query = self.watch.add(driver_connection(self.connection), self.limit)
        if self.snapshot:
            try:
                self.pool.backend.begin_snapshot(driver_connection(self.connection))
            except BaseException:
                self._discard()
                raise
        return self.connection

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self.watch is not None and self.query is not None and (fault := self.watch.remove(self.query)) is not None:
            self._close()
            raise fault from error
        # A Problem is a refusal of the request and says nothing about the connection. Any other exception may.
        if error is not None and not isinstance(error, Problem):
            self._discard()
            return
        try:
            if self.snapshot:
                driver_connection(self.connection).commit()
            self.connection.close()
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        """Closes the connection, and has all older ones of the pool replaced when they are next checked out."""
        self.pool.failures += 1
        if self.watch is not None and self.query is not None:
            self.watch.remove(self.query)
        self._close()

    def _close(self) -> None:
        """Closes the connection instead of returning it."""
        with suppress(Exception):
            self.connection.invalidate()
            self.connection.close()
