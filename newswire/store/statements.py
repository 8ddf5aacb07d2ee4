"""Statements that SQLAlchemy compiles once and that then go straight to the DBAPI driver.

At each execution SQLAlchemy's own machinery (looking up the compiled form, rows, types) takes about 0.1 ms, several
times what the database takes for a row: 131 µs against 29 µs for the same row. So the hot paths use `Statement`. It
holds whole numbers, texts and bytes only, which both drivers take and give as they are. Driver errors are raised as
the errors that SQLAlchemy makes of them.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import DBAPIError

from newswire.store.backend import Backend, backend_of, driver_connection


class CompiledStatement(NamedTuple):
    """SQL for one driver. `names` are its values in order, None where the driver takes them by name."""

    text: str
    names: Sequence[str] | None
    values: Mapping[str, Any]


class Statement:
    """A statement of SQLAlchemy's with named values (`bindparam`), none of them a list to be expanded."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._compiled: dict[str, CompiledStatement] = {}

    @cached_property
    def row(self) -> Any:
        """The type of a row: its columns by name."""
        names = [column.key for column in self.statement.exported_columns]
        return NamedTuple("Row", [(name, Any) for name in names])

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Every row, its columns by name; of a statement that writes, what it returns."""
        # As `row._make` does, which is written in Python and counts the columns of each row.
        return list(map(partial(tuple.__new__, self.row), self.execute(connection, values)))

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor."""
        backend, compiled = self.compiled_for(connection)
        try:
            return backend.execute(driver_connection(connection), compiled.text, bind_values(compiled, values))
        except backend.errors as error:
            raise as_sqlalchemy_error(connection, compiled, error) from error

    def fetch_single_row(self, connection: Connection) -> tuple[Any, ...]:
        """The one row of a statement without values, outside of any transaction, at the least cost."""
        backend, compiled = self.compiled_for(connection)
        try:
            return backend.fetch_single_row(driver_connection(connection), compiled.text)
        except backend.errors as error:
            raise as_sqlalchemy_error(connection, compiled, error) from error

    def execute_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Executes a statement that returns nothing for each of the `rows`, in their order and in one batch."""
        if len(rows) == 1:
            self.execute(connection, rows[0])
            return
        backend, compiled = self.compiled_for(connection)
        batch = [bind_values(compiled, values) for values in rows]
        try:
            driver_connection(connection).cursor().executemany(compiled.text, batch)
        except backend.errors as error:
            raise as_sqlalchemy_error(connection, compiled, error) from error

    def compiled_for(self, connection: Connection) -> tuple[Backend, CompiledStatement]:
        """The backend of a connection, and this statement in its SQL."""
        backend = backend_of(connection)
        compiled = self._compiled.get(backend.name)
        if compiled is None:
            made = self.statement.compile(dialect=connection.dialect)
            compiled = self._compiled[backend.name] = CompiledStatement(made.string, made.positiontup, made.params)
        return backend, compiled


def bind_values(compiled: CompiledStatement, values: Mapping[str, Any]) -> Any:
    """The values as the driver takes them."""
    whole = {**compiled.values, **values} if compiled.values else values
    return whole if compiled.names is None else [whole[name] for name in compiled.names]


def as_sqlalchemy_error(connection: Connection, compiled: CompiledStatement, error: Exception) -> Exception:
    """A driver's error as SQLAlchemy's, without the values, which may be confidential."""
    module: Any = connection.dialect.dbapi
    return DBAPIError.instance(compiled.text, None, error, module.Error, dialect=connection.dialect)


def insert_or_ignore(table: Table) -> Insert:
    """INSERT … ON CONFLICT DO NOTHING. SQLite's syntax is PostgreSQL's, so one construct serves both."""
    return Insert(table).on_conflict_do_nothing()
