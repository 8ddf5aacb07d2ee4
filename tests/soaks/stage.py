"""One wire to try: a fresh database, its server, callers with keys, and what must hold of it at the end."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, make_url

from newswire.accounts.keys import create_key
from newswire.accounts.partners import add_partner
from newswire.accounts.publishers import add_publisher
from newswire.store.database import Database
from newswire.timestamps import now
from tests.soaks.clients import Client
from tests.soaks.report import Report
from tests.soaks.servers import Server, run


@dataclass(frozen=True)
class Scale:
    """How much a soak does.

    Seconds of writing, kills, articles paged through, articles imported, rounds of repeats, damaged requests.
    """

    seconds: float
    kills: int
    articles: int
    imported: int
    rounds: int
    requests: int

    @classmethod
    def of(cls, seconds: float) -> Self:
        """The long form in proportion to `seconds`, never less than the short one."""
        share = seconds / 60
        return cls(
            seconds=max(seconds, SHORT.seconds),
            kills=max(round(50 * share), SHORT.kills),
            articles=max(round(50_000 * share), SHORT.articles),
            imported=max(round(12_000 * share), SHORT.imported),
            rounds=max(round(20 * share), SHORT.rounds),
            requests=max(round(200_000 * share), SHORT.requests),
        )


SHORT = Scale(seconds=2.0, kills=3, articles=1500, imported=600, rounds=1, requests=1000)


class Stage:
    """A migrated, empty database; `folder` is for files.

    `restart_database` crashes the database server and starts it again; None where there is none of ours.
    """

    def __init__(self, database_url: str, folder: Path, restart_database: Callable[[], None] | None = None) -> None:
        self.database_url = database_url
        self.folder = folder
        self.restart_database = restart_database
        self.engine = make_url(database_url).get_backend_name()
        self.server = Server(database_url, folder)
        self._clients: list[Client] = []

    @contextmanager
    def served(self) -> Iterator[Server]:
        """The server, which is gone after the block, as are the connections to it."""
        try:
            self.server.start()
            self.server.wait_until_ready()
            yield self.server
        finally:
            self.server.close()
            for client in self._clients:
                client.close()

    def publisher(self, slug: str) -> str:
        """The key of a new publisher."""
        with self._writing() as connection:
            add_publisher(connection, slug, slug.title(), None, "en", now())
            return create_key(connection, now=now(), publisher_slug=slug)

    def partner(self, slug: str, **limits: Sequence[str]) -> str:
        """The key of a new partner with this entitlement."""
        with self._writing() as connection:
            add_partner(connection, slug, slug.title(), limits, now())
            return create_key(connection, now=now(), partner_slug=slug)

    def admin(self) -> str:
        """The key of an admin."""
        with self._writing() as connection:
            return create_key(connection, now=now())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        database = Database(self.database_url)
        try:
            with database.begin() as connection:
                yield connection
        finally:
            database.dispose()

    def client(self, key: str) -> Client:
        """A caller with this key."""
        self._clients.append(Client(self.server, key))
        return self._clients[-1]

    def examine(self, report: Report) -> None:
        """What must hold of every wire at the end, its server gone: the chain, the files, no defect in the log."""
        verified = run(self.database_url, "verify")
        report.equal("newswire verify", (verified["whole"], verified["reason"]), (True, None))
        report.none("defects in the server's log", self.server.defects())
        if self.engine == "sqlite":
            report.equal("integrity of the SQLite file", integrity(str(make_url(self.database_url).database)), "ok")


def integrity(file: str) -> str:
    """What SQLite says of its file and of the full-text index in it: ok, or the first fault."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        said = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        try:
            connection.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            return f"{said}; full-text index: {error}"
    return said
