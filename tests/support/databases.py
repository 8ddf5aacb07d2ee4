"""New databases: copies of a migrated, empty one, or of one that a module has filled."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import make_url

from tests.support.postgres import new_database

ENGINES = ["sqlite", "postgresql"]


@contextmanager
def empty_database(request: pytest.FixtureRequest, engine: str) -> Iterator[str]:
    """The URL of a new, migrated, empty database on one of the `ENGINES`; gone after the block."""
    with copied_database(request, request.getfixturevalue(f"{engine}_template")) as url:
        yield url


@contextmanager
def copied_database(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    """The URL of a copy of the database at the URL `template`, to which nobody may be connected; gone after it."""
    source = make_url(template)
    assert source.database
    if source.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(source.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        folder = request.getfixturevalue("tmp_path_factory").mktemp("database")
        copy = folder / "newswire.db"
        # Before the content comes: a database that others can read makes `newswire serve` warn.
        copy.touch(0o600)
        yield f"sqlite:///{shutil.copyfile(source.database, copy)}"
        shutil.rmtree(folder)
    else:
        with new_database(request.getfixturevalue("postgres_url"), source.database) as url:
            yield url
