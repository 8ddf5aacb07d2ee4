"""`newswire export`: the log as NDJSON on standard output."""

import sys
from typing import BinaryIO

import click

from newswire import wire
from newswire.changes.content import encode_entry
from newswire.changes.page import changes_page
from newswire.changes.positions import LogPosition
from newswire.changes.rules import Reader
from newswire.cli.support.database import open_database
from newswire.config import Settings
from newswire.search.query import Query
from newswire.store.database import Database
from newswire.timestamps import now
from newswire.visibility import EVERYTHING, Visibility

BATCH = 100
BASE_URL = "http://127.0.0.1:8000"
READER = Reader(Visibility(EVERYTHING, owner=True), Query())


@click.command()
@click.option("--after", type=click.IntRange(0, 2**62), default=0, metavar="SEQ", help="Begin after this entry.")
def export_command(after: int) -> None:
    """Write the wire to standard output as NDJSON, every entry one line as in GET /v1/changes, up to the head.

    Addresses in it begin with NEWSWIRE_BASE_URL (default: http://127.0.0.1:8000).

    \b
    newswire export | gzip > wire.ndjson.gz
    newswire export --after 120000 >> wire.ndjson
    """
    base = Settings.from_env().base_url or BASE_URL
    with open_database() as database:
        export_entries(database, after, base, sys.stdout.buffer)


def export_entries(database: Database, after: int, base: str, out: BinaryIO) -> None:
    """Writes the entries after the number `after`, up to the head, with URLs that begin with `base`."""
    position, more = LogPosition(after), True
    while more:
        # A transaction for each batch: during one of hours SQLite could not reset its WAL, nor PostgreSQL vacuum.
        with database.read() as connection:
            page = changes_page(connection, READER, wire.read_head(connection), position, BATCH, now())
        for entry in page.entries:
            out.write(encode_entry(entry, base) + b"\n")
        position, more = page.next, page.has_more
    out.flush()
