"""The two ways of writing prepared rows in bulk: SQLite and PostgreSQL. What is loaded is decided in `loading`."""

import pickle
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Table, event, insert, text

from bench.corpus import PUBLISHERS
from bench.preparing import SENDERS, Batch, Prepared
from newswire import wire
from newswire.accounts.publishers import add_publisher
from newswire.article import EntryType
from newswire.search import names
from newswire.search.languages import register_language
from newswire.search.postgres.writer import search_document
from newswire.search.sqlite.writer import ADD_PLACE, ADD_ROW, first_position
from newswire.store.database import Database
from newswire.store.migrate import upgrade
from newswire.store.tables import article, version

AT_ONCE = 1000
LOWEST = -(2**63)
# What is lost with the machine is loaded again, so nothing waits for the disk.
SQLITE_SETTINGS = ("synchronous=OFF", "cache_size=-400000", "wal_autocheckpoint=20000")
# What a GIN index is built from is a tree in memory: one that does not fit the processor's cache makes it eight times
# as slow (30,000 articles: 193 s with 256 MB and one process, 23 s with 4 MB and three).
POSTGRES_SETTINGS = ("synchronous_commit = off", "session_replication_role = replica", "maintenance_work_mem = '4MB'",
                     "max_parallel_maintenance_workers = 2")  # fmt: skip
GIN_INDEXES = text(
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'search_document' AND indexdef ~ 'USING gin'"
)


class Loader:
    """Loads one empty, not yet migrated database: every batch in order, then `finish`, then `close`."""

    def __init__(self, url: str) -> None:
        upgrade(url)
        self.database = Database(url)
        self.known: set[str] = set()
        self.languages: set[str] = set()
        with self.database.begin() as connection:
            for slug in PUBLISHERS:
                name, address, language = SENDERS[slug][2:5]
                assert add_publisher(connection, slug, name, address, language, 0) == SENDERS[slug]

    def add(self, batch: Batch) -> None:
        """One transaction, as of one `publish_transaction`."""
        with self.database.begin() as connection:
            first = wire.read_head(connection).seq + 1
            told = [{**item.article, "seq": seq} for seq, item in enumerate(batch.articles, first)]
            self.write(connection, article, told)
            self.write(connection, version, [item.version for item in batch.articles])
            self.index(connection, batch.articles)
            self.learn(connection, batch.articles)
            published = [
                wire.NewEntry(EntryType.PUBLISHED, item.article["number"], 1, item.version["digest"])
                for item in batch.articles
            ]
            assert wire.append_entries(connection, published, batch.now)[0] == first

    def learn(self, connection: Connection, articles: Sequence[Prepared]) -> None:
        """Languages and labels that were not met before."""
        for language in sorted({language for item in articles for language in item.spoken} - self.languages):
            register_language(connection, language)
            self.languages.add(language)
        new = [label for item in articles for label in item.labels if label.term not in self.known]
        names.add_labels(connection, new)
        self.known.update(label.term for label in new)

    def write(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows into a table."""
        raise NotImplementedError

    def index(self, connection: Connection, articles: Sequence[Prepared]) -> None:
        """The articles into the search index, now or in `finish`."""
        raise NotImplementedError

    def finish(self) -> Iterator[str]:
        """Does what is done best at the end; yields what it is about to do."""
        raise NotImplementedError

    def close(self) -> None:
        self.database.dispose()


class SqliteLoader(Loader):
    """FTS5 begins a new segment for each row number below the one before, so its rows wait in a file."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.starts, self.published = array("q"), array("q")
        event.listen(self.database.engine, "connect", faster_sqlite)
        self.database.engine.dispose()

    def write(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        connection.execute(insert(table), rows)

    def index(self, connection: Connection, articles: Sequence[Prepared]) -> None:
        for item in articles:
            self.starts.append(self.spool.tell())
            self.published.append(item.article["published_at"])
            pickle.dump(item.search["sqlite"], self.spool)

    def finish(self) -> Iterator[str]:
        for count, rows in enumerate(portions(self.rows())):
            if count % 20 == 0:
                yield f"SQLite: search index, {count * AT_ONCE:,} of {len(self.starts):,}"
            with self.database.begin() as connection:
                ADD_PLACE.execute_many(connection, rows)
                ADD_ROW.execute_many(connection, rows)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the index in the order of publication, with their places."""
        position = LOWEST
        for each in sorted(range(len(self.starts)), key=self.published.__getitem__):
            self.spool.seek(self.starts[each])
            position = max(position + 1, first_position(self.published[each]))
            yield {**pickle.load(self.spool), "position": position, "number": each + 1}

    def close(self) -> None:
        self.spool.close()
        super().close()


class PostgresLoader(Loader):
    """COPY into all tables; the GIN indexes are dropped first and built at the end."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        event.listen(self.database.engine, "connect", faster_postgres)
        self.database.engine.dispose()
        with self.database.begin() as connection:
            self.indexes = connection.execute(GIN_INDEXES).all()
            for row in self.indexes:
                connection.exec_driver_sql(f"DROP INDEX {row.indexname}")

    def write(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        names = [column.name for column in table.columns]
        into = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), SQL(", ").join(map(Identifier, names)))
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])

    def index(self, connection: Connection, articles: Sequence[Prepared]) -> None:
        self.write(connection, search_document, [item.search["postgresql"] for item in articles])

    def finish(self) -> Iterator[str]:
        with self.database.begin() as connection:
            for row in self.indexes:
                yield f"PostgreSQL: {row.indexname}"
                connection.exec_driver_sql(row.indexdef)
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('article', 'number'), (SELECT max(number) FROM article))"
            )
        yield "PostgreSQL: VACUUM ANALYZE"
        alone = self.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")


LOADERS = {"sqlite": SqliteLoader, "postgresql": PostgresLoader}


def faster_sqlite(connection: Any, record: Any) -> None:
    for setting in SQLITE_SETTINGS:
        connection.execute(f"PRAGMA {setting}").close()


def faster_postgres(connection: Any, record: Any) -> None:
    for setting in POSTGRES_SETTINGS:
        connection.execute(f"SET {setting}")
    connection.commit()


def portions(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """So many at once as go into one transaction."""
    while some := list(islice(rows, AT_ONCE)):
        yield some
