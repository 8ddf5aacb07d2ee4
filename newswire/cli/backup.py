"""`newswire backup` and `newswire restore`; how each engine copies is in its `copy` module in the store."""

import time
from pathlib import Path
from typing import NamedTuple

import click
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DBAPIError

from newswire import wire
from newswire.cli.support.database import open_database, update_index
from newswire.cli.support.output import json_option, print_notice, print_result
from newswire.cli.support.progress import show_progress
from newswire.client.files import OWNER_MODE, atomic_file, sync_path
from newswire.config import Settings
from newswire.store import migrate
from newswire.store.backend import DatabaseError, RestoreSteps
from newswire.store.database import Database, public_url
from newswire.store.tables import entry

NEW_ID = (
    "The wire has a new id. Readers that follow it get an error (409 wire_changed, or cursor_ahead) and have to begin"
    " again: `newswire pull --restart`, or GET /v1/changes from start=oldest. Keys are those of the backup: see"
    " `newswire key list`."
)


class CopySummary(NamedTuple):
    """The contents of a copy, for the result of both commands."""

    wire: str
    head: int
    entries: int


def summarize_copy(connection: Connection) -> CopySummary:
    head = wire.read_head(connection)
    return CopySummary(head.wire, head.seq, connection.execute(select(func.count()).select_from(entry)).scalar_one())


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def backup_command(file: Path, force: bool, as_json: bool) -> None:
    """Copy the database to FILE, as it is at one moment, while it goes on serving.

    On SQLite FILE is a complete database; on PostgreSQL it is an archive of pg_dump, which has to be installed,
    in the server's version or a newer one. FILE holds embargoed articles, so only its owner can read it.
    It appears when the copy is complete.

    \b
    newswire backup /var/backups/newswire-$(date +%F).backup
    """
    began = time.monotonic()
    with open_database() as database:
        database.backend.refuse_copy_to(file)
        if file.exists() and not force:
            raise click.ClickException(f"{file} is there already; name another file, or replace it with --force.")
        # SQLite would replay the journal of another database when it opens the copy.
        for stray in (Path(f"{file}{suffix}") for suffix in ("-wal", "-journal")):
            if stray.exists():
                raise click.ClickException(f"{stray} would be taken for a part of {file}; name another file.")
        with atomic_file(file, OWNER_MODE) as part:
            # Both read in one transaction, so the counts are those of the copy.
            with database.read() as connection:
                summary = summarize_copy(connection)
                database.backend.copy_out(connection, part, show_progress)
            size = part.stat().st_size
        sync_path(file.parent)
    seconds = time.monotonic() - began
    sentence = f"{file}: {summary.entries:,} entries, head {summary.head:,}, {size:,} bytes; {seconds:.1f} seconds."
    value = {"file": str(file), **summary._asdict(), "size_bytes": size, "seconds": round(seconds, 3)}
    print_result(sentence, value, as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a SQLite database that is not empty.")
@json_option
def restore_command(file: Path, force: bool, as_json: bool) -> None:
    """Put the wire of FILE, made by `newswire backup`, into the database that NEWSWIRE_DATABASE_URL names.

    Stop the servers first. The database has to be empty or, with SQLite, not there at all; --force replaces a
    SQLite database that is in use by no process. FILE is checked before, and an older schema is migrated. However it
    ends, also by Ctrl-C, kill or power cut, the database is as it was before or completely restored.

    Restore only backups of your own: FILE is trusted. An archive of PostgreSQL is run by psql, with all rights of the
    database role, and the keys in FILE open the wire.

    The restored wire keeps its entries and gets a new id, because what it published after the backup is lost and
    those numbers are given out again: readers that follow it get an error, and have to begin again.
    """
    database = Database.of_settings(Settings.from_env())
    address = public_url(database.url)
    try:
        if list_tables(database):
            if not (force and database.backend.restores_over):
                raise click.ClickException(f"{address} is not empty; {database.backend.not_empty_advice}")
            print_notice(f"--force: all that is in {address} is replaced by what is in {file}.")
        print_notice(f"{file} is trusted as a backup of your own: {database.backend.restore_trust}.")
        before = database.backend.copy_in(file, restore_steps(database))
        database.damage.clear()
        with database.read() as connection:
            summary = summarize_copy(connection)
    finally:
        database.dispose()
    value = {"file": str(file), "database": address, "schema_before": before, **summary._asdict()}
    print_result(f"{address} holds {summary.entries:,} entries, head {summary.head:,}. {NEW_ID}", value, as_json)


def list_tables(database: Database) -> list[str]:
    """The tables of a database, none if it does not exist; raises `DatabaseError` for one that cannot hold a wire."""
    if not database.backend.exists():
        return []
    try:
        with database.engine.connect() as connection:
            database.backend.check_session(connection)
            names = inspect(connection).get_table_names()
            if not names:
                database.backend.check_encoding(connection)
            return names
    except DBAPIError as error:
        reason = database.backend.describe_failure(error)
        advice = database.backend.damaged_advice
        raise DatabaseError(f"The database {public_url(database.url)} cannot be used: {reason}.{advice}") from error
    finally:
        # A restore needs a database without connections, and the pool would keep this one.
        database.dispose()


def restore_steps(database: Database) -> RestoreSteps:
    rename_wire = wire.new_wire_statement().compile(database.engine, compile_kwargs={"literal_binds": True})
    return RestoreSteps(
        refuse_newer=lambda schema: migrate.refuse_newer(schema, migrate.needed()),
        upgrade=upgrade_wire,
        rename_wire=str(rename_wire),
        show_progress=show_progress,
        say=print_notice,
    )


def upgrade_wire(url: str) -> str | None:
    """Migrates the wire at a database URL and its search index; returns the schema that it had, None if none."""
    database = Database(url)
    try:
        schema = migrate.revision(database)
        if schema is not None:
            migrate.upgrade(url)
            update_index(database)
    finally:
        database.dispose()
    return schema
