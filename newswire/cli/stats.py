"""`newswire stats`."""

from typing import Any

import click
from sqlalchemy import Connection, Table, func, select

from newswire import wire
from newswire.article import Status
from newswire.cli.support.database import opened_database
from newswire.cli.support.output import columns, json_option, tell
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
def stats(as_json: bool) -> None:
    """Say what the wire holds: articles by status, versions, the head, parties, keys, the size."""
    with opened_database() as database, database.read() as connection:
        found = counted(database, connection)
    rows = [(LABELS[name], readable(value)) for name, value in found.items()]
    tell(columns(["WHAT", "VALUE"], rows), found, as_json)


def counted(database: Database, connection: Connection) -> dict[str, Any]:
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
        "versions": number(connection, version),
        "publishers": number(connection, publisher),
        "partners": number(connection, partner),
        "keys": connection.execute(select(func.count()).select_from(api_key).where(in_use)).scalar_one(),
    }


def number(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def readable(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {name}" for name, count in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
