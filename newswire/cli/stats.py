"""`newswire stats`: counts of what the wire holds."""

from typing import Any

import click
from sqlalchemy import ColumnElement, Connection, Table, func, select

from newswire import wire
from newswire.article import Status
from newswire.cli.support.database import open_database
from newswire.cli.support.output import format_table, json_option, print_result
from newswire.cli.support.progress import show_progress
from newswire.store.backend import TableSize
from newswire.store.database import Database, public_url
from newswire.store.tables import api_key, article, partner, publisher, version
from newswire.timestamps import now

LABELS = {
    "database": "Database", "size_bytes": "Size in bytes", "wire": "Wire", "head": "Head",
    "articles": "Articles", "versions": "Versions", "publishers": "Publishers", "partners": "Partners",
    "keys": "Keys in use",
}  # fmt: skip


@click.command()
@click.option("--storage", is_flag=True, help="Show what each table takes on disk, too.")
@json_option
def stats_command(storage: bool, as_json: bool) -> None:
    """Count what the wire holds: articles by status, versions, the head, parties, keys, the size.

    With --storage: the bytes on disk of each table with its indexes, and what that is for each article. On SQLite
    the whole file is read for it.
    """
    # One transaction, so that all counts are of the same moment.
    with open_database() as database, database.read() as connection:
        found = count_contents(database, connection)
        sizes = measure_tables(database, connection) if storage else []
    rows = [(LABELS[name], format_value(value)) for name, value in found.items()]
    sentence = format_table(["WHAT", "VALUE"], rows)
    if storage:
        articles = sum(found["articles"].values())
        found["storage"] = [describe_size(size, articles) for size in sizes]
        sentence += f"\n\n{format_sizes(sizes, articles)}"
    print_result(sentence, found, as_json)


def measure_tables(database: Database, connection: Connection) -> list[TableSize]:
    """The size of each table that has any, the largest first."""
    sizes, done = list[TableSize](), 0
    with show_progress("Measuring", "tables", database.backend.size_bytes(connection)) as show:
        for size in database.backend.table_sizes(connection):
            sizes.append(size)
            done += size.total
            show(len(sizes), done)
    return sorted((size for size in sizes if size.total), key=lambda size: (-size.total, size.name))


def describe_size(size: TableSize, articles: int) -> dict[str, Any]:
    """A table in JSON; its bytes for each article are null where there is none."""
    each = round(size.total / articles) if articles else None
    return {
        "table": size.name, "rows_bytes": size.rows, "long_values_bytes": size.long_values,
        "indexes_bytes": size.indexes, "total_bytes": size.total, "bytes_per_article": each,
    }  # fmt: skip


def format_sizes(sizes: list[TableSize], articles: int) -> str:
    """The tables in a table, with their sum."""
    parts = list(zip(*(size[1:] for size in sizes), strict=True))
    rows = [*sizes, TableSize("in all", *map(sum, parts))]
    cells = [
        (size.name, *(f"{value:,}" for value in (*size[1:], size.total)), f"{size.total / max(1, articles):,.0f}")
        for size in rows
    ]
    return format_table(["TABLE", "ROWS", "LONG VALUES", "INDEXES", "BYTES", "AN ARTICLE"], cells)


def count_contents(database: Database, connection: Connection) -> dict[str, Any]:
    head = wire.read_head(connection)
    by_status = dict.fromkeys((status.value for status in Status), 0)
    query = select(article.c.status, func.count().label("articles")).group_by(article.c.status)
    for row in connection.execute(query):
        by_status[row.status] = row.articles
    in_use = api_key.c.revoked_at.is_(None) & (api_key.c.expires_at.is_(None) | (api_key.c.expires_at > now()))
    return {
        "database": public_url(database.url),
        "size_bytes": database.backend.size_bytes(connection),
        "wire": head.wire,
        "head": head.seq,
        "articles": by_status,
        "versions": count_rows(connection, version),
        "publishers": count_rows(connection, publisher),
        "partners": count_rows(connection, partner),
        "keys": count_rows(connection, api_key, in_use),
    }


def count_rows(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def format_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {name}" for name, count in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
