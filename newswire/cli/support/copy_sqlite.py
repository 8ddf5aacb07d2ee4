"""Copies of a SQLite database, by SQLite's own online backup: out of a wire that is served, and into one.

Into: everything that can go wrong is done in a file beside the target. What is left is one copy by SQLite
into the target, a transaction: its journal undoes it whatever happens, and who has the target open
keeps the same file. Replacing the file itself would leave them the old one, and two wires with one -wal.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import click
from sqlalchemy import URL, Connection

from newswire import wire
from newswire.cli.support.progress import progress
from newswire.store import migrate
from newswire.store.database import Database, DatabaseError
from newswire.store.statements import driver

PAGES = 1000
MAGIC = b"SQLite format 3\0"


def copy_out(connection: Connection, part: Path) -> None:
    """Copies the database as `connection`, a reading transaction, sees it, whoever writes to it meanwhile.

    Outside of one the copy would begin anew at every write.
    """
    with closing(sqlite3.connect(part, isolation_level=None)) as writer:
        copied(driver(connection), writer, "Copying")
    settle(part)


def copied(reader: sqlite3.Connection, writer: sqlite3.Connection, label: str) -> None:
    size = reader.execute("PRAGMA page_size").fetchone()[0]
    with progress(label, "bytes", reader.execute("PRAGMA page_count").fetchone()[0] * size) as show:
        reader.backup(
            writer, pages=PAGES, progress=lambda _, left, total: show((total - left) * size, (total - left) * size)
        )


def settle(part: Path) -> None:
    """Makes it one file, which needs no -wal beside it."""
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def copy_in(file: Path, database: Database) -> str:
    """Puts the wire in `file` into the database, under a new id; returns the schema that it had."""
    target = Path(str(database.url.database))
    if target.exists() and file.samefile(target):
        raise click.ClickException(f"{file} is the database itself; name the backup.")
    database.dispose()
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise click.ClickException(f"{file} is no SQLite database, which {target} is; nothing was restored.")
    if target.exists():
        with alone(target):
            pass
    with TemporaryDirectory(dir=target.parent, prefix=".newswire-restore-") as folder:
        part = Path(folder, "wire")
        found = prepared(file, part)
        with alone(target) as writer, closing(sqlite3.connect(part, isolation_level=None)) as reader:
            copied(reader, writer, "Restoring")
    return found


def prepared(file: Path, part: Path) -> str:
    """Makes `part` the wire that is to be restored, whole and with the schema of today."""
    # A file that stands by itself can be read where nothing may be written beside it.
    several = Path(f"{file}-wal").exists() or Path(f"{file}-journal").exists()
    mode = "mode=ro" if several else "mode=ro&immutable=1"
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(file))}?{mode}", uri=True)) as reader,
            closing(sqlite3.connect(part, isolation_level=None)) as writer,
        ):
            copied(reader, writer, "Reading")
            click.echo("Checking ...", err=True)
            faults = [row[0] for row in writer.execute("PRAGMA integrity_check(1)")]
    except sqlite3.DatabaseError as error:
        faults = [str(error)]
    if faults != ["ok"]:
        raise click.ClickException(f"{file} is damaged: {faults[0].splitlines()[-1]}; nothing was restored.")
    found = wired(file, Database(URL.create("sqlite", database=str(part)).render_as_string()))
    settle(part)
    return found


def wired(file: Path, copy: Database) -> str:
    """Migrates the copy if need be, and gives its wire a new id; returns the schema that it had."""
    try:
        found = migrate.revision(copy)
        if found is None:
            raise click.ClickException(f"{file} holds no wire; nothing was restored.")
        migrate.upgrade(copy.url.render_as_string())
        with copy.begin() as connection:
            connection.execute(wire.renaming())
    except DatabaseError as error:
        raise click.ClickException(f"{file} cannot be restored. {error}") from None
    finally:
        copy.dispose()
    return found


@contextmanager
def alone(target: Path) -> Iterator[sqlite3.Connection]:
    """A connection that keeps everybody else out; raises when somebody is in."""
    with closing(sqlite3.connect(target, 1.0, isolation_level=None)) as connection:
        try:
            # Leaving WAL takes that nobody else has the file open, and puts the -wal into it.
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise click.ClickException(
                f"{target} is in use ({error}): stop the servers and workers, and whatever else has it open."
            ) from None
        yield connection
