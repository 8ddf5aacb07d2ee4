"""PostgreSQL as a `Backend`: psycopg, row locks, LISTEN and NOTIFY.

It is imported only for a PostgreSQL database, because psycopg takes 9 MB. Write transactions are READ COMMITTED: after
waiting for a row lock they see what the other transaction committed. Read transactions are REPEATABLE READ: one
snapshot for all statements.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
from psycopg.errors import DataCorrupted, FeatureNotSupported, IndexCorrupted, ReadOnlySqlTransaction
from psycopg.pq import ExecStatus
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from newswire.store.backend import (
    BACKEND,
    BUSY_SECONDS,
    CONNECTION_MAX_AGE_SECONDS,
    LEND_SECONDS,
    MAX_LISTEN_SECONDS,
    Backend,
    CommitListener,
    DatabaseError,
    RestoreSteps,
    ShowProgress,
    TableSize,
    driver_connection,
)
from newswire.store.postgres import copy, replication
from newswire.store.postgres.connection import (
    MARK,
    AnsweredConnection,
    connect_directly,
    connection_options,
    milliseconds,
    set_in_transaction,
)
from newswire.store.postgres.server_clock import ServerClock
from newswire.store.statements import Statement

CHANNEL = "newswire"
CANCEL_SECONDS = 2.0
"""How long the connection that asks for a cancellation may take: the one thread that cancels waits for it."""
REPLICA_POLL_SECONDS = 0.05
MIGRATION_LOCK = 6397874
"""The number of an advisory lock; any number will do that no other program uses in this database."""
SINGLE_ROW_SECONDS = 2.0
"""How long the server may take for the one row of `fetch_single_row`, which takes it 0.02 ms."""
POOLER_STANDS_BETWEEN = (
    "a pooler in transaction mode (such as PgBouncer) stands between Newswire and PostgreSQL;"
    " set NEWSWIRE_DATABASE_POOLER=true, or connect to PostgreSQL itself"
)

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


TABLE_SIZES = """
    SELECT CASE WHEN relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema')
        THEN 'PostgreSQL itself' ELSE relname END AS name,
        sum(pg_table_size(oid))::bigint, sum(pg_relation_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint
    FROM pg_class WHERE relkind IN ('r', 'm', 'S') AND relpersistence <> 't' AND NOT relisshared GROUP BY 1 ORDER BY 1
"""


class PostgresBackend(Backend):
    """A database on a PostgreSQL server."""

    name = "postgresql"
    errors = (psycopg.Error,)
    lost_errors = (psycopg.OperationalError, psycopg.InterfaceError)
    replica_errors = (ReadOnlySqlTransaction, FeatureNotSupported)
    upgrades_on_serve = False
    pause_seconds = 0.0
    restores_over = False
    restore_trust = "psql runs it with the rights of the database role, and the keys in it open the wire"
    not_empty_advice = "create a new database and restore into that one."
    damaged_advice = ""

    def __init__(self, url: URL, *, pooler: bool = False, listen_url: URL | None = None) -> None:
        """Through a `pooler` notifications are heard at `listen_url`, which must lead to PostgreSQL itself."""
        if "@" in (url.host or ""):
            raise DatabaseError("The database URL has an @ in its password; write it as %40.")
        super().__init__(url.set(drivername="postgresql+psycopg"))
        self.pooler = pooler
        self.listen_url = None if pooler else self.url
        if listen_url is not None:
            self.listen_url = listen_url.set(drivername="postgresql+psycopg")
        self.begin_look = begin_pooled_look if pooler else None
        self.clock = ServerClock()

    def is_damage(self, error: BaseException) -> bool:
        return isinstance(error, (DataCorrupted, IndexCorrupted))

    def find_damage(self, connection: Connection, *, thorough: bool) -> str | None:
        """Returns None: PostgreSQL verifies the checksum of each page that is read, and reports a wrong one then."""
        return None

    def create_engine(self, connections: int, answer_seconds: float | None = None) -> Engine:
        # A statement may wait for a lock before the server works on it.
        engine = self._create_engine(connections, answer_seconds and answer_seconds + self.lock_seconds)
        event.listen(engine, "begin", self._limit_waiting)
        return engine

    def create_read_engine(self, connections: int, answer_seconds: float | None = None) -> Engine:
        # A rollback on return would cost a round trip, and psycopg would drop all prepared statements.
        engine = self._create_engine(
            connections, answer_seconds, isolation_level="AUTOCOMMIT", pool_reset_on_return=None,
            skip_autocommit_rollback=True,
        )  # fmt: skip
        # Every request and every round of the worker reads, so the readers' connections are enough for the clock.
        event.listen(engine, "connect", self.clock.expire)
        event.listen(engine, "checkout", self._measure_clock)
        return engine

    def _measure_clock(self, driver: Any, *ignored: Any) -> None:
        if time.monotonic() >= self.clock.due:
            self.clock.measure(driver)

    def _create_engine(self, connections: int, answer_seconds: float | None, **options: Any) -> Engine:
        # Last in, first out: after a burst the connections that are not needed any longer become idle, and go.
        engine = create_engine(
            self.url, pool_size=connections, max_overflow=0, pool_timeout=LEND_SECONDS, pool_pre_ping=False,
            pool_recycle=CONNECTION_MAX_AGE_SECONDS, pool_use_lifo=True,
            connect_args=connection_options(self.lock_seconds, pooler=self.pooler),
            execution_options={BACKEND: self}, **options,
        )  # fmt: skip

        @event.listens_for(engine, "do_connect")
        def connect(dialect: Any, record: Any, address: list[Any], options: dict[str, Any]) -> AnsweredConnection:
            connection = AnsweredConnection.connect(*address, **options)
            connection.answer_seconds = answer_seconds
            return connection

        return engine

    def _limit_waiting(self, connection: Connection) -> None:
        """Listener of SQLAlchemy's event `begin`: shortens the wait for locks, if much of it has passed already.

        It costs a round trip, so that a wait which is nearly whole is left as it is. Through a pooler all settings are
        set.
        """
        wait = connection.get_execution_options().get("newswire_wait", self.lock_seconds)
        if self.pooler:
            connection.exec_driver_sql(set_in_transaction(wait))
        elif wait < 0.8 * self.lock_seconds:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds(wait)}")

    def begin_snapshot(self, driver: Any) -> None:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        driver.execute(f"{begin}; {set_in_transaction(self.lock_seconds)}" if self.pooler else begin, prepare=False)

    def cancel_query(self, driver: Any) -> None:
        driver.cancel_safe(timeout=CANCEL_SECONDS)

    def write_turn(self, wait: float) -> AbstractContextManager[float]:
        # Transactions write at the same time; only the head's row is locked, at their end.
        return nullcontext(wait)

    def execute(self, driver: Any, sql: str, values: Any) -> Any:
        # The text format would send bytes as hexadecimal digits, twice as many.
        return driver.execute(sql, values, binary=True)

    def fetch_single_row(self, driver: Any, sql: str) -> tuple[Any, ...]:
        """Executes a prepared statement through libpq, without psycopg's cursors, which take twice as long."""
        if self.pooler:
            found: tuple[Any, ...] = driver.execute(sql, binary=True).fetchone()
            return found
        name = statement_name(sql)
        result = driver.exec_single(name, SINGLE_ROW_SECONDS)
        if result.status == ExecStatus.TUPLES_OK:
            return tuple(
                decode_value(result.get_value(0, column), result.ftype(column)) for column in range(result.nfields)
            )
        # Either the statement is not prepared on this connection (a rollback may have dropped it), or something failed.
        # psycopg executes it again, and raises the right exception.
        row: tuple[Any, ...] = driver.execute(sql, binary=True).fetchone()
        driver.prepare_single(name, sql.encode(), SINGLE_ROW_SECONDS)
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

    @contextmanager
    def open_listener(self, engine: Engine, stop: Event) -> Iterator[CommitListener]:
        """A listener by LISTEN. A replica refuses that, so there every 50 ms counts as a possible commit.

        Behind a pooler without a direct connection every second does: LISTEN ends with the session, which another
        client may have by then.
        """
        if self.listen_url is None:
            yield partial(wait_a_while, stop)
            return
        with closing(connect_directly(self.listen_url)) as driver:

            def wait_for_commit() -> None:
                for _ in driver.notifies(timeout=MAX_LISTEN_SECONDS, stop_after=1):
                    return

            try:
                driver.execute(f"LISTEN {CHANNEL}")
            except ReadOnlySqlTransaction:
                yield lambda: time.sleep(REPLICA_POLL_SECONDS)
            else:
                yield wait_for_commit

    def lock_migrations(self, connection: Connection) -> None:
        # Not `pg_advisory_lock`: behind a pooler the session, and the lock with it, would pass to another client.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")

    def exists(self) -> bool:
        # Only a connection can tell.
        return True

    def check_replication(self, connection: Connection) -> None:
        replication.check_replication(connection)

    def guard_replication(self, engine: Engine) -> None:
        replication.ReplicationGuard(engine)

    def is_replica(self, connection: Connection) -> bool:
        return bool(connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one())

    def check_encoding(self, connection: Connection) -> None:
        encoding = driver_connection(connection).info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseError(f"The database is in {encoding}; create one with ENCODING 'UTF8' TEMPLATE template0.")

    def check_session(self, connection: Connection) -> None:
        if not self.pooler and connection.scalar(text(f"SELECT current_setting('{MARK}', true)")) != "on":
            raise DatabaseError(f"The database {self.url.database} cannot be used: {POOLER_STANDS_BETWEEN}.")

    def check_listener(self) -> None:
        if not self.pooler or self.listen_url is None:
            return
        try:
            connect_directly(self.listen_url).close()
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            if "unsupported startup parameter" in reason:
                reason = "it leads to a pooler; it must lead to PostgreSQL itself"
            raise DatabaseError(f"NEWSWIRE_LISTEN_URL cannot be used: {reason}.") from error

    def describe_failure(self, error: DBAPIError) -> str:
        reason = super().describe_failure(error)
        # PgBouncer refuses the settings that we ask for when we connect, unless it is told to ignore them.
        return POOLER_STANDS_BETWEEN if "unsupported startup parameter" in reason else reason

    def connection_limit(self, connection: Connection) -> int | None:
        if self.pooler:
            return None
        reserved = "current_setting('superuser_reserved_connections')::int"
        # Since PostgreSQL 16.
        others = "coalesce(current_setting('reserved_connections', true)::int, 0)"
        limit = connection.scalar(text(f"SELECT current_setting('max_connections')::int - {reserved} - {others}"))
        return int(limit or 0)

    def size_bytes(self, connection: Connection) -> int:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def table_sizes(self, connection: Connection) -> Iterator[TableSize]:
        # pg_table_size counts the index of the long values with these, and the maps of free and of visible rows.
        for name, table, rows, indexes in connection.execute(text(TABLE_SIZES)):
            yield TableSize(name, rows, table - rows, indexes)

    def refuse_copy_to(self, file: Path) -> None:
        # No file is the database.
        self._refuse_pooler()

    def _refuse_pooler(self) -> None:
        """Raises `DatabaseError`, because pg_dump and psql change settings of their session, which others get then."""
        if self.pooler:
            raise DatabaseError(
                "A copy cannot go through a pooler in transaction mode: run this command with a NEWSWIRE_DATABASE_URL"
                " that leads to PostgreSQL itself, and without NEWSWIRE_DATABASE_POOLER."
            )

    def copy_out(self, connection: Connection, file: Path, show_progress: ShowProgress) -> None:
        copy.copy_out(connection, self.url, file, show_progress)

    def copy_in(self, file: Path, steps: RestoreSteps) -> str:
        self._refuse_pooler()
        return copy.copy_in(file, self.url, steps)


def wait_a_while(stop: Event) -> None:
    stop.wait(MAX_LISTEN_SECONDS)


def begin_pooled_look(driver: Any) -> None:
    """Begins a transaction only for the settings: behind a pooler a single statement cannot have any."""
    begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
    driver.execute(f"{begin}; {set_in_transaction(BUSY_SECONDS)}", prepare=False)


def decode_value(value: bytes, oid: int) -> int | str:
    """Decodes a bigint or a text from the binary format of PostgreSQL."""
    return int.from_bytes(value, "big", signed=True) if oid == BIGINT else value.decode()


@cache
def statement_name(sql: str) -> bytes:
    """The name of a prepared statement. It is a hash, because processes may share a connection behind a pooler."""
    return b"newswire_" + hashlib.sha256(sql.encode()).hexdigest()[:16].encode()
