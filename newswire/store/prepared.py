"""Statements that are put together once and sent to the driver as they are.

SQLAlchemy writes them; at each execution its own machinery (looking up what was compiled, rows, types) takes
about 0.1 ms, several times what the database takes for a row. So the statements of the hot paths are
`Prepared`. They hold whole numbers, texts and bytes only, which both drivers take and give as they are.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect


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
        names = [column.key for column in self.statement.selected_columns]
        return NamedTuple("Found", [(name, Any) for name in names])

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Every row, its columns by name."""
        return list(map(self.row._make, self.execute(connection, values)))

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor."""
        sent = self._sent.get(connection.dialect.name) or self.compiled(connection.dialect)
        given = {**sent.values, **values} if sent.values else values
        if sent.names is None:
            # Bytes come as they are; as text they would be twice as long.
            return driver(connection).execute(sent.text, given, binary=True)
        return driver(connection).execute(sent.text, [given[name] for name in sent.names])

    def compiled(self, dialect: Dialect) -> Sent:
        made = self.statement.compile(dialect=dialect)
        sent = Sent(made.string, made.positiontup, made.params)
        self._sent[dialect.name] = sent
        return sent


def driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.dbapi_connection
