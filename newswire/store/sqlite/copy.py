"""Backup and restore of a SQLite database by its online backup API, while the wire is served.

A restore first prepares the whole wire in a temporary file beside the target: copy, integrity check, migrations, new
id. The last step is one online backup into the target, a transaction that SQLite's journal rolls back if it fails.
The target is not replaced by a rename, because processes that have it open would keep the old file, and two wires
would share the name of one -wal.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from sqlalchemy import URL, Connection

from newswire.store.backend import DatabaseError, RestoreSteps, ShowProgress, driver_connection

PAGES_PER_STEP = 1000
MAGIC = b"SQLite format 3\0"


def copy_out(connection: Connection, file: Path, show_progress: ShowProgress) -> None:
    """Copies the snapshot that `connection` sees. Without a snapshot each write would restart the copy."""
    with translate_errors(), closing(sqlite3.connect(file, isolation_level=None)) as writer:
        copy_pages(driver_connection(connection), writer, "Copying", show_progress)
    with translate_errors():
        leave_wal(file)


def copy_in(file: Path, target: Path, steps: RestoreSteps) -> str:
    """Restores the wire in `file` into the database file `target`, under a new id; returns the schema of `file`."""
    if target.exists() and file.samefile(target):
        raise DatabaseError(f"{file} is the database itself; name the backup.")
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise DatabaseError(f"{file} is no SQLite database, which {target} is; nothing was restored.")
    with translate_errors():
        # A target in use is refused before the long preparation, and once more before the copy.
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
    """Copies `file` to `part`, checks it, migrates it and gives it a new wire id; returns the schema of `file`."""
    # A database without a -wal or journal is opened as immutable, which needs no write access to its folder.
    has_journal = Path(f"{file}-wal").exists() or Path(f"{file}-journal").exists()
    mode = "mode=ro" if has_journal else "mode=ro&immutable=1"
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


def create_private_file(file: Path) -> None:
    """Creates an empty file that only its owner can read; one that exists is left as it is.

    SQLite opens it as an empty database, and gives the permissions of this file to the -wal and -shm beside it. To set
    the umask instead would change it for all threads of the process.
    """
    with suppress(OSError):
        # Whatever prevents it prevents SQLite too, which says more.
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def leave_wal(file: Path) -> None:
    """Makes a database a single file without a -wal."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def exclusive_connection(target: Path) -> Iterator[sqlite3.Connection]:
    """A connection with an exclusive lock. Raises `DatabaseError` if another connection is open."""
    create_private_file(target)
    with closing(sqlite3.connect(target, timeout=1.0, isolation_level=None)) as connection:
        try:
            # SQLite leaves WAL mode only if no other connection is open, and checkpoints the -wal. The empty exclusive
            # transaction then takes the lock, which the locking mode holds until the connection is closed.
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
def translate_errors() -> Iterator[None]:
    """Turns exceptions of the driver (a full disk, a damaged file) into a `DatabaseError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(f"SQLite says: {error}.") from error
