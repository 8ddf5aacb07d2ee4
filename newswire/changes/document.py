"""The content of delivered entries: loading stored versions, and the JSON of an entry, the same at every route."""

import orjson

from newswire.changes.page import DeliveredEntry
from newswire.document import decode_article, splice_article
from newswire.timestamps import format_instant

# Formatted instead of dumped: every quoted value is ASCII without a character that JSON escapes.
ENTRY = '{"seq":%d,"type":"%s","at":"%s","article_id":"%s","version":%d,"digest":"%s","chain":"%s"'


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
