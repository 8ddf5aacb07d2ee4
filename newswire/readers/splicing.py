"""From stored bytes to the JSON of one article: splicing instead of dumping.

A version's JSON is stored without `seq` and `status`, which belong to the log, and without
`links`, which depend on the address it is read under.
"""

from collections.abc import Iterable, Sequence

import orjson

MEMBERS = b'%s%s%s,"seq":%s,"status":"%s"'
UNLINKED, LINKED = b"{%s}" % MEMBERS, b'{%s,"links":%%s}' % MEMBERS
PAGE_BYTES = 16 * 1024 * 1024


def how_many_fit(sizes: Sequence[int]) -> int:
    """How many items, of these sizes in bytes, make a page that can be held in memory; one at least."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > PAGE_BYTES and number:
            return number
    return max(1, len(sizes))


def spliced(rendered: bytes, body: bytes, *, seq: int | None, status: str, links: bytes) -> bytes:
    """One article as served; `body` may be empty, `links` is a JSON object."""
    told = b"null" if seq is None else b"%d" % seq
    return LINKED % (rendered, b"," if body else b"", body, told, status.encode("ascii"), links)


def unlinked(rendered: bytes, body: bytes, *, seq: int | None, status: str) -> bytes:
    """An article without `links`: the same under every address of ours."""
    told = b"null" if seq is None else b"%d" % seq
    return UNLINKED % (rendered, b"," if body else b"", body, told, status.encode("ascii"))


def linked(article: bytes, links: bytes) -> bytes:
    return b'%s,"links":%s}' % (article[:-1], links)


def with_member(article: bytes, name: str, value: object) -> bytes:
    """An article with one more member."""
    return b'%s,"%s":%s}' % (article[:-1], name.encode("ascii"), orjson.dumps(value))


def links(base_url: str, article_id: str) -> bytes:
    """Where an article and its history are found under `base_url`; both are ASCII that JSON takes as it is."""
    address = f"{base_url}/v1/articles/{article_id}".encode("ascii")
    return b'{"self":"%s","versions":"%s/versions"}' % (address, address)


def array(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"
