"""A database that goes back to an earlier state of itself, as after a failover to a standby that lagged.

The wire keeps its id: what is put back is a plain copy, and not `newswire restore`, which gives a new one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, make_url

from tests.support.postgres import connect, drop


class SavedCopy:
    """A copy of a database as it was when this was made."""

    def __init__(self, database_url: str) -> None:
        self.url = make_url(database_url)
        self.name = f"{self.url.database}_saved_{uuid4().hex[:8]}"
        if self.url.get_backend_name() == "sqlite":
            copy_pages(str(self.url.database), self.name)
        else:
            self._copy_database(str(self.url.database), self.name)

    def put_back(self) -> None:
        """Replaces the database by the copy while others have it open; on PostgreSQL their connections break."""
        if self.url.get_backend_name() == "sqlite":
            copy_pages(self.name, str(self.url.database))
            return
        with closing(connect(self._server())) as server:
            drop(server, str(self.url.database))
        self._copy_database(self.name, str(self.url.database))

    def close(self) -> None:
        if self.url.get_backend_name() == "sqlite":
            Path(self.name).unlink()
            return
        with closing(connect(self._server())) as server:
            drop(server, self.name)

    def _server(self) -> URL:
        return self.url.set(database="postgres")

    def _copy_database(self, source: str, target: str) -> None:
        """Copies a database, to which nobody can connect meanwhile: PostgreSQL demands that."""
        allow = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
        with closing(connect(self._server())) as server:
            server.execute(SQL(allow).format(Identifier(source), SQL("false")))
            try:
                server.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [source]
                )
                copy = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
                server.execute(copy.format(Identifier(target), Identifier(source)))
            finally:
                server.execute(SQL(allow).format(Identifier(source), SQL("true")))


def copy_pages(source: str, target: str) -> None:
    """Copies a SQLite database into another file, in one transaction of the target."""
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)


@contextmanager
def saved_copy(database_url: str) -> Iterator[SavedCopy]:
    """A copy of the database as it is now; gone after the block."""
    copy = SavedCopy(database_url)
    try:
        yield copy
    finally:
        copy.close()
