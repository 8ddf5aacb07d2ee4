"""Entries of the wire as they are served, in bytes: the same in a page, an event and a line."""

import orjson

from newswire.changes.page import DeliveredEntry
from newswire.document import decode_article, splice_article
from newswire.timestamps import format_instant

# What stands between quotes is ASCII that JSON takes as it is.
ENTRY = '{"seq":%d,"type":"%s","at":"%s","article_id":"%s","version":%d,"digest":"%s","chain":"%s"'


def encode_entry(told: DeliveredEntry, base: str) -> bytes:
    """One entry as served; cached in the entry for all readers who get the same bytes."""
    key = (told.type, told.readable, base)
    found = told.item.served.get(key)
    if found is None:
        found = told.item.served[key] = write_entry(told, base)
    return found


def write_entry(told: DeliveredEntry, base: str) -> bytes:
    """Encodes an entry: `article` is its version, or null where the reader may not have it; a kill has its reason."""
    item = told.item
    content, change, article = item.content, b"", b"null"
    if content is not None and told.type == "article.canceled":
        change = b',"change":' + orjson.dumps(decode_article(content.rendered, None)["change"])
    if content is not None and told.readable:
        article = splice_article(
            content.rendered, content.body, content.form, item.seq, "usable", item.article_id, base
        )
    head = ENTRY % (item.seq, told.type, format_instant(item.at), item.article_id, item.told.version, item.digest,
                    item.chain)  # fmt: skip
    return b'%s%s,"article":%s}' % (head.encode("ascii"), change, article)
