"""The database, its two connection pools and its transactions (`Database.begin` to write, `Database.read` to read).

Transactions are opened and ended at the edges only (a view, a command). The backend is chosen here, once, from the URL;
what a transaction is on each database system is in `sqlite.backend` and `postgres.backend`.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newswire.config import Settings
from newswire.errors import Problem
from newswire.store.backend import BUSY_SECONDS, Backend, CommitListener, DatabaseError, Errors, driver_connection
from newswire.store.damage import DamageMark
from newswire.store.pools import ConnectionPool
from newswire.store.query_watch import QueryLimit, QueryWatch, WatchedQuery
from newswire.store.shared_look import SharedLook

logger = logging.getLogger(__name__)

MOST_CONNECTIONS, FEWEST_CONNECTIONS = 20, 5
"""The usual bound of a database, and the smallest: two for reading, one each for writing, looks and the listener."""
ANSWER_SECONDS = 5.0
"""How much longer than a query may take a server waits for the answer to a statement, besides its wait for a lock."""
T = TypeVar("T")


def create_backend(url: str, *, pooler: bool = False, listen_url: str | None = None) -> Backend:
    """The backend for a database URL. Raises `DatabaseError` for a URL of any other kind.

    A backend is imported only if it is used, because its driver takes memory in every process (9 MB on PostgreSQL).
    """
    parsed = parse_url(url)
    name = parsed.get_backend_name()
    if name == "sqlite":
        if pooler or listen_url:
            raise DatabaseError("NEWSWIRE_DATABASE_POOLER and NEWSWIRE_LISTEN_URL are for PostgreSQL, not for SQLite.")
        from newswire.store.sqlite.backend import SqliteBackend

        return SqliteBackend(parsed)
    if name in ("postgresql", "postgres"):
        from newswire.store.postgres.backend import PostgresBackend

        return PostgresBackend(parsed, pooler=pooler, listen_url=parse_url(listen_url) if listen_url else None)
    raise DatabaseError(f"The database URL must begin with sqlite:/// (and a file) or postgresql://, not {name}.")


def parse_url(url: str) -> URL:
    """The parts of a database URL; raises `DatabaseError`."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError(
            "The database URL cannot be understood; it looks like sqlite:///FILE"
            " or postgresql://USER:PASSWORD@HOST/NAME."
        ) from None


