"""The tables of the floor on both engines, and every statement on them, written by hand for the engine."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import psycopg
from sqlalchemy import make_url

BODIES = ("body_html", "body_text")
TOGETHER = 500


class Row(NamedTuple):
    """An article; its `text` is only searched. A later `position` is newer."""

    position: int
    id: str
    rendered: bytes
    body: bytes
    text: str


class Store(Protocol):
    """What the floor asks of an engine. Every thread has a connection of its own."""

    def page(self, before: int, limit: int) -> Sequence[tuple[int, bytes]]: ...
    def newest(self) -> int: ...
    def one(self, id: str) -> tuple[bytes, bytes]: ...
    def search(self, query: str, limit: int) -> Iterable[bytes]: ...
    def changes(self, after: int, limit: int) -> Sequence[tuple[bytes, bytes]]: ...
    def insert(self, rows: Sequence[Row]) -> None: ...
    def settle(self) -> None: ...


class SQLite(threading.local):
    """The rowid of the full-text index is the position, so that the newest matches come first by themselves."""

    SCHEMA = (
        "CREATE TABLE article (position INTEGER PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE,"
        " rendered BLOB NOT NULL, body BLOB NOT NULL)",
        "CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61')",
    )
    SEARCH = (
        "SELECT rendered FROM article JOIN (SELECT rowid AS position FROM words WHERE words MATCH ?"
        " ORDER BY rowid DESC LIMIT ?) USING (position) ORDER BY position DESC"
    )
    WRITING = threading.Lock()

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(str(make_url(url).database), isolation_level=None, timeout=30)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")

    def page(self, before: int, limit: int) -> Sequence[tuple[int, bytes]]:
        wanted = "SELECT position, rendered FROM article WHERE position < ? ORDER BY position DESC LIMIT ?"
        return self.connection.execute(wanted, (before, limit)).fetchall()

    def newest(self) -> int:
        return int(self.connection.execute("SELECT max(position) FROM article").fetchone()[0])

    def one(self, id: str) -> tuple[bytes, bytes]:
        wanted = "SELECT rendered, body FROM article WHERE id = ?"
        return tuple(self.connection.execute(wanted, (id,)).fetchone())

    def search(self, query: str, limit: int) -> Iterable[bytes]:
        return (each for (each,) in self.connection.execute(self.SEARCH, (query, limit)))

    def changes(self, after: int, limit: int) -> Sequence[tuple[bytes, bytes]]:
        wanted = "SELECT rendered, body FROM article WHERE seq > ? ORDER BY seq LIMIT ?"
        return self.connection.execute(wanted, (after, limit)).fetchall()

    def insert(self, rows: Sequence[Row]) -> None:
        articles = "INSERT INTO article SELECT ?, coalesce(max(seq), 0) + 1, ?, ?, ? FROM article"
        # Who waits for SQLite's own lock sleeps for too long; threads of one process need not.
        with self.WRITING:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(articles, [each[:4] for each in rows])
            words = [(each.position, each.text) for each in rows]
            self.connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", words)
            self.connection.execute("COMMIT")

    def settle(self) -> None:
        self.connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        self.connection.execute("ANALYZE")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgreSQL(threading.local):
    """Each reading is one statement in one round trip, as is the publication of one article."""

    SCHEMA = (
        "CREATE TABLE article (position bigint PRIMARY KEY, seq bigserial NOT NULL UNIQUE, id text NOT NULL UNIQUE,"
        " rendered bytea NOT NULL, body bytea NOT NULL, words tsvector NOT NULL)",
        "CREATE INDEX ON article USING gin (words)",
    )
    INSERT = (
        "INSERT INTO article (position, id, rendered, body, words) VALUES (%s, %s, %s, %s, to_tsvector('simple', %s))"
    )
    SEARCH = (
        "SELECT rendered FROM article WHERE words @@ websearch_to_tsquery('simple', %s) ORDER BY position DESC LIMIT %s"
    )

    def __init__(self, url: str) -> None:
        conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(conninfo, autocommit=True)

    def rows(self, wanted: str, *values: object) -> list[tuple[object, ...]]:
        return self.connection.execute(wanted.encode(), values, binary=True).fetchall()

    def page(self, before: int, limit: int) -> Sequence[tuple[int, bytes]]:
        wanted = "SELECT position, rendered FROM article WHERE position < %s ORDER BY position DESC LIMIT %s"
        return self.rows(wanted, before, limit)  # type: ignore[return-value]

    def newest(self) -> int:
        return int(self.rows("SELECT max(position) FROM article")[0][0])  # type: ignore[call-overload, no-any-return]

    def one(self, id: str) -> tuple[bytes, bytes]:
        return self.rows("SELECT rendered, body FROM article WHERE id = %s", id)[0]  # type: ignore[return-value]

    def search(self, query: str, limit: int) -> Iterable[bytes]:
        return [each for (each,) in self.rows(self.SEARCH, query, limit)]  # type: ignore[misc]

    def changes(self, after: int, limit: int) -> Sequence[tuple[bytes, bytes]]:
        wanted = "SELECT rendered, body FROM article WHERE seq > %s ORDER BY seq LIMIT %s"
        return self.rows(wanted, after, limit)  # type: ignore[return-value]

    def insert(self, rows: Sequence[Row]) -> None:
        if len(rows) == 1:
            self.connection.execute(self.INSERT, rows[0])
            return
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(self.INSERT, rows)

    def settle(self) -> None:
        self.connection.execute("VACUUM ANALYZE")


STORES: dict[str, type[SQLite] | type[PostgreSQL]] = {"sqlite": SQLite, "postgresql": PostgreSQL}


def opened(url: str) -> SQLite | PostgreSQL:
    return STORES[make_url(url).get_backend_name()](url)


def fill(url: str, rows: Iterable[Row]) -> None:
    """Makes the tables and puts the rows into them, in their order."""
    store = opened(url)
    for statement in store.SCHEMA:
        store.connection.execute(statement)
    rest = iter(rows)
    while some := list(islice(rest, TOGETHER)):
        store.insert(some)
    store.settle()
    store.connection.close()
