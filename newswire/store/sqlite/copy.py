"""Copies of a SQLite database by SQLite's own online backup: out of a wire that is served, and into one.

Into: everything that can go wrong is done in a file beside the target. What is left is one copy by SQLite into the
target, a transaction: its journal undoes it whatever happens, and whoever has the target open keeps the same file.
Replacing the file itself would leave them the old one, and two wires with one -wal.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from sqlalchemy import URL, Connection

from newswire.store.backend import DatabaseError, RestoreSteps, ShowProgress, driver_connection

PAGES_PER_STEP = 1000
MAGIC = b"SQLite format 3\0"


def copy_out(connection: Connection, file: Path, show_progress: ShowProgress) -> None:
    """Copies the database as `connection` sees it. Outside of a snapshot the copy would begin anew at every write."""
    with failures_told(), closing(sqlite3.connect(file, isolation_level=None)) as writer:
        copy_pages(driver_connection(connection), writer, "Copying", show_progress)
    with failures_told():
        leave_wal(file)


def copy_in(file: Path, target: Path, steps: RestoreSteps) -> str:
    """Puts the wire in `file` into the database file `target`, under a new id; returns the schema that it had."""
    if target.exists() and file.samefile(target):
        raise DatabaseError(f"{file} is the database itself; name the backup.")
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise DatabaseError(f"{file} is no SQLite database, which {target} is; nothing was restored.")
    with failures_told():
        if target.exists():
            with exclusive_connection(target):
                pass
        with TemporaryDirectory(dir=target.parent, prefix=".newswire-restore-") as folder:
            part = Path(folder, "wire")
            schema = prepare_copy(file, part, steps)
            with exclusive_connection(target) as writer, closing(sqlite3.connect(part, isolation_level=None)) as reader:
                copy_pages(reader, writer, "Restoring", steps.show_progress)
    return schema


def prepare_copy(file: Path, part: Path, steps: RestoreSteps) -> str:
    """Makes `part` the wire that is to be restored: whole, with today's schema and a new id."""
    # A file that stands by itself can be read where nothing may be written beside it.
    several = Path(f"{file}-wal").exists() or Path(f"{file}-journal").exists()
    mode = "mode=ro" if several else "mode=ro&immutable=1"
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(file))}?{mode}", uri=True)) as reader,
            closing(sqlite3.connect(part, isolation_level=None)) as writer,
        ):
            copy_pages(reader, writer, "Reading", steps.show_progress)
            steps.say("Checking ...")
            faults = [row[0] for row in writer.execute("PRAGMA integrity_check(1)")]
    except sqlite3.DatabaseError as error:
        faults = [str(error)]
    if faults != ["ok"]:
        raise DatabaseError(f"{file} is damaged: {faults[0].splitlines()[-1]}; nothing was restored.")
    try:
        schema = steps.upgrade(URL.create("sqlite", database=str(part)).render_as_string())
    except DatabaseError as error:
        raise DatabaseError(f"{file} cannot be restored. {error}") from None
    if schema is None:
        raise DatabaseError(f"{file} holds no wire; nothing was restored.")
    with closing(sqlite3.connect(part, isolation_level=None)) as writer:
        writer.execute(steps.rename_wire)
    leave_wal(part)
    return schema


def copy_pages(reader: sqlite3.Connection, writer: sqlite3.Connection, label: str, show_progress: ShowProgress) -> None:
    size = reader.execute("PRAGMA page_size").fetchone()[0]
    with show_progress(label, "bytes", reader.execute("PRAGMA page_count").fetchone()[0] * size) as show:
        reader.backup(
            writer,
            pages=PAGES_PER_STEP,
            progress=lambda _, left, total: show((total - left) * size, (total - left) * size),
        )


def leave_wal(file: Path) -> None:
    """Makes a database one file, which needs no -wal beside it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def exclusive_connection(target: Path) -> Iterator[sqlite3.Connection]:
    """A connection that keeps everybody else out; raises `DatabaseError` when somebody is in."""
    with closing(sqlite3.connect(target, 1.0, isolation_level=None)) as connection:
        try:
            # Leaving WAL takes that nobody else has the file open, and puts the -wal into it.
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise DatabaseError(
                f"{target} is in use ({error}): stop the servers and workers, and whatever else has it open."
            ) from None
        yield connection


@contextmanager
def failures_told() -> Iterator[None]:
    """Turns what the driver raises (a full disk, a damaged file) into a `DatabaseError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(f"SQLite says: {error}.") from error
