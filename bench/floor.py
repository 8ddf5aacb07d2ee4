"""The floor of `bench compare`: a bare WSGI function over rows that are serialised already. No framework, no keys.

It does what a request cannot do without: find the rows, join them, send them. Nothing is checked.
Its tables and statements are in `floor_store`.
"""

import itertools
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl

import orjson

from bench.floor_store import BODIES, Row, Store, opened

PAGE, CHANGES = 50, 100
TYPE = ("Content-Type", "application/json")
BITS = 20
"""A position is the time of publication in milliseconds and, below it, so many bits of a number."""


def row(article: dict[str, Any], published: int, number: int) -> Row:
    """The row of an article as JSON has it."""
    rest = {name: value for name, value in article.items() if name not in BODIES}
    body = {name: article[name] for name in BODIES if article.get(name)}
    text = " ".join(filter(None, (article["headline"], article.get("summary"), article.get("body_text"))))
    position = published << BITS | number % (1 << BITS)
    return Row(position, article["id"], orjson.dumps(rest), orjson.dumps(body), text)


class Floor:
    """The function, with the store that it reads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.numbers = itertools.count()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST":
            return self.publish(environ, start_response)
        query = dict(parse_qsl(environ["QUERY_STRING"]))
        if path == "/changes":
            found = self.store.changes(int(query["after"]), CHANGES)
            return answered(start_response, listed(whole(*each) for each in found))
        if path == "/search":
            return answered(start_response, listed(self.store.search(query["q"], PAGE)))
        if path == "/articles":
            return self.page(environ, start_response, query)
        return answered(start_response, whole(*self.store.one(path.removeprefix("/articles/"))))

    def page(self, environ: dict[str, Any], start_response: Any, query: dict[str, str]) -> list[bytes]:
        """The newest articles before a position; the tag is the newest position."""
        held = environ.get("HTTP_IF_NONE_MATCH")
        if held is not None and held == f'"{self.store.newest()}"':
            start_response("304 NOT MODIFIED", [("ETag", held)])
            return []
        found = self.store.page(int(query.get("before", 1 << 62)), PAGE)
        following = b'],"next":"/articles?before=%d"}' % found[-1][0]
        body = b'{"data":[' + b",".join([each[1] for each in found]) + following
        return answered(start_response, body, ("ETag", f'"{found[0][0]}"'))

    def publish(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """One article, or an array of them in one transaction."""
        sent = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        rows = [self.received(each) for each in (sent if isinstance(sent, list) else [sent])]
        self.store.insert(rows)
        if isinstance(sent, list):
            return answered(
                start_response, b'{"results":[%s]}' % b",".join(b'"%s"' % each.id.encode() for each in rows)
            )
        return answered(start_response, whole(rows[0].rendered, rows[0].body), status="201 CREATED")

    def received(self, article: dict[str, Any]) -> Row:
        now = time.time_ns() // 1_000_000
        return row({"id": uuid.uuid4().hex, "published_at": now, **article}, now, next(self.numbers))


def listed(found: Any) -> bytes:
    return b'{"data":[' + b",".join(found) + b"]}"


def whole(rendered: bytes, body: bytes) -> bytes:
    """Two JSON objects as one."""
    return rendered[:-1] + b"," + body[1:] if body != b"{}" else rendered


def answered(start_response: Any, body: bytes, *headers: tuple[str, str], status: str = "200 OK") -> list[bytes]:
    start_response(status, [TYPE, ("Content-Length", str(len(body))), *headers])
    return [body]


def application(url: str) -> Floor:
    """The floor on a database that is filled (`floor_store.fill`)."""
    return Floor(opened(url))
