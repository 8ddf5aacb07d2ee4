"""The wire itself over HTTP: `GET /v1/changes`."""

from typing import Any

import orjson
from flask import Response, g

from newswire.api.address import base_url
from newswire.api.answers import json_answer
from newswire.api.state import database
from newswire.article import parsed
from newswire.instant import format_instant, now
from newswire.readers.changes import Told, changes
from newswire.readers.splicing import array, links, spliced


def list_changes(parameters: dict[str, Any]) -> Response:
    """The wire, in order, nothing missed

    Entries after the sequence number `after`, each exactly once for whoever follows
    `page.next_after`. A page may be empty although `has_more` is true: entries that are not yours
    are scanned, not shown.
    """
    with database().read() as connection:
        page = changes(connection, g.caller.visibility, parameters["after"], parameters["limit"], now())
    base = base_url()
    data = array(entry_bytes(told, base) for told in page.entries)
    rest = {
        "page": {"has_more": page.has_more, "next_after": page.next_after},
        "head": page.head.seq,
        "wire": page.head.wire,
    }
    return json_answer(b'{"data":' + data + b"," + orjson.dumps(rest)[1:])


def entry_bytes(told: Told, base: str) -> bytes:
    """One entry as served; its article is the version it tells of, or null where the reader may not have it.

    A kill gives its reason all the same.
    """
    row = told.row
    entry: dict[str, Any] = {
        "seq": row.seq,
        "type": told.type,
        "at": format_instant(row.at),
        "article_id": row.id,
        "version": row.version,
        "digest": row.digest,
        "chain": row.chain,
    }
    if told.type == "article.canceled":
        entry["change"] = parsed(row.rendered, b"")["change"]
    article = b"null"
    if told.readable:
        article = spliced(row.rendered, row.body, seq=row.seq, status="usable", links=links(base, row.id))
    return orjson.dumps(entry)[:-1] + b',"article":' + article + b"}"
