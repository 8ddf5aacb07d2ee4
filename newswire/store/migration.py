"""Creating and migrating the database, from a checkout and from an installed package alike."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

import newswire
from newswire.store.engine import Database, DatabaseError


def script_folder() -> Path:
    """`migrations/`: inside the installed package, or beside it in a checkout."""
    inside = Path(str(files(newswire))) / "migrations"
    return inside if inside.is_dir() else Path(newswire.__file__).resolve().parent.parent / "migrations"


def configuration(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_folder()).replace("%", "%%"))
    config.attributes["engine"] = database.engine
    return config


def upgrade(url: str) -> None:
    """Creates or migrates the database at `url`; raises `DatabaseError` with one sentence."""
    database = Database(url)
    try:
        command.upgrade(configuration(database), "head")
    except DBAPIError as error:
        raise DatabaseError(unusable(database, error)) from error
    finally:
        database.dispose()


def check(database: Database) -> None:
    """Raises `DatabaseError` unless the database is reachable and its schema is the one this code needs."""
    try:
        with database.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise DatabaseError(unusable(database, error)) from error
    wanted = ScriptDirectory.from_config(configuration(database)).get_current_head()
    if found is None:
        raise DatabaseError("The database is empty; create the tables with `newswire db upgrade`.")
    if found != wanted:
        raise DatabaseError(
            f"The database schema is at {found}, this version needs {wanted}; run `newswire db upgrade`."
        )


def unusable(database: Database, error: DBAPIError) -> str:
    reason = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    return f"The database {database.url.render_as_string(hide_password=True)} cannot be used: {reason}."
