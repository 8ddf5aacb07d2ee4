"""`newswire backup` and `newswire restore`; how a database system copies is in its `copy` module in the store."""

import time
from pathlib import Path
from typing import NamedTuple

import click
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DBAPIError

from newswire import wire
from newswire.cli.support.database import opened_database
from newswire.cli.support.index import update_index
from newswire.cli.support.output import json_option, tell
from newswire.cli.support.progress import progress
from newswire.client.files import OWNER, arriving, sync
from newswire.config import Settings
from newswire.store import migrate
from newswire.store.backend import DatabaseError, RestoreSteps
from newswire.store.database import Database, public_url
from newswire.store.tables import entry

FORCED = "--force: all that is in {place} is replaced by what is in {file}."
TELL_THEM = (
    "The wire has a new id. Whoever follows it is told (409 wire_changed, or cursor_ahead) and has to begin again:"
    " `newswire pull --restart`, or GET /v1/changes from start=oldest. Keys are those of the backup: see"
    " `newswire key list`."
)
file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


class Summary(NamedTuple):
    """What a copy holds."""

    wire: str
    head: int
    entries: int


def summary(connection: Connection) -> Summary:
    head = wire.read_head(connection)
    return Summary(head.wire, head.seq, connection.execute(select(func.count()).select_from(entry)).scalar_one())


@click.command()
@file_argument
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def backup(file: Path, force: bool, as_json: bool) -> None:
    """Copy the database to FILE, as it is at one moment, while it goes on serving.

    SQLite gives a database file that stands by itself; PostgreSQL an archive of pg_dump, which has to be
    installed, in the server's version or a newer one. FILE holds embargoed articles: it is for its owner only.
    Half a copy never has the name.

    \b
    newswire backup /var/backups/newswire-$(date +%F).backup
    """
    began = time.monotonic()
    with opened_database() as database:
        database.backend.refuse_copy_to(file)
        if file.exists() and not force:
            raise click.ClickException(f"{file} is there already; name another file, or replace it with --force.")
        for stray in (Path(f"{file}{suffix}") for suffix in ("-wal", "-journal")):
            if stray.exists():
                raise click.ClickException(f"{stray} would be taken for a part of {file}; name another file.")
        with arriving(file, OWNER) as part:
            with database.read() as connection:
                held = summary(connection)
                database.backend.copy_out(connection, part, progress)
            size = part.stat().st_size
        sync(file.parent)
    seconds = time.monotonic() - began
    sentence = f"{file}: {held.entries:,} entries, head {held.head:,}, {size:,} bytes; {seconds:.1f} seconds."
    tell(sentence, {"file": str(file), **held._asdict(), "size_bytes": size, "seconds": round(seconds, 3)}, as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a SQLite database that is not empty.")
@json_option
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Put the wire of FILE, made by `newswire backup`, into the database that NEWSWIRE_DATABASE_URL names.

    Stop the servers first. The database has to be empty or, with SQLite, not there at all; --force replaces a
    SQLite database that is in use by nobody. FILE is checked before, and an older schema is migrated. However it
    ends, also by Ctrl-C, kill or power cut, the database is as it was before or wholly restored.

    The restored wire keeps its entries and gets a new id, because what it told after the backup is lost and its
    numbers are given out again: whoever follows it is told, and has to begin again.
    """
    database = Database(Settings.from_env().database_url)
    place = public_url(database.url)
    try:
        if tables(database):
            if not (force and database.backend.restores_over):
                raise click.ClickException(f"{place} is not empty; {database.backend.not_empty_advice}")
            click.echo(FORCED.format(place=place, file=file), err=True)
        before = database.backend.copy_in(file, restore_steps(database))
        with database.read() as connection:
            held = summary(connection)
    finally:
        database.dispose()
    told = {"file": str(file), "database": place, "schema_before": before, **held._asdict()}
    tell(f"{place} holds {held.entries:,} entries, head {held.head:,}. {TELL_THEM}", told, as_json)


def tables(database: Database) -> list[str]:
    """The tables that are there; raises `DatabaseError` for what cannot be read, or could not hold a wire."""
    if not database.backend.exists():
        return []
    try:
        with database.engine.connect() as connection:
            names = inspect(connection).get_table_names()
            if not names:
                database.backend.check_encoding(connection)
            return names
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0].rstrip(".")
        advice = database.backend.damaged_advice
        raise DatabaseError(f"The database {public_url(database.url)} cannot be used: {reason}.{advice}") from error
    finally:
        # A restore wants a database that nobody is connected to.
        database.dispose()


def restore_steps(database: Database) -> RestoreSteps:
    rename_wire = wire.new_wire_statement().compile(database.engine, compile_kwargs={"literal_binds": True})
    return RestoreSteps(
        refuse_newer=lambda schema: migrate.refuse_newer(schema, migrate.needed()),
        upgrade=upgrade_wire,
        rename_wire=str(rename_wire),
        show_progress=progress,
        say=lambda line: click.echo(line, err=True),
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
