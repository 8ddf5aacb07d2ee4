"""The two kinds of transaction: `Database.begin` writes, `Database.read` sees one snapshot.

Both are opened and ended at the edges only (a view, a command). What they mean on each database system is in
`sqlite.backend` and `postgres.backend`; which of the two it is, is decided here from the URL, once.
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

logger = logging.getLogger(__name__)

POOL_SIZE = 20
FAILURES = "newswire_failures"
"""The key in a connection's `info` for how many of its pool had failed when it was first taken."""


def create_backend(url: str) -> Backend:
    """The backend that a database URL names. Raises `DatabaseError` for any other URL.

    Each is imported only when it is wanted, because a driver takes memory in every process (PostgreSQL's 9 MB).
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
    """The database URL as it may be shown to anyone: without its password and options."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


class Database:
    """One database, with a pool of connections for writing and one for reading, each of at most `connections`.

    A thread that wants one more than that waits until one is returned. It may hold a connection of each pool, but
    must not take a second one of the same pool meanwhile: with all threads doing so nobody would ever go on.
    """

    def __init__(self, url: str, connections: int = POOL_SIZE) -> None:
        self.backend = create_backend(url)
        self.url = self.backend.url
        self.engine = self.backend.create_engine(connections)
        self._writers = self.engine.execution_options(newswire_write=True)
        self._readers = ReadPool(self.backend, connections)

    @contextmanager
    def begin(self, *, keep: bool = True, patient: bool = True) -> Iterator[Connection]:
        """A writing transaction: committed when the block ends well and `keep` is true, else rolled back.

        Without `patient` a database with one writer at a time, which another has begun to write to, is `unavailable`
        at once.
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
    def read(self) -> Iterator[Connection]:
        """A reading transaction: every statement in the block sees the same state."""
        with self.failures_as_problems(), Reading(self._readers, snapshot=True) as connection:
            yield connection

    def look(self) -> AbstractContextManager[Connection]:
        """Outside of any transaction: each statement in the block sees what was committed last."""
        return Reading(self._readers, snapshot=False)

    @contextmanager
    def listen(self, stop: threading.Event) -> Iterator[CommitListener]:
        """A function that returns when something may have been committed since it was called last.

        It has a connection of its own, outside of the pools and of any transaction.
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
        """Turns a database that is lost, locked, out of reach or a replica into a 503 that says when to come back."""
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
    """The connections for reading: a pool of SQLAlchemy's whose connections are all suspect once one has failed.

    Whatever broke one of them (a restart, a firewall) may have broken them all, so each that was opened before a
    failure is replaced when it is taken the next time. Disposing of the whole pool would not do: who waits for a
    connection would wait at the old one, and what is in use would be closed by nobody.
    """

    def __init__(self, backend: Backend, connections: int) -> None:
        self.backend = backend
        self.engine = backend.create_read_engine(connections)
        self.failures = 0
        event.listen(self.engine, "checkout", self._refuse_suspect)

    def _refuse_suspect(self, driver: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        # A new connection has no mark yet and is never refused: SQLAlchemy gives up after two refusals.
        if record.info.setdefault(FAILURES, self.failures) != self.failures:
            # SQLAlchemy closes it and opens another one in its place.
            raise DisconnectionError


class Reading:
    """A connection of the read pool for a block; with `snapshot` all statements in it see the same state.

    A class, because every request has one or more and a generator costs twice as much. Its own BEGIN and COMMIT are
    sent to the driver as they are: a transaction of SQLAlchemy's for a reading takes longer than the reading, and
    after its rollback PostgreSQL's driver would forget every statement that it has prepared.
    """

    __slots__ = ("connection", "pool", "snapshot")

    def __init__(self, pool: ReadPool, *, snapshot: bool) -> None:
        self.pool, self.snapshot = pool, snapshot

    def __enter__(self) -> Connection:
        self.connection = self.pool.engine.connect()
        if self.snapshot:
            try:
                self.pool.backend.begin_snapshot(driver_connection(self.connection))
            except BaseException:
                self._discard()
                raise
        return self.connection

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
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
        """Closes the connection and makes all others suspect."""
        self.pool.failures += 1
        with suppress(Exception):
            self.connection.invalidate()
            self.connection.close()
