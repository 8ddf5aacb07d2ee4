"""SQLite as a `Backend`: WAL, a single writer, listeners that poll `PRAGMA data_version`.

A write transaction takes the write lock when it begins (BEGIN IMMEDIATE). If it took the lock only at its first write
(BEGIN DEFERRED), it would fail with SQLITE_BUSY whenever another transaction had written since its first read, however
long it waited.
"""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, bindparam, create_engine, event, insert, select, text, update

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
    backend_of,
    driver_connection,
)
from newswire.store.sqlite import copy
from newswire.store.statements import Statement
from newswire.store.tables import article, entry, head

DURABLE = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
# Some builds (Debian's) overwrite what is deleted with zeros, and so write every page that is freed once more: a fifth
# of what a publication writes, because merging the index frees pages. FAST does so only in pages that are written
# anyway.
FREED_PAGES = "secure_delete=FAST"
# Negative numbers are KiB. Each connection has a page cache of its own. Those of the many reading connections are
# small, because the operating system caches the file once for all of them.
WRITE_CACHE, READ_CACHE = "cache_size=-4000", "cache_size=-512"
POLL_SECONDS = 0.005
OF_OTHERS = stat.S_IROTH | stat.S_IWOTH
FULL_TEXT_TABLES = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"
UNDECODABLE = "Could not decode to UTF-8"
TABLES_AND_INDEXES = "SELECT name, tbl_name, type FROM sqlite_schema WHERE rootpage > 0 ORDER BY tbl_name, name"
SIZE_OF_PART = text("SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name = :part AND aggregate = TRUE")
FILE = "newswire_file"
"""The key in a connection's `info` for the identity of the file that it has open."""
FILE_SECONDS = 0.25
"""How often is looked whether the file was replaced; a `stat` for each request would cost it 2 µs."""

BEGIN, BEGIN_WRITING = Statement(text("BEGIN")), Statement(text("BEGIN IMMEDIATE"))
ADD_ENTRY = Statement(insert(entry))
TIME_OF_ENTRY = Statement(select(entry.c.at).where(entry.c.seq == bindparam("which")))
SET_SEQ = Statement(update(article).where(article.c.number == bindparam("which")).values(seq=bindparam("seq_now")))
SET_CHAIN = Statement(update(head).values(chain=bindparam("new_chain"), changed_at=bindparam("moment")))


