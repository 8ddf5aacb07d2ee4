"""`newswire stats`: counts of what the wire holds."""

from typing import Any

import click
from sqlalchemy import ColumnElement, Connection, Table, func, select

from newswire import wire
from newswire.article import Status
from newswire.cli.support.database import open_database
from newswire.cli.support.output import format_table, json_option, print_result
from newswire.store.database import Database, public_url
from newswire.store.tables import api_key, article, partner, publisher, version
from newswire.timestamps import now

LABELS = {
    "database": "Database", "size_bytes": "Size in bytes", "wire": "Wire", "head": "Head",
    "articles": "Articles", "versions": "Versions", "publishers": "Publishers", "partners": "Partners",
    "keys": "Keys in use",
}  # fmt: skip


@click.command()
@json_option
def stats_command(as_json: bool) -> None:
    """Count what the wire holds: articles by status, versions, the head, parties, keys, the size."""
    # One transaction, so that all counts are of the same moment.
    with open_database() as database, database.read() as connection:
        found = count_contents(database, connection)
    rows = [(LABELS[name], format_value(value)) for name, value in found.items()]
    print_result(format_table(["WHAT", "VALUE"], rows), found, as_json)


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
