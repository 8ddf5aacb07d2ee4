"""The database of a command: opened with a current schema, and its search index rebuilt in the foreground."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from newswire.cli.support.interrupts import INTERRUPTED
from newswire.cli.support.progress import show_progress
from newswire.config import Settings
from newswire.search.rebuild import check_index, count_outdated, rebuild_index
from newswire.search.remapping import count_unmapped, remap_articles
from newswire.store import migrate
from newswire.store.database import Database

STOPPED = "Stopped; {left:,} articles have still to be indexed. `newswire db upgrade` goes on from here."

STOPPED_MAPPING = (
    "Stopped; {left:,} articles have still to be mapped. The worker goes on with them, or the same command again."
)

WRITTEN_MEANWHILE = (
    "{left:,} articles were indexed by a server of another release meanwhile; stop it, and run"
    " `newswire db upgrade` again."
)


@contextmanager
def open_database(*, even_damaged: bool = False, deadlines: bool = False) -> Iterator[Database]:
    """Opens the database of the settings; raises `SettingsError`, `DatabaseError` or `DamageError`.

    Its schema must be current and its search index usable: only `db upgrade` and `serve` migrate. A database that is
    marked as damaged is opened only if `even_damaged`.
    """
    settings = Settings.from_env()
    database = Database.of_settings(settings, deadlines=deadlines)
    database.damage.is_ignored = even_damaged
    try:
        migrate.check(database)
        migrate.check_durability(database, settings.durability)
        with database.read() as connection:
            check_index(connection)
        yield database
    finally:
        database.dispose()


def update_index(database: Database) -> int:
    """Rebuilds the index rows of other versions, with a progress bar; returns the number of articles indexed.

    Ctrl-C ends the command with a sentence; the rows written until then stay.
    """
    if not count_outdated_rows(database):
        return 0
    done = show_rebuild("Indexing", rebuild_index(database), lambda: count_outdated_rows(database), STOPPED)
    if left := count_outdated_rows(database):
        click.echo(WRITTEN_MEANWHILE.format(left=left), err=True)
    return done


def update_mapping(database: Database) -> int:
    """Gives every article the subjects of its publisher's map, with a progress bar; returns the number of articles.

    Ctrl-C ends the command with a sentence; the articles mapped until then stay so.
    """
    return show_rebuild("Mapping", remap_articles(database), lambda: count_unmapped(database), STOPPED_MAPPING)


def show_rebuild(label: str, steps: Iterator[int], count_left: Callable[[], int], stopped: str) -> int:
    """Runs a rebuild that yields how many articles are done, with a progress bar; returns the last of these numbers.

    `stopped` is what Ctrl-C says; `count_left` are the articles that are still to be done.
    """
    total, done = count_left(), 0
    try:
        with show_progress(label, "articles", total) as show:
            for done in steps:
                show(done, min(done, total))
    except KeyboardInterrupt:
        click.echo(stopped.format(left=count_left()), err=True)
        raise SystemExit(INTERRUPTED) from None
    return done


def count_outdated_rows(database: Database) -> int:
    """The number of articles that a rebuild has to index, in a transaction of its own."""
    with database.read() as connection:
        return count_outdated(connection)