class SqliteBackend(Backend):
    """A database in a SQLite file."""

    name = "sqlite"
    errors = (sqlite3.Error,)
    lost_errors = (sqlite3.OperationalError,)
    replica_errors = ()
    upgrades_on_serve = True
    # Whoever waits for the write lock looks for it at least every 100 ms (sqliteDefaultBusyCallback).
    pause_seconds = 0.11
    restores_over = True
    restore_trust = "the keys in it open the wire"
    not_empty_advice = "--force replaces all that is in it."
    damaged_advice = " Move it away, with its -wal and -shm, and restore again."

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise DatabaseError("The database URL names no file; it looks like sqlite:///FILE.")
        super().__init__(url.set(drivername="sqlite"))
        self.file = Path(url.database)
        self._write_lock = threading.Lock()
        self._identity: tuple[int, int] | None = None
        self._looked_at = -FILE_SECONDS

    @property
    def damage_file(self) -> str:
        return f"{self.file}-damaged"

    def is_damage(self, error: BaseException) -> bool:
        # The low byte is the primary code, the rest says more (sqlite.org/rescode.html). The module itself refuses text
        # that is no UTF-8, which only a damaged page can hold.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return isinstance(error, sqlite3.Error) and (
            code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or str(error).startswith(UNDECODABLE)
        )

    def find_damage(self, connection: Connection, *, thorough: bool) -> str | None:
        found = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
        if found != "ok":
            return found.splitlines()[-1]
        # To SQLite the index of a full-text table is a row of bytes. FTS5 checks it at an INSERT that stores nothing
        # (sqlite.org/fts5.html, 6.5), and raises an exception.
        for name in connection.exec_driver_sql(FULL_TEXT_TABLES).scalars().all() if thorough else ():
            connection.exec_driver_sql(f'INSERT INTO "{name}" ("{name}") VALUES (\'integrity-check\')')
        return None

    def create_engine(self, connections: int, answer_seconds: float | None = None) -> Engine:
        engine = self._create_engine(connections, WRITE_CACHE)
        event.listen(engine, "begin", begin_transaction)
        return engine

    def create_read_engine(self, connections: int, answer_seconds: float | None = None) -> Engine:
        return self._create_engine(
            connections, READ_CACHE, isolation_level="AUTOCOMMIT", pool_reset_on_return=None,
            skip_autocommit_rollback=True, pool_recycle=CONNECTION_MAX_AGE_SECONDS,
        )  # fmt: skip

    def _create_engine(self, connections: int, cache: str, **options: Any) -> Engine:
        engine = create_engine(
            self.url, pool_size=connections, max_overflow=0, pool_timeout=LEND_SECONDS, pool_use_lifo=True,
            connect_args={"timeout": BUSY_SECONDS}, execution_options={BACKEND: self}, **options,
        )  # fmt: skip

        @event.listens_for(engine, "do_connect")
        def create_file(*ignored: Any) -> None:
            copy.create_private_file(self.file)

        @event.listens_for(engine, "connect")
        def set_pragmas(driver: Any, record: Any) -> None:
            # The driver would send a deferred BEGIN before the first write. `begin_transaction` sends ours instead.
            driver.isolation_level = None
            for pragma in (*DURABLE, FREED_PAGES, cache):
                driver.execute(f"PRAGMA {pragma}").close()
            record.info[FILE] = self._file_identity()

        return engine

    def is_stale(self, info: Mapping[str, Any]) -> bool:
        # Where another file was put in the place of the database, an open connection has the old one for ever.
        return bool(info[FILE] != self._file_identity())

    def _file_identity(self) -> tuple[int, int] | None:
        """Device and inode of the file, as of at most `FILE_SECONDS` ago; two threads may look at the same time."""
        moment = time.monotonic()
        if moment - self._looked_at >= FILE_SECONDS:
            try:
                found = os.stat(self.file)
                self._identity = found.st_dev, found.st_ino
            except OSError:
                # Perhaps between the removal of the old file and the arrival of the new one.
                pass
            self._looked_at = moment
        return self._identity

    def begin_snapshot(self, driver: Any) -> None:
        driver.execute("BEGIN")

    def cancel_query(self, driver: Any) -> None:
        # SQLite looks at the flag at each page of the index that FTS5 reads, not only between rows.
        driver.interrupt()

    @contextmanager
    def write_turn(self, wait: float) -> Iterator[float]:
        # SQLite waits for its file lock by polling, with pauses of up to 0.1 s. Between the threads of one process this
        # lock wakes the next writer at once.
        began = time.monotonic()
        if not self._write_lock.acquire(timeout=wait):
            raise sqlite3.OperationalError("database is locked by another thread")
        try:
            yield max(0.0, began + wait - time.monotonic())
        finally:
            self._write_lock.release()

    def execute(self, driver: Any, sql: str, values: Any) -> Any:
        return driver.execute(sql, values)

    def fetch_single_row(self, driver: Any, sql: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = driver.execute(sql).fetchone()
        return row

    def write_entries(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], newest: Mapping[int, int], chain: str, at: int
    ) -> None:
        before = TIME_OF_ENTRY.execute(connection, {"which": rows[0]["seq"] - 1}).fetchone()
        earliest = 0 if before is None else before[0]
        ADD_ENTRY.execute_many(connection, [{**row, "at": max(row["at"], earliest)} for row in rows])
        SET_SEQ.execute_many(connection, [{"which": number, "seq_now": seq} for number, seq in newest.items()])
        SET_CHAIN.execute(connection, {"new_chain": chain, "moment": at})

    def notify_commit(self, connection: Connection) -> None:
        """Does nothing, because every commit changes `data_version`, which listeners poll."""

    @contextmanager
    def open_listener(self, engine: Engine, stop: threading.Event) -> Iterator[CommitListener]:
        """Polls `data_version`, which changes when another connection commits; a poll takes a few microseconds."""
        connection = engine.raw_connection()
        driver: Any = connection.driver_connection
        connection.detach()

        def read_version() -> int:
            return int(driver.execute("PRAGMA data_version").fetchone()[0])

        known = read_version()

        def wait_for_commit() -> None:
            nonlocal known
            deadline = time.monotonic() + MAX_LISTEN_SECONDS
            while (seen := read_version()) == known and time.monotonic() < deadline and not stop.wait(POLL_SECONDS):
                pass
            known = seen

        try:
            yield wait_for_commit
        finally:
            connection.close()

    def lock_migrations(self, connection: Connection) -> None:
        """Does nothing, because the transaction that migrates begins with the write lock."""

    def exists(self) -> bool:
        return self.file.exists()

    def find_exposure(self) -> str | None:
        names = [f"{self.file}{suffix}" for suffix in ("", "-wal", "-shm")]
        exposed = [name for name in names if os.path.exists(name) and os.stat(name).st_mode & OF_OTHERS]
        if not exposed:
            return None
        return (
            f"Every user of this machine can read {' and '.join(exposed)}, and embargoed articles in it: stop the"
            f" servers and run `chmod 600 {' '.join(exposed)}`."
        )

    def check_replication(self, connection: Connection) -> None:
        raise DatabaseError("NEWSWIRE_DURABILITY=replicated needs PostgreSQL; a file of SQLite has no standby.")

    def guard_replication(self, engine: Engine) -> None:
        """Does nothing, because `check_replication` has refused to start."""

    def is_replica(self, connection: Connection) -> bool:
        return False

    def check_encoding(self, connection: Connection) -> None:
        """Does nothing, because texts in SQLite are always Unicode."""

    def check_session(self, connection: Connection) -> None:
        """Does nothing, because nobody stands between a process and its file."""

    def connection_limit(self, connection: Connection) -> int | None:
        return None

    def check_listener(self) -> None:
        """Does nothing, because listeners read the file."""

    def size_bytes(self, connection: Connection) -> int:
        files = [Path(f"{self.file}{suffix}") for suffix in ("", "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def table_sizes(self, connection: Connection) -> Iterator[TableSize]:
        """Reads every page of the file, unless SQLite was compiled without `dbstat`: then it raises `DatabaseError`."""
        if not connection.scalar(text("SELECT count(*) FROM pragma_module_list WHERE name = 'dbstat'")):
            raise DatabaseError("This SQLite was compiled without dbstat, by which the sizes of tables are counted.")
        names: dict[str, list[tuple[str, str]]] = {"sqlite_schema": [("sqlite_schema", "table")]}
        for name, table, kind in connection.execute(text(TABLES_AND_INDEXES)):
            names.setdefault(table, []).append((name, kind))
        for table, parts in names.items():
            sizes = {"table": 0, "index": 0}
            for name, kind in parts:
                sizes[kind] += connection.execute(SIZE_OF_PART, {"part": name}).scalar_one()
            yield TableSize(table, sizes["table"], 0, sizes["index"])
        free = text("SELECT freelist_count * page_size FROM pragma_freelist_count(), pragma_page_size()")
        yield TableSize("free pages", connection.execute(free).scalar_one(), 0, 0)

    def refuse_copy_to(self, file: Path) -> None:
        if file.exists() and self.file.exists() and file.samefile(self.file):
            raise DatabaseError(f"{file} is the database itself; name another file.")

    def copy_out(self, connection: Connection, file: Path, show_progress: ShowProgress) -> None:
        copy.copy_out(connection, file, show_progress)

    def copy_in(self, file: Path, steps: RestoreSteps) -> str:
        return copy.copy_in(file, self.file, steps)


def begin_transaction(connection: Connection) -> None:
    """Listener of SQLAlchemy's event `begin`: sends the BEGIN, sets wait and durability, of the execution options."""
    options = connection.get_execution_options()
    wait = options.get("newswire_wait", backend_of(connection).lock_seconds)
    driver = driver_connection(connection)
    driver.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}").close()
    # The next durable commit writes the whole log of SQLite to the disk, so nothing is lost that was acknowledged.
    driver.execute(f"PRAGMA synchronous = {'FULL' if options.get('newswire_durable', True) else 'NORMAL'}").close()
    (BEGIN_WRITING if options.get("newswire_write") else BEGIN).execute(connection, {})
