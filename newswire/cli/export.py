"""`newswire export`."""

import sys
from typing import BinaryIO

import click

from newswire import wire
from newswire.changes.document import encode_entry
from newswire.changes.page import changes_page
from newswire.changes.rules import Reader
from newswire.cli.support.database import opened_database
from newswire.config import Settings
from newswire.search.query import Query
from newswire.store.database import Database
from newswire.timestamps import now
from newswire.visibility import EVERYTHING, Visibility

BATCH = 100
BASE_URL = "http://127.0.0.1:8000"
READER = Reader(Visibility(EVERYTHING, owner=True), Query())


@click.command()
@click.option("--after", type=click.IntRange(0, 2**62), default=0, metavar="SEQ", help="Begin behind this entry.")
def export(after: int) -> None:
    """Write the wire to standard output as NDJSON, every entry one line as in GET /v1/changes, up to the head.

    Addresses in it begin with NEWSWIRE_BASE_URL (default: http://127.0.0.1:8000).

    \b
    newswire export | gzip > wire.ndjson.gz
    newswire export --after 120000 >> wire.ndjson
    """
    base = Settings.from_env().base_url or BASE_URL
    with opened_database() as database:
        write(database, after, base, sys.stdout.buffer)


def write(database: Database, after: int, base: str, out: BinaryIO) -> None:
    """Each batch is a transaction of its own, so that an export of hours holds up nobody."""
    more = True
    while more:
        with database.read() as connection:
            page = changes_page(connection, READER, wire.read_head(connection), after, BATCH, now())
        for told in page.entries:
            out.write(encode_entry(told, base) + b"\n")
        after, more = page.next_after, page.has_more
    out.flush()
