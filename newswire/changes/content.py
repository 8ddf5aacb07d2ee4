"""The content of delivered entries: loading stored versions, and the JSON of an entry, the same at every route."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, bindparam, select

from newswire.changes.rules import LogEntry, StoredContent
from newswire.document import Version, article_links, decode_article, splice_unfinished
from newswire.store.articles import Past
from newswire.store.statements import Statement
from newswire.store.tables import entry, version
from newswire.timestamps import format_instant

# Formatted instead of dumped: every quoted value is ASCII without a character that JSON escapes.
ENTRY = '{"seq":%d,"type":"%s","at":"%s","article_id":"%s","version":%d,"digest":"%s","chain":"%s"'
TOLD = and_(version.c.number == entry.c.number, version.c.version == entry.c.version)
CONTENTS = select(entry.c.seq, version.c.rendered, version.c.body, version.c.form).join_from(entry, version, TOLD)
BETWEEN = Statement(CONTENTS.where(entry.c.seq.between(bindparam("first"), bindparam("last"))))
AMONG = CONTENTS.where(entry.c.seq.in_(bindparam("numbers", expanding=True)))


class DeliveredEntry(NamedTuple):
    """An entry as it is delivered to one reader; `readable`: with its article, which expires at `expires_at`."""

    type: str
    item: LogEntry
    readable: bool
    expires_at: int | None = None


def read_content(connection: Connection, number: int, past: Past) -> StoredContent:
    """Reads one stored version of the article `number`."""
    statement = select(version.c.rendered, version.c.body, version.c.form).where(version.c.number == number)
    row = connection.execute(statement.where(version.c.version == past.version)).one()
    return StoredContent(row.rendered, row.body, row.form, past.terms)


def load_contents(connection: Connection, items: Sequence[LogEntry]) -> None:
    """Loads the stored version of each entry into its `content`, with one statement."""
    if not items:
        return
    first, last = items[0].seq, items[-1].seq
    rows: Iterable[Any]
    if last - first < len(items):
        # The whole range is wanted: BETWEEN is one prepared statement, whatever the number of entries. Where the range
        # has others as well it would load their bodies too, of up to 8 MiB each.
        rows = BETWEEN.execute(connection, {"first": first, "last": last})
    else:
        rows = connection.execute(AMONG, {"numbers": [item.seq for item in items]})
    found = {row[0]: row for row in rows}
    for item in items:
        _, rendered, body, form = found[item.seq]
        item.content = StoredContent(rendered, body, form, item.told.terms)


def encode_entry(delivered: DeliveredEntry, base: str) -> bytes:
    """The JSON of one entry under the address `base`; all of it but the links is cached in the entry.

    The cache has no key that a client chooses: the base follows the Host header, so links are spliced in here.
    """
    # Two threads may encode the same entry at once: the bytes are equal, so no lock is needed.
    item, key = delivered.item, (delivered.type, delivered.readable)
    encoded = item.served.get(key)
    if encoded is None:
        encoded = item.served[key] = write_entry(delivered)
    if not (delivered.readable and item.content):
        return encoded
    return b'%s,"links":%s}}' % (encoded, article_links(item.article_id, base))


def write_entry(delivered: DeliveredEntry) -> bytes:
    """Encodes an entry: `article` is its version, or null if it is not readable; a kill has its reason in `change`.

    An entry with its article ends before `links`, without its last two braces.
    """
    item = delivered.item
    content, change = item.content, b""
    if content is not None and delivered.type == "article.canceled":
        change = b',"change":' + orjson.dumps(decode_article(content.rendered, None)["change"])
    head = ENTRY % (item.seq, delivered.type, format_instant(item.at), item.article_id, item.told.version, item.digest,
                    item.chain)  # fmt: skip
    if content is None or not delivered.readable:
        return b'%s%s,"article":null}' % (head.encode("ascii"), change)
    version = Version(item.digest, content.rendered, content.body, content.form)
    return b'%s%s,"article":%s' % (head.encode("ascii"), change, splice_unfinished(version, item.seq, "usable"))
