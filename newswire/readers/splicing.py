"""From stored bytes to the JSON of one article: splicing instead of dumping.

A version's JSON is stored without `seq` and `status`, which belong to the log, and without
`links`, which depend on the address it is read under.
"""

from collections.abc import Iterable

import orjson


def spliced(rendered: bytes, body: bytes, *, seq: int | None, status: str, links: bytes) -> bytes:
    """One article as served; `body` may be empty, `links` is a JSON object."""
    return b'{%s%s%s,"seq":%s,"status":"%s","links":%s}' % (
        rendered,
        b"," if body else b"",
        body,
        b"null" if seq is None else b"%d" % seq,
        status.encode("ascii"),
        links,
    )


def links(base_url: str, article_id: str) -> bytes:
    """Where an article and its history are found under `base_url`."""
    address = f"{base_url}/v1/articles/{article_id}"
    return orjson.dumps({"self": address, "versions": f"{address}/versions"})


def array(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"
