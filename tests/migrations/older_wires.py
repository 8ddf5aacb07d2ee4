"""Wires as older releases have left them: rows of their time, put by plain SQL into the tables of their schema.

`wire.json` was written by the code of the first schema; the stems in `index.json`, which is the search index as it has
been since schema 0007, are those of `tests/search/older_stemmer`. Neither is ever changed: what a new schema adds
stands in `ADDED`.
"""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from newswire.store.database import Database
from newswire.store.migrate import migrate, script_folder

FOLDER = Path(__file__).resolve().parent
REVISIONS = sorted(path.name[:4] for path in (script_folder() / "versions").glob("[0-9]*.py"))
FIRST_INDEX = "0007"
"""The schema from which on the search index has the form that `index.json` holds."""

ADDED: dict[str, dict[str, Any]] = {
    "article": {"due_at": lambda row: row["embargoed_until"] if row["status"] == "withheld" else row["expires_at"]},
    "search_place": {"index_version": lambda row: "1/2.0.1"},
    "search_document": {"index_version": lambda row: "1/2.0.1"},
}
"""Columns that came later, computed from the row."""


def older_wire(url: str, revision: str) -> None:
    """Makes a wire of the schema `revision` in an empty database."""
    database = Database(url)
    migrate(database, None, revision)
    rows = json.loads((FOLDER / "wire.json").read_text("utf-8"))
    if revision >= FIRST_INDEX:
        rows |= json.loads((FOLDER / "index.json").read_text("utf-8"))
    with database.begin() as connection:
        connection.execute(text("DELETE FROM head"))
        for table, values in rows.items():
            put_rows(connection, table, values)
        if connection.dialect.name == "postgresql":
            for table, column in (("publisher", "id"), ("article", "number")):
                sequence = f"pg_get_serial_sequence('{table}', '{column}')"
                connection.execute(text(f"SELECT setval({sequence}, (SELECT max({column}) FROM {table}))"))
    database.dispose()


def put_rows(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Inserts rows, with the columns that the table has in its schema; nothing where the engine has no such table."""
    if not inspect(connection).has_table(table):
        return
    present = [column["name"] for column in inspect(connection).get_columns(table)]
    added = {name: compute for name, compute in ADDED.get(table, {}).items() if name in present}
    for row in rows:
        whole = {**row, **{name: compute(row) for name, compute in added.items()}}
        values = {name: encoded(table, name, value) for name, value in whole.items()}
        names = ", ".join(values)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(values)})"), values)


def encoded(table: str, column: str, value: Any) -> Any:
    """Bytes stand in the files as text."""
    return value.encode() if table == "version" and column in ("source", "rendered", "body") else value
