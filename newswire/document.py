"""From stored bytes to the JSON of one article: splicing instead of dumping.

A version's JSON is stored without `seq` and `status`, which belong to the log, and without
`links`, which depend on the address it is read under.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

MEMBERS = b'%s%s%s,"seq":%s,"status":"%s"'
LINKS = b'{"self":"%s%s","versions":"%s%s/versions"}'
UNLINKED, LINKED = b"{%s}" % MEMBERS, b'{%s,"links":%s}' % (MEMBERS, LINKS)
PAGE_BYTES = 16 * 1024 * 1024


def how_many_fit(sizes: Sequence[int]) -> int:
    """How many items, of these sizes in bytes, make a page that can be held in memory; one at least."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > PAGE_BYTES and number:
            return number
    return max(1, len(sizes))


def spliced(rendered: bytes, body: bytes, seq: int | None, status: str, article_id: str, base_url: str) -> bytes:
    """One article as served under `base_url`; `body` may be empty."""
    told, place, own = b"null" if seq is None else b"%d" % seq, place_of(base_url), article_id.encode("ascii")
    return LINKED % (rendered, b"," if body else b"", body, told, status.encode("ascii"), place, own, place, own)


def unlinked(rendered: bytes, body: bytes, seq: int | None, status: str) -> bytes:
    """An article without `links`: the same under every address of ours."""
    told = b"null" if seq is None else b"%d" % seq
    return UNLINKED % (rendered, b"," if body else b"", body, told, status.encode("ascii"))


def linked(article: bytes, article_id: str, base_url: str) -> bytes:
    """The same with them."""
    place, own = place_of(base_url), article_id.encode("ascii")
    return b'%s,"links":%s}' % (article[:-1], LINKS % (place, own, place, own))


def with_member(article: bytes, name: str, value: object) -> bytes:
    """An article with one more member."""
    return b'%s,"%s":%s}' % (article[:-1], name.encode("ascii"), orjson.dumps(value))


@lru_cache(1000)
def place_of(base_url: str) -> bytes:
    """Where articles are found, up to their id; both are ASCII that JSON takes as it is."""
    return f"{base_url}/v1/articles/".encode("ascii")


def enveloped(items: Iterable[bytes], rest: Mapping[str, object]) -> bytes:
    """The JSON of a page: its items as `data`, and the members of `rest` behind them.

    A page is large, and what is large gets new memory from the system: so the first item begins it and the last one
    ends it, and all are copied once, by `join`.
    """
    ends, parts = b"],%s" % orjson.dumps(rest)[1:], list(items)
    if not parts:
        return b'{"data":[' + ends
    parts[0] = b'{"data":[' + parts[0]
    parts[-1] += ends
    return b",".join(parts)


BODY_FIELDS = ("body_html", "body_text")


class Version(NamedTuple):
    """One version, rendered: JSON members without the braces, body apart, and the digest over both."""

    digest: str
    rendered: bytes
    body: bytes


def render(article: Mapping[str, Any]) -> Version:
    """The bytes that every reader will get for this version."""
    digest = digest_of(article)
    rest = {name: value for name, value in article.items() if name not in BODY_FIELDS} | {"digest": digest}
    body = {name: article[name] for name in BODY_FIELDS if name in article}
    return Version(digest, orjson.dumps(rest)[1:-1], orjson.dumps(body)[1:-1])


def parsed(rendered: bytes, body: bytes) -> dict[str, Any]:
    """The article back from its stored bytes."""
    article: dict[str, Any] = orjson.loads(b"{" + b",".join(part for part in (rendered, body) if part) + b"}")
    return article


def digest_of(article: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the canonical form (RFC 8785) of the article as stored.

    Keys are ASCII and numbers are integers here, so sorted keys without blanks are that form.
    """
    kept = {name: value for name, value in article.items() if name not in {"seq", "status", "links", "digest"}}
    if any(image["renditions"] for image in kept.get("images", ())):
        kept["images"] = [without_addresses(image) for image in kept["images"]]
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def without_addresses(image: Mapping[str, Any]) -> dict[str, Any]:
    bare = [{key: value for key, value in item.items() if key != "url"} for item in image["renditions"]]
    return {**image, "renditions": bare}
