"""The database that a command works on: the one of the settings, reachable, its schema current, its index usable."""

from collections.abc import Iterator
from contextlib import contextmanager

from newswire.config import Settings
from newswire.search.rebuild import check_index
from newswire.store import migrate
from newswire.store.database import Database


@contextmanager
def open_database() -> Iterator[Database]:
    """Raises `SettingsError` or `DatabaseError` with a sentence that says what to do."""
    database = Database(Settings.from_env().database_url)
    try:
        migrate.check(database)
        with database.read() as connection:
            check_index(connection)
        yield database
    finally:
        database.dispose()
