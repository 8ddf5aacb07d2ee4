"""Entries of the wire as they are served, in bytes: the same in a page, an event and a line."""

from typing import Any

import orjson

from newswire.article import parsed
from newswire.instant import format_instant
from newswire.readers.changes import Told
from newswire.readers.splicing import links, spliced


def entry_bytes(told: Told, base: str) -> bytes:
    """One entry as served, made once for all who are told the same."""
    key = (told.type, told.readable, base)
    found = told.item.served.get(key)
    if found is None:
        found = told.item.served[key] = made(told, base)
    return found


def made(told: Told, base: str) -> bytes:
    """Its article is the version it tells of, or null where the reader may not have it; a kill gives its reason."""
    item = told.item
    entry: dict[str, Any] = {
        "seq": item.seq,
        "type": told.type,
        "at": format_instant(item.at),
        "article_id": item.article_id,
        "version": item.told.version,
        "digest": item.digest,
        "chain": item.chain,
    }
    content, article = item.content, b"null"
    if content is not None and told.type == "article.canceled":
        entry["change"] = parsed(content.rendered, b"")["change"]
    if content is not None and told.readable:
        article = spliced(
            content.rendered, content.body, seq=item.seq, status="usable", links=links(base, item.article_id)
        )
    return orjson.dumps(entry)[:-1] + b',"article":' + article + b"}"