def public_url(url: URL) -> str:
    """The database URL without its password and options, which anyone may see."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


class Database:
    """A database, to which one process opens at most `connections`, whatever is asked of it.

    A quarter of them is for writing only, so that no burst of readers can keep a publisher waiting; one is for looks at
    the head, and one for the listener. A thread that finds all in use waits `LEND_SECONDS` for one. It may use one
    connection of each pool at a time, but never two of the same pool: if all threads waited for a second one, none
    would ever continue (deadlock).

    Statements wait up to `lock_seconds` for a lock. One that the server does not answer within `answer_seconds` fails;
    None, for the commands of an operator, is no deadline.
    `pooler` and `listen_url` are the settings of those names.
    """

    def __init__(
        self, url: str, connections: int = MOST_CONNECTIONS, *, pooler: bool = False, listen_url: str | None = None,
        answer_seconds: float | None = None, lock_seconds: float = BUSY_SECONDS,
    ) -> None:  # fmt: skip
        if connections < FEWEST_CONNECTIONS:
            raise DatabaseError(
                f"NEWSWIRE_DATABASE_CONNECTIONS must be at least {FEWEST_CONNECTIONS}: two for reading, one each for"
                " writing, for looks at the head and for the listener."
            )
        self.backend = create_backend(url, pooler=pooler, listen_url=listen_url)
        self.backend.lock_seconds = lock_seconds
        self.url = self.backend.url
        self.damage = DamageMark(self.backend)
        self._watch = QueryWatch(self.backend.cancel_query)
        writers, looks, listeners = max(1, connections // 4), 1, 1
        self.readers = connections - writers - looks - listeners
        self.engine = self.backend.create_engine(writers, answer_seconds)
        self._write_pool = ConnectionPool(self.engine, self.backend)
        self._writers = self.engine.execution_options(newswire_write=True)
        self._readers = ConnectionPool(self.backend.create_read_engine(self.readers, answer_seconds), self.backend)
        look_pool = ConnectionPool(self.backend.create_read_engine(looks, answer_seconds), self.backend)
        self._shared_look = SharedLook(look_pool, self._readers.suspect_all)

    @classmethod
    def of_settings(
        cls, settings: Settings, connections: int = FEWEST_CONNECTIONS, *, deadlines: bool = False,
        lock_seconds: float = BUSY_SECONDS,
    ) -> Self:  # fmt: skip
        """The database that an operator has set; raises `DatabaseError`."""
        pooler, listen_url = settings.database_pooler, settings.listen_url
        database = cls(
            settings.database_url, connections, pooler=pooler, listen_url=listen_url,
            answer_seconds=settings.query_seconds + ANSWER_SECONDS if deadlines else None, lock_seconds=lock_seconds,
        )  # fmt: skip
        if settings.durability == "replicated":
            database.backend.guard_replication(database.engine)
        return database

    @contextmanager
    def begin(
        self, *, keep: bool = True, wait: float | None = None, durable: bool = True
    ) -> Iterator[Connection]:  # fmt: skip
        """A write transaction: committed if the block ends without an exception and `keep` is true, else rolled back.

        It waits up to `wait` seconds (default: `lock_seconds`) for the write lock of a database with a single writer,
        else for each lock of a row; then it raises `unavailable`. With 0 it does not wait for a connection either.
        Not `durable` is for work that nobody misses: after a crash of the machine it may be undone, as a whole, but
        never without what was committed after it. Only SQLite makes use of that.
        """
        if wait == 0 and self._write_pool.is_exhausted:
            raise unavailable_problem()
        with (
            self.failures_as_problems(is_expected=wait == 0),
            self.backend.write_turn(self.backend.lock_seconds if wait is None else wait) as left,
            self._writers.connect().execution_options(newswire_wait=left, newswire_durable=durable) as connection,
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
        begin = self.backend.begin_snapshot
        with self.failures_as_problems(), Reading(self._readers, begin, self._watch, limit) as connection:
            yield connection

    def look(self, limit: QueryLimit | None = None) -> AbstractContextManager[Connection]:
        """A connection for reading outside of any transaction: each statement sees what was committed before it.

        A transaction costs PostgreSQL two more round trips, so single statements are read this way. `limit` as in
        `read`.
        """
        return Reading(self._readers, self.backend.begin_look, self._watch, limit)

    def look_once(self, read: Callable[[Connection], T]) -> T:
        """The result of `read`, by one look for all threads that ask at the same time; see `SharedLook.look`."""
        found: T = self._shared_look.look(read)
        return found

    def refuse_if_silent(self) -> None:
        """Raises `unavailable` if the database does not answer looks: whatever else is asked would wait for longer."""
        if self._shared_look.is_silent:
            raise unavailable_problem()

    def listen(self, stop: threading.Event) -> AbstractContextManager[CommitListener]:
        """A listener that returns when a transaction may have been committed since its last call.

        It has a connection of its own, outside of the pools, because it blocks for as long as the process runs.
        """
        return self.backend.open_listener(self._readers.engine, stop)

    @contextmanager
    def failures_as_problems(self, *, is_expected: bool = False) -> Iterator[None]:
        """Turns errors of a damaged, lost, locked, unreachable or read-only database into a 503 with `Retry-After`.

        `is_expected`: who does not wait for a lock expects that another has it, so that is no warning.
        """
        with (
            self.damage.guard_transaction(),
            self._driver_errors_as_problems(logging.DEBUG if is_expected else logging.WARNING),
        ):
            yield

    @contextmanager
    def _driver_errors_as_problems(self, level: int) -> Iterator[None]:
        lost: Errors = (OperationalError, InterfaceError, PoolTimeoutError, *self.backend.lost_errors)
        refused: Errors = (DBAPIError, *self.backend.replica_errors)
        try:
            yield
        except lost as error:
            logger.log(level, "the database failed: %s", getattr(error, "orig", error))
            raise unavailable_problem() from error
        except refused as error:
            if not isinstance(getattr(error, "orig", error), self.backend.replica_errors):
                raise
            detail = "This server reads a replica of the database, where nothing can be stored; ask another one."
            raise Problem("unavailable", detail, headers={"Retry-After": "60"}) from error

    def dispose(self) -> None:
        """Closes the connections that are idle, and ends the thread that watches queries."""
        self._watch.close()
        self._shared_look.close()
        self._shared_look.pool.engine.dispose()
        self._readers.engine.dispose()
        self.engine.dispose()


def unavailable_problem() -> Problem:
    detail = "The database cannot be reached or is too busy at the moment; try again."
    # It varies, or all that were refused would return at the same moment.
    return Problem("unavailable", detail, headers={"Retry-After": str(random.randint(1, 3))})


class Reading:
    """A context manager for a connection of the read pool, with a transaction if `begin` begins one.

    It is a class because each request enters one or more, and a generator costs twice as much. BEGIN and COMMIT go
    directly to the driver: a transaction of SQLAlchemy takes longer (0.1 ms) than the statements in it, and after its
    rollback the driver of PostgreSQL would drop all prepared statements.
    """

    __slots__ = ("begin", "connection", "limit", "pool", "query", "watch")

    def __init__(
        self, pool: ConnectionPool, begin: Callable[[Any], None] | None, watch: QueryWatch, limit: QueryLimit | None
    ) -> None:
        self.pool, self.begin, self.watch, self.limit = pool, begin, watch, limit
        self.query: WatchedQuery | None = None

    def __enter__(self) -> Connection:
        self.connection = self.pool.engine.connect()
        if self.limit is not None:
            self.query = self.watch.add(driver_connection(self.connection), self.limit)
        if self.begin is not None:
            try:
                self.begin(driver_connection(self.connection))
            except BaseException:
                if self.query is not None:
                    self.watch.remove(self.query)
                self.pool.discard(self.connection)
                raise
        return self.connection

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self.query is not None and (fault := self.watch.remove(self.query)) is not None:
            self.pool.close(self.connection)
            raise fault from error
        # A Problem is a refusal of the request and says nothing about the connection. Any other exception may.
        if error is not None and not isinstance(error, Problem):
            self.pool.discard(self.connection)
            return
        try:
            if self.begin is not None:
                driver_connection(self.connection).commit()
            self.connection.close()
        except BaseException:
            self.pool.discard(self.connection)
            raise
