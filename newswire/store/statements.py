"""Statements that are put together once and sent to the driver as they are.

SQLAlchemy writes them; at each execution its own machinery (looking up what was compiled, rows, types) takes
about 0.1 ms, several times what the database takes for a row. So the statements of the hot paths are
`Prepared`. They hold whole numbers, texts and bytes only, which both drivers take and give as they are.
What a driver says of a failure comes as the error that SQLAlchemy makes of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

from newswire.store import driver_errors

BIGINT = 20
"""The type, as PostgreSQL numbers them."""
BINARY, TUPLES_OK = 1, 2
"""A format, and what a result with rows says of itself (libpq-fe.h)."""


class Sent(NamedTuple):
    """A statement in the words of one driver; `names` are its values in order, None where the driver takes names."""

    text: str
    names: Sequence[str] | None
    values: Mapping[str, Any]


class Prepared:
    """A statement of SQLAlchemy's with named values (`bindparam`), none of them a list to be expanded."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._sent: dict[str, Sent] = {}

    @cached_property
    def row(self) -> Any:
        """The type of a row: its columns by name."""
        names = [column.key for column in self.statement.exported_columns]
        return NamedTuple("Found", [(name, Any) for name in names])

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Every row, its columns by name; of a statement that writes, what it returns."""
        # As its `_make` does, which is written in Python and counts the columns of each row.
        return list(map(partial(tuple.__new__, self.row), self.execute(connection, values)))

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor."""
        sent = self._sent.get(connection.dialect.name) or self.compiled(connection.dialect)
        try:
            if sent.names is None:
                # Bytes come as they are; as text they would be twice as long.
                return driver(connection).execute(sent.text, given(sent, values), binary=True)
            return driver(connection).execute(sent.text, given(sent, values))
        except driver_errors.errors() as error:
            raise told(connection, sent, error) from error

    def glimpse(self, connection: Connection) -> tuple[Any, ...]:
        """The one row of a statement without values; outside of any transaction.

        On PostgreSQL libpq is asked itself: psycopg's way takes five times as long as the server.
        """
        sent = self._sent.get(connection.dialect.name) or self.compiled(connection.dialect)
        if sent.names is not None:
            found: tuple[Any, ...] = self.execute(connection, {}).fetchone()
            return found
        asked, name = driver(connection).pgconn, name_of(sent.text)
        try:
            result = asked.exec_prepared(name, None, None, BINARY)
            if result.status == TUPLES_OK:
                return tuple(
                    read(result.get_value(0, column), result.ftype(column)) for column in range(result.nfields)
                )
            # It is not prepared there (any more), or the server has gone, for which psycopg has words.
            found = self.execute(connection, {}).fetchone()
            asked.prepare(name, sent.text.encode())
        except driver_errors.errors() as error:
            raise told(connection, sent, error) from error
        return found

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Executes a statement that returns nothing for each of the `rows`, in their order and in one go."""
        if len(rows) == 1:
            self.execute(connection, rows[0])
            return
        sent = self._sent.get(connection.dialect.name) or self.compiled(connection.dialect)
        try:
            driver(connection).cursor().executemany(sent.text, [given(sent, values) for values in rows])
        except driver_errors.errors() as error:
            raise told(connection, sent, error) from error

    def compiled(self, dialect: Dialect) -> Sent:
        made = self.statement.compile(dialect=dialect)
        sent = Sent(made.string, made.positiontup, made.params)
        self._sent[dialect.name] = sent
        return sent


def read(value: bytes, kind: int) -> int | str:
    """A value as PostgreSQL sends it in binary: a bigint or a text."""
    return int.from_bytes(value, "big", signed=True) if kind == BIGINT else value.decode()


@cache
def name_of(text: str) -> bytes:
    """The same for one statement in every process: behind a pooler they may meet on one connection."""
    return b"newswire_" + hashlib.sha256(text.encode()).hexdigest()[:16].encode()


def driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.dbapi_connection


def given(sent: Sent, values: Mapping[str, Any]) -> Any:
    """The values as the driver takes them."""
    whole = {**sent.values, **values} if sent.values else values
    return whole if sent.names is None else [whole[name] for name in sent.names]


def told(connection: Connection, sent: Sent, error: Exception) -> Exception:
    """A driver's error as SQLAlchemy's; without the values, which are nobody's business."""
    module: Any = connection.dialect.dbapi
    return DBAPIError.instance(sent.text, None, error, module.Error, dialect=connection.dialect)
