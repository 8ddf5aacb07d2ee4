"""The creation and migration of the database schema, from a checkout or an installed package.

The migrations themselves are in `migrations/`, the rebuild of the search index in `newswire.search.rebuild`. Alembic is
imported only when there is something to migrate: it would cost every server process memory and time to start.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

import newswire
from newswire.store.backend import DatabaseError
from newswire.store.database import Database, public_url


def script_folder() -> Path:
    """The path of `migrations/`: inside the installed package, or beside it in a checkout."""
    inside = Path(str(files(newswire))) / "migrations"
    return inside if inside.is_dir() else Path(newswire.__file__).resolve().parent.parent / "migrations"


def configuration(connection: Connection) -> Any:
    """Alembic's configuration for migrations in the transaction of `connection`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(url: str, *, pooler: bool = False) -> tuple[str | None, str]:
    """Creates or migrates the tables of the database at `url`; returns its schema before (None: empty) and after.

    An older search index must be rebuilt afterwards (`newswire.search.rebuild`). Raises `DatabaseError`.
    """
    database = Database(url, pooler=pooler)
    wanted = needed()
    try:
        refuse_other_encodings(database)
        found = revision(database)
        refuse_newer(found, wanted)
        if found != wanted:
            migrate(database, found)
    except DBAPIError as error:
        raise DatabaseError(unusable(database, error)) from error
    finally:
        database.dispose()
    return found, wanted


def migrate(database: Database, found: str | None, wanted: str = "head") -> None:
    """Runs the migrations from the schema `found` to `wanted`.

    The look at the current schema and the migrations are one transaction under a lock: of two processes that start
    together on one empty database, the second waits and then finds nothing to do.
    """
    from alembic import command
    from alembic.util import CommandError

    with database.engine.execution_options(newswire_write=True).begin() as connection:
        database.backend.lock_migrations(connection)
        try:
            command.upgrade(configuration(connection), wanted)
        except CommandError:
            raise DatabaseError(f"The database schema is at {found}, which no version of Newswire has made.") from None


def refuse_other_encodings(database: Database) -> None:
    """Raises `DatabaseError` for a database whose encoding cannot store every character of Unicode."""
    with database.engine.connect() as connection:
        database.backend.check_encoding(connection)


def check_durability(database: Database, durability: str) -> None:
    """Raises `DatabaseError` unless a reachable database has the NEWSWIRE_DURABILITY that is demanded."""
    if durability == "replicated":
        with database.engine.connect() as connection:
            database.backend.check_replication(connection)


def check(database: Database) -> None:
    """Raises `DatabaseError` unless the database is reachable and has the schema that this code needs."""
    if not database.backend.exists():
        raise DatabaseError(f"There is no database {database.url.database}; create it with `newswire db upgrade`.")
    try:
        found = revision(database)
    except DBAPIError as error:
        database.damage.note_failure(error)
        raise DatabaseError(unusable(database, error)) from error
    if found is None:
        raise DatabaseError("The database is empty; create the tables with `newswire db upgrade`.")
    wanted = needed()
    refuse_newer(found, wanted)
    if found != wanted:
        raise DatabaseError(
            f"The database schema is at {found}, this version needs {wanted}; run `newswire db upgrade`."
        )


def revision(database: Database) -> str | None:
    """The schema of the database, such as `0009`; None without tables. Raises `DatabaseError` for a hidden pooler."""
    with database.engine.connect() as connection:
        database.backend.check_session(connection)
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def needed() -> str:
    """The schema that this code needs: the highest revision. Revisions are consecutive numbers of four digits."""
    return max(path.name[:4] for path in (script_folder() / "versions").glob("[0-9]*.py"))


def refuse_newer(found: str | None, wanted: str) -> None:
    if found is not None and found > wanted:
        raise DatabaseError(
            f"The database schema is at {found}, newer than the {wanted} of this version of Newswire;"
            " install the version that it was migrated with."
        )


def unusable(database: Database, error: DBAPIError) -> str:
    return f"The database {public_url(database.url)} cannot be used: {database.backend.describe_failure(error)}."
