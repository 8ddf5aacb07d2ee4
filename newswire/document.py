"""The stored form of an article: how a version is written, read back, and spliced into what is served.

A version's JSON is stored without `seq` and `status`, which belong to the log, and without `links`, which depend on the
address it is read under: it is rendered once, and served by splicing bytes instead of dumping objects. It never changes
either, so a version that was stored before a field existed lacks it for ever. What it lacks is filled in here, when it
is read and when it is spliced, with the field's empty value (`article.FIELDS`); its digest stays what it was.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from newswire.article import FIELDS, Field

MEMBERS = b'%s%s%s,"seq":%s,"status":"%s"'
LINKS = b'{"self":"%s%s","versions":"%s%s/versions"}'
UNLINKED, LINKED = b"{%s}" % MEMBERS, b'{%s,"links":%s}' % (MEMBERS, LINKS)
PAGE_BYTES = 16 * 1024 * 1024

BODY_FIELDS = ("body_html", "body_text")
STORED = tuple(field for field in FIELDS if field.is_stored)
FORM = max(field.since for field in (*FIELDS, *(part for field in FIELDS for part in field.parts)))
"""The number of the form in which versions are stored today: the newest field's. Whoever finds a version of an older
form fills in what it lacks; the form of one of which nothing is known is 0."""
FIRST = {
    "": frozenset(field.name for field in STORED if field.since == 1),
    **{field.name: frozenset(part.name for part in field.parts if part.since == 1) for field in STORED if field.parts},
}
"""The members of the first form, of an article and of the objects in it: they count in a digest whatever they hold."""
UNSIGNED = frozenset({"seq", "status", "links", "digest"})
EMPTY: tuple[Any, ...] = (None, [])


class Shape:
    """The fields that an object has today, with their empty values, and the shapes of the objects in them."""

    def __init__(self, fields: Iterable[Field]) -> None:
        stored = [field for field in fields if field.is_stored]
        self.empty = {field.name: field.empty for field in stored}
        self.parts = {field.name: Shape(field.parts) for field in stored if field.parts}

    def fill(self, members: dict[str, Any]) -> dict[str, Any]:
        """The object with all of these fields, in the order of the table; what it has besides comes behind them."""
        if not self.empty.keys() <= members.keys():
            lacking = self.empty.keys() - members.keys()
            whole = {name: deepcopy(self.empty[name]) if name in lacking else members[name] for name in self.empty}
            members = {**whole, **members}
        for name, shape in self.parts.items():
            value = members[name]
            members[name] = [shape.fill(item) for item in value] if isinstance(value, list) else shape.fill(value)
        return members


WHOLE = Shape(STORED)
WITHOUT_BODY = Shape(field for field in STORED if field.name not in BODY_FIELDS)
TOMBSTONE = Shape(field for field in STORED if field.in_tombstone)


class Version(NamedTuple):
    """One version, rendered: JSON members without the braces, body apart, the digest over both, and the form."""

    digest: str
    rendered: bytes
    body: bytes
    form: int = FORM


def render(article: Mapping[str, Any]) -> Version:
    """The bytes that every reader will get for this version."""
    digest = digest_of(article)
    return Version(digest, *serialized({**article, "digest": digest}))


def serialized(article: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The members of an article without the braces, and those of its body apart."""
    rest = {name: value for name, value in article.items() if name not in BODY_FIELDS}
    body = {name: article[name] for name in BODY_FIELDS if name in article}
    return orjson.dumps(rest)[1:-1], orjson.dumps(body)[1:-1]


def parsed(rendered: bytes, body: bytes) -> dict[str, Any]:
    """The article exactly as it was stored, as its digest is over it."""
    article: dict[str, Any] = orjson.loads(b"{" + b",".join(part for part in (rendered, body) if part) + b"}")
    return article


def parse_article(rendered: bytes, body: bytes | None) -> dict[str, Any]:
    """The article of stored bytes, with every field that one has today; without its body where `body` is None."""
    article = parsed(rendered, body or b"")
    if (article.get("change") or {}).get("type") == "kill":
        return TOMBSTONE.fill(article)
    return (WITHOUT_BODY if body is None else WHOLE).fill(article)


def completed(rendered: bytes, body: bytes | None) -> tuple[bytes, bytes]:
    """The stored bytes of an older form as today's form has them, but for the digest."""
    return serialized(parse_article(rendered, body))


def spliced(
    rendered: bytes, body: bytes | None, form: int, seq: int | None, status: str, article_id: str, base_url: str
) -> bytes:
    """One article as served under `base_url`; without its body where `body` is None."""
    if form != FORM:
        rendered, body = completed(rendered, body)
    told, place, own = b"null" if seq is None else b"%d" % seq, place_of(base_url), article_id.encode("ascii")
    return LINKED % (
        rendered, b"," if body else b"", body or b"", told, status.encode("ascii"), place, own, place, own,
    )  # fmt: skip


def unlinked(version: Version, seq: int | None, status: str) -> bytes:
    """A version without `links`: the same under every address of ours."""
    rendered, body = version.rendered, version.body
    if version.form != FORM:
        rendered, body = completed(rendered, body)
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


def how_many_fit(sizes: Sequence[int]) -> int:
    """How many items, of these sizes in bytes, make a page that can be held in memory; one at least."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > PAGE_BYTES and number:
            return number
    return max(1, len(sizes))


def digest_of(article: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the canonical form (RFC 8785) of an article, as stored or as served.

    A member that the first stored form did not have counts only where it holds something: so a version that was stored
    before the member existed has the same digest when it is served with it. Keys are ASCII and numbers are integers
    here, so sorted keys without blanks are the canonical form.
    """
    kept = signed({name: value for name, value in article.items() if name not in UNSIGNED}, "")
    for name in FIRST.keys() & kept.keys():
        value = kept[name]
        kept[name] = [signed(item, name) for item in value] if isinstance(value, list) else signed(value, name)
    if any(image.get("renditions") for image in kept.get("images", ())):
        kept["images"] = [without_addresses(image) for image in kept["images"]]
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def signed(members: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The members that count in a digest, of an article or of an object in its field `of`."""
    return {name: value for name, value in members.items() if name in FIRST[of] or value not in EMPTY}


def without_addresses(image: Mapping[str, Any]) -> dict[str, Any]:
    bare = [{key: value for key, value in item.items() if key != "url"} for item in image["renditions"]]
    return {**image, "renditions": bare}
