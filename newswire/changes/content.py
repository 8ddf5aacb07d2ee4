"""The content of delivered entries: loading stored versions, and the JSON of an entry, the same at every route."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, bindparam, select

from newswire.changes.rules import LogEntry, StoredContent
from newswire.document import decode_article, splice_article
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
    """An entry as it is delivered to one reader; `readable`: with its article."""

    type: str
    item: LogEntry
    readable: bool


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
    if last - first < 2 * len(items):
        # Most entries of the range are wanted: BETWEEN is one prepared statement, whatever their number.
        rows = BETWEEN.execute(connection, {"first": first, "last": last})
    else:
        rows = connection.execute(AMONG, {"numbers": [item.seq for item in items]})
    found = {row[0]: row for row in rows}
    for item in items:
        _, rendered, body, form = found[item.seq]
        item.content = StoredContent(rendered, body, form, item.told.terms)


def encode_entry(delivered: DeliveredEntry, base: str) -> bytes:
    """The JSON of one entry under the address `base`, cached in the entry for all readers who get the same bytes."""
    # Two threads may encode the same entry at once: the bytes are equal, so no lock is needed.
    key = (delivered.type, delivered.readable, base)
    encoded = delivered.item.served.get(key)
    if encoded is None:
        encoded = delivered.item.served[key] = write_entry(delivered, base)
    return encoded


def write_entry(delivered: DeliveredEntry, base: str) -> bytes:
    """Encodes an entry: `article` is its version, or null if it is not readable; a kill has its reason in `change`."""
    item = delivered.item
    content, change, article = item.content, b"", b"null"
    if content is not None and delivered.type == "article.canceled":
        change = b',"change":' + orjson.dumps(decode_article(content.rendered, None)["change"])
    if content is not None and delivered.readable:
        article = splice_article(
            content.rendered, content.body, content.form, item.seq, "usable", item.article_id, base
        )
    head = ENTRY % (item.seq, delivered.type, format_instant(item.at), item.article_id, item.told.version, item.digest,
                    item.chain)  # fmt: skip
    return b'%s%s,"article":%s}' % (head.encode("ascii"), change, article)
