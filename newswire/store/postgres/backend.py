"""PostgreSQL as a `Backend`: psycopg, row locks, LISTEN and NOTIFY.

It is imported only for a PostgreSQL database, because psycopg takes 9 MB. Write transactions are READ COMMITTED: after
waiting for a row lock they see what the other transaction committed. Read transactions are REPEATABLE READ: one
snapshot for all statements.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
from psycopg.errors import DataCorrupted, FeatureNotSupported, IndexCorrupted, ReadOnlySqlTransaction
from psycopg.pq import ExecStatus, Format
from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from newswire.store.backend import (
    BACKEND,
    BUSY_SECONDS,
    CONNECTION_MAX_AGE_SECONDS,
    MAX_LISTEN_SECONDS,
    Backend,
    CommitListener,
    DatabaseError,
    RestoreSteps,
    ShowProgress,
    driver_connection,
)
from newswire.store.postgres import copy
from newswire.store.postgres.server_clock import ServerClock
from newswire.store.statements import Statement

# Waiting for a lock ends after the same time as on SQLite, also if the session with the lock sleeps. Sequential scans
# are off because every statement has an index. The planner would scan the table of the search index, which it takes for
# small, because it ignores the texts that are stored out of line: 28 ms for a search among 5,000 articles.
OPTIONS = (
    f"-c timezone=UTC -c synchronous_commit=on -c work_mem=32MB -c lock_timeout={int(BUSY_SECONDS)}s"
    " -c enable_seqscan=off -c idle_in_transaction_session_timeout=120s"
)
CHANNEL = "newswire"
CANCEL_SECONDS = 2.0
"""How long the connection that asks for a cancellation may take: the one thread that cancels waits for it."""
REPLICA_POLL_SECONDS = 0.05
MIGRATION_LOCK = 6397874
"""The number of an advisory lock; any number will do that no other program uses in this database."""

BIGINT = 20
"""The OID of the type bigint."""

# While this transaction has the head's row locked, every other writer waits. So the log is written in one round trip,
# together with the notification, which PostgreSQL delivers to the listeners at the commit.
# The snapshot of this statement begins after that lock, so it sees the entry before, which an UPDATE that waited for
# the lock would not.
WRITE_ENTRIES = Statement(
    text(
        "WITH written AS (INSERT INTO entry (seq, type, at, number, version, digest, chain)"
        " SELECT new.seq, new.type, greatest(new.at, (SELECT at FROM entry WHERE seq = :before)),"
        " new.number, new.version, new.digest, new.chain FROM unnest("
        "CAST(:seq AS bigint[]), CAST(:type AS text[]), CAST(:at AS bigint[]), CAST(:number AS bigint[]),"
        " CAST(:version AS int[]), CAST(:digest AS text[]), CAST(:chain AS text[]))"
        " AS new (seq, type, at, number, version, digest, chain)),"
        " pointed AS (UPDATE article SET seq = newest.seq FROM unnest(CAST(:articles AS bigint[]),"
        " CAST(:newest AS bigint[])) AS newest (number, seq) WHERE article.number = newest.number)"
        f" UPDATE head SET chain = :new_chain, changed_at = :moment RETURNING pg_notify('{CHANNEL}', '')"
    )
)
NOTIFY = Statement(text(f"SELECT pg_notify('{CHANNEL}', '')"))


class PostgresBackend(Backend):
    """A database on a PostgreSQL server."""

    name = "postgresql"
    errors = (psycopg.Error,)
    lost_errors = (psycopg.OperationalError, psycopg.InterfaceError)
    replica_errors = (ReadOnlySqlTransaction, FeatureNotSupported)
    upgrades_on_serve = False
    pause_seconds = 0.0
    restores_over = False
    not_empty_advice = "create a new database and restore into that one."
    damaged_advice = ""

    def __init__(self, url: URL) -> None:
        if "@" in (url.host or ""):
            raise DatabaseError("The database URL has an @ in its password; write it as %40.")
        super().__init__(url.set(drivername="postgresql+psycopg"))
        self.clock = ServerClock()

    def is_damage(self, error: BaseException) -> bool:
        return isinstance(error, (DataCorrupted, IndexCorrupted))

    def find_damage(self, connection: Connection, *, thorough: bool) -> str | None:
        """Returns None: PostgreSQL verifies the checksum of each page that is read, and reports a wrong one then."""
        return None

    def create_engine(self, connections: int) -> Engine:
        return self._create_engine(connections)

    def create_read_engine(self, connections: int) -> Engine:
        # A rollback on return would cost a round trip, and psycopg would drop all prepared statements.
        engine = self._create_engine(
            connections, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, skip_autocommit_rollback=True,
            pool_use_lifo=True,
        )  # fmt: skip
        # Every request and every round of the worker reads, so the readers' connections are enough for the clock.
        event.listen(engine, "connect", self.clock.expire)
        event.listen(engine, "checkout", self.clock.measure_when_due)
        return engine

    def _create_engine(self, connections: int, **options: Any) -> Engine:
        return create_engine(
            self.url, pool_size=connections, max_overflow=0, pool_timeout=BUSY_SECONDS, pool_pre_ping=False,
            pool_recycle=CONNECTION_MAX_AGE_SECONDS, connect_args={"connect_timeout": 5, "options": OPTIONS},
            execution_options={BACKEND: self}, **options,
        )  # fmt: skip

    def begin_snapshot(self, driver: Any) -> None:
        driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", prepare=False)

    def cancel_query(self, driver: Any) -> None:
        driver.cancel_safe(timeout=CANCEL_SECONDS)

    def write_turn(self, *, patient: bool) -> AbstractContextManager[None]:
        # Transactions write at the same time; only the head's row is locked, at their end.
        return nullcontext()

    def execute(self, driver: Any, sql: str, values: Any) -> Any:
        # The text format would send bytes as hexadecimal digits, twice as many.
        return driver.execute(sql, values, binary=True)

    def fetch_single_row(self, driver: Any, sql: str) -> tuple[Any, ...]:
        """Executes a prepared statement through libpq directly: 12 µs, the server included; through psycopg 62."""
        name = statement_name(sql)
        result = driver.pgconn.exec_prepared(name, None, None, Format.BINARY)
        if result.status == ExecStatus.TUPLES_OK:
            return tuple(
                decode_value(result.get_value(0, column), result.ftype(column)) for column in range(result.nfields)
            )
        # Either the statement is not prepared on this connection (a rollback may have dropped it), or something failed.
        # psycopg executes it again, and raises the right exception.
        row: tuple[Any, ...] = driver.execute(sql, binary=True).fetchone()
        driver.pgconn.prepare(name, sql.encode())
        return row

    def write_entries(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], newest: Mapping[int, int], chain: str, at: int
    ) -> None:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        pointed = {"articles": [*newest], "newest": [*newest.values()]}
        more = {"before": rows[0]["seq"] - 1, "new_chain": chain, "moment": at}
        WRITE_ENTRIES.execute(connection, {**columns, **pointed, **more})

    def notify_commit(self, connection: Connection) -> None:
        NOTIFY.execute(connection, {})

    def create_listener(self, driver: Any, stop: Event) -> CommitListener:
        """A listener by LISTEN. A replica refuses that, so there every 50 ms counts as a possible commit."""
        try:
            driver.execute(f"LISTEN {CHANNEL}")
        except ReadOnlySqlTransaction:
            return lambda: time.sleep(REPLICA_POLL_SECONDS)

        def wait_for_commit() -> None:
            for _ in driver.notifies(timeout=MAX_LISTEN_SECONDS, stop_after=1):
                return

        return wait_for_commit

    def lock_migrations(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        connection.commit()

    def exists(self) -> bool:
        # Only a connection can tell.
        return True

    def check_encoding(self, connection: Connection) -> None:
        encoding = driver_connection(connection).info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseError(f"The database is in {encoding}; create one with ENCODING 'UTF8' TEMPLATE template0.")

    def size_bytes(self, connection: Connection) -> int:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def refuse_copy_to(self, file: Path) -> None:
        """Does nothing, because no file is the database."""

    def copy_out(self, connection: Connection, file: Path, show_progress: ShowProgress) -> None:
        copy.copy_out(connection, self.url, file, show_progress)

    def copy_in(self, file: Path, steps: RestoreSteps) -> str:
        return copy.copy_in(file, self.url, steps)


def decode_value(value: bytes, oid: int) -> int | str:
    """Decodes a bigint or a text from the binary format of PostgreSQL."""
    return int.from_bytes(value, "big", signed=True) if oid == BIGINT else value.decode()


@cache
def statement_name(sql: str) -> bytes:
    """The name of a prepared statement. It is a hash, because processes may share a connection behind a pooler."""
    return b"newswire_" + hashlib.sha256(sql.encode()).hexdigest()[:16].encode()
