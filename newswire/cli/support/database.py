"""The database of the settings, checked and opened for a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from newswire.config import Settings
from newswire.search.rebuild import check_index
from newswire.store import migrate
from newswire.store.database import Database


@contextmanager
def open_database() -> Iterator[Database]:
    """Opens a database with a current schema and a usable index; raises `SettingsError` or `DatabaseError`."""
    database = Database(Settings.from_env().database_url)
    try:
        migrate.check(database)
        with database.read() as connection:
            check_index(connection)
        yield database
    finally:
        database.dispose()
