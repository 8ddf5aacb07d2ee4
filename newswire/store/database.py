"""The two kinds of transaction: `Database.begin` writes, `Database.read` sees one snapshot.

Both are opened and ended at the edges only (a view, a command). SQLite runs in WAL with
`synchronous=FULL` and takes its one write lock at the start (`BEGIN IMMEDIATE`), because
a transaction that first reads and then wants to write would fail when another came
between. PostgreSQL writes in READ COMMITTED, where a row lock that was waited for shows
what the other transaction committed, and reads in REPEATABLE READ, one snapshot for all
statements of a page.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newswire.errors import Problem
from newswire.store import driver_errors
from newswire.store.read_pool import Lender, Loan
from newswire.store.statements import Prepared

logger = logging.getLogger(__name__)

BUSY_SECONDS = 30.0
POOL_SIZE = 20
# Waiting has the same end as on SQLite, also when somebody's session holds a lock and sleeps. Every statement has an
# index; left to itself the planner reads a whole small table, as it does not count that words are stored outside.
POSTGRES_OPTIONS = (
    f"-c timezone=UTC -c synchronous_commit=on -c work_mem=32MB -c lock_timeout={int(BUSY_SECONDS)}s"
    " -c enable_seqscan=off -c idle_in_transaction_session_timeout=120s"
)

BEGIN, BEGIN_WRITING = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))


class DatabaseError(Exception):
    """The database cannot be used; the text is one sentence for the operator, without secrets."""


def parse(url: str) -> URL:
    """The database URL with its driver; raises `DatabaseError` when it is not one of ours."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError(
            "The database URL cannot be understood; it looks like sqlite:///FILE"
            " or postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgres":
        parsed, backend = parsed.set(drivername="postgresql"), "postgresql"
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite")
    if backend == "postgresql" and "@" in (parsed.host or ""):
        raise DatabaseError("The database URL has an @ in its password; write it as %40.")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        raise DatabaseError("The database URL names no file; it looks like sqlite:///FILE.")
    raise DatabaseError(f"The database URL must begin with sqlite:/// (and a file) or postgresql://, not {backend}.")


def shown(url: URL) -> str:
    """The database URL as it may be shown to anyone: without its password and options."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


class Database:
    """One database, one pool of connections."""

    def __init__(self, url: str, connections: int = POOL_SIZE) -> None:
        self.url = parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = sqlite_engine(self.url, connections) if self.is_sqlite else postgres_engine(self.url, connections)
        self._lender = Lender(self.engine)
        self._writers = self.engine.execution_options(newswire_write=True) if self.is_sqlite else self.engine
        self._writing = threading.Lock()

    @contextmanager
    def begin(self, *, keep: bool = True, patient: bool = True) -> Iterator[Connection]:
        """A writing transaction: committed when the block ends well and `keep` is true, else rolled back.

        Without `patient` a SQLite that somebody else writes to is `unavailable` at once.
        """
        writers = self._writers if patient else self._writers.execution_options(newswire_patient=False)
        with (
            busy_is_unavailable(),
            self._turn(patient=patient),
            writers.connect() as connection,
            connection.begin() as transaction,
        ):
            yield connection
            if not keep:
                transaction.rollback()

    @contextmanager
    def _turn(self, *, patient: bool) -> Iterator[None]:
        """On SQLite the threads of a process take turns to write: who waits for its own lock sleeps for long."""
        if not self.is_sqlite:
            yield
            return
        if not self._writing.acquire(timeout=BUSY_SECONDS if patient else 0):
            raise sqlite3.OperationalError("database is locked by another thread")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction: every statement in the block sees the same state."""
        with busy_is_unavailable(), Loan(self._lender, whole=True) as connection:
            yield connection

    def look(self) -> AbstractContextManager[Connection]:
        """Outside of any transaction: each statement in the block sees what was committed last."""
        return Loan(self._lender, whole=False)

    def apart(self) -> tuple[PoolProxiedConnection, Any]:
        """A connection that the pool forgets, to be closed by whoever asked, and the driver's own inside it."""
        held = self.engine.raw_connection()
        inside: Any = held.driver_connection
        held.detach()
        if not self.is_sqlite:
            inside.autocommit = True
        return held, inside

    def dispose(self) -> None:
        self._lender.close()
        self.engine.dispose()


@contextmanager
def busy_is_unavailable() -> Iterator[None]:
    """Turns a database that is lost, locked, out of reach or a replica into a 503 that says when to come back."""
    try:
        yield
    except driver_errors.lost(OperationalError, InterfaceError, PoolTimeoutError) as error:
        logger.warning("the database failed: %s", getattr(error, "orig", error))
        raise Problem(
            "unavailable",
            "The database cannot be reached or is too busy at the moment; try again.",
            headers={"Retry-After": "1"},
        ) from error
    except driver_errors.on_a_replica(DBAPIError) as error:
        if not isinstance(getattr(error, "orig", error), driver_errors.on_a_replica()):
            raise
        detail = "This server reads a replica of the database, where nothing can be stored; ask another one."
        raise Problem("unavailable", detail, headers={"Retry-After": "60"}) from error


def postgres_engine(url: URL, connections: int) -> Engine:
    return create_engine(
        url,
        pool_size=connections,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args={"connect_timeout": 5, "options": POSTGRES_OPTIONS},
    )


def sqlite_engine(url: URL, connections: int) -> Engine:
    engine = create_engine(url, pool_size=connections, pool_use_lifo=True, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, record: Any) -> None:
        # The driver's own BEGIN is deferred and comes too late: ours is sent in `start`.
        dbapi_connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-4000"):
            dbapi_connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("newswire_begins", True):
            return
        if options.get("newswire_patient", True):
            (BEGIN_WRITING if options.get("newswire_write") else BEGIN).execute(connection, {})
            return
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        try:
            BEGIN_WRITING.execute(connection, {})
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    return engine
