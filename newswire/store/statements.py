"""Statements that SQLAlchemy compiles once and that then go directly to the DBAPI driver.

At each execution SQLAlchemy itself (cache of compiled statements, rows, types) takes about 0.1 ms, several times the
work of the database: measured, 131 µs instead of 29 µs for one row. So the hot paths use `Statement`. Its values and
results are integers, texts and bytes only, which both drivers pass unchanged, so it needs no type conversion. Driver
errors are raised as SQLAlchemy's exceptions. Not here: what a statement selects.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import DBAPIError

from newswire.store.backend import Backend, backend_of, driver_connection


class CompiledStatement(NamedTuple):
    """SQL for one driver. `names` are the parameters in order; None if the driver takes them by name."""

    text: str
    names: Sequence[str] | None
    values: Mapping[str, Any]


class Statement:
    """A statement of SQLAlchemy with named parameters (`bindparam`), none of them an expanding list."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._compiled: dict[str, CompiledStatement] = {}

    @cached_property
    def row(self) -> Any:
        """The type of a row: a named tuple of its columns."""
        names = [column.key for column in self.statement.exported_columns]
        return NamedTuple("Row", [(name, Any) for name in names])

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Executes the statement and returns its rows as named tuples (of a write, those of RETURNING)."""
        # `row._make` does the same, but is written in Python and checks the number of columns of each row.
        return list(map(partial(tuple.__new__, self.row), self.execute(connection, values)))

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Executes the statement and returns the cursor of the driver."""
        backend, compiled = self.compiled_for(connection)
        try:
            return backend.execute(driver_connection(connection), compiled.text, bind_values(compiled, values))
        except backend.errors as error:
            raise as_sqlalchemy_error(connection, compiled, error) from error

    def fetch_single_row(self, connection: Connection) -> tuple[Any, ...]:
        """The one row of a statement without values, outside of any transaction, as fast as the driver allows."""
        backend, compiled = self.compiled_for(connection)
        try:
            return backend.fetch_single_row(driver_connection(connection), compiled.text)
        except backend.errors as error:
            raise as_sqlalchemy_error(connection, compiled, error) from error

    def execute_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Executes a statement without a result for each of the `rows`, in their order and in one batch."""
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
        """The backend of a connection, and the statement compiled for it.

        Two threads may compile it at the same time; both results are the same, so no lock is needed.
        """
        backend = backend_of(connection)
        compiled = self._compiled.get(backend.name)
        if compiled is None:
            made = self.statement.compile(dialect=connection.dialect)
            compiled = self._compiled[backend.name] = CompiledStatement(made.string, made.positiontup, made.params)
        return backend, compiled


def bind_values(compiled: CompiledStatement, values: Mapping[str, Any]) -> Any:
    """The values in the form that the driver takes: by name or in order."""
    whole = {**compiled.values, **values} if compiled.values else values
    return whole if compiled.names is None else [whole[name] for name in compiled.names]


def as_sqlalchemy_error(connection: Connection, compiled: CompiledStatement, error: Exception) -> Exception:
    """The exception of SQLAlchemy for a driver error, without the values, which may be confidential."""
    module: Any = connection.dialect.dbapi
    return DBAPIError.instance(compiled.text, None, error, module.Error, dialect=connection.dialect)


def insert_or_ignore(table: Table) -> Insert:
    """INSERT … ON CONFLICT DO NOTHING. SQLite's syntax is PostgreSQL's, so one construct serves both."""
    return Insert(table).on_conflict_do_nothing()
