"""The stored form of an article version: rendering, decoding, digest, and splicing into JSON responses.

The JSON of a version is stored without `seq` and `status`, which belong to the log, and without `links`, which depend
on the address of the request. It is rendered once and served by splicing bytes, which avoids dumping objects. It never
changes, so a version stored before a field existed lacks that field. Decoding and splicing fill it in with the field's
empty value (`article.FIELDS`), and the digest stays the same (decision 0012). A version that has none of the later
fields is still stored in the first form (decision 0039). The article as sent, which is rarely read, is stored as its
difference from what is served (decision 0049). No table is named here.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from newswire.article import FIELDS, Field, Status
from newswire.errors import DamageError

MEMBERS = b'%s%s%s%s,"seq":%s,"status":"%s"'
LINKS = b'{"self":"%s%s","versions":"%s%s/versions"}'
UNFINISHED, LINKED = b"{%s" % MEMBERS, b'{%s,"links":%s}' % (MEMBERS, LINKS)
PAGE_BYTES = 16 * 1024 * 1024

BODY_FIELDS = ("body_html", "body_text")
STORED = tuple(field for field in FIELDS if field.is_stored)
FORM = max(field.since for field in (*FIELDS, *(part for field in FIELDS for part in field.parts)))
"""The number of the current stored form: the highest `since` of all fields. A version of another form is completed when
it is read; 0 is an unknown form."""
LATER = tuple(field for field in STORED if field.since > 1)
"""The fields that the first form of an article does not have."""
LATER_NAMES = frozenset(field.name for field in LATER)
FIRST = {
    "": frozenset(field.name for field in STORED if field.since == 1),
    **{field.name: frozenset(part.name for part in field.parts if part.since == 1) for field in STORED if field.parts},
}
"""The members of the first form, of an article and of its objects: the digest covers them even if they are empty."""
UNSIGNED = frozenset({"seq", "status", "links", "digest"})
EMPTY: tuple[Any, ...] = (None, [])

PACKED = b"\x01"
"""The first byte of a packed source; JSON begins with none such."""
MARK_BYTES = 5
"""The length of `source_mark`."""
LONGEST_PACKED = 64 * 1024
"""Bytes of the longest source that is packed: that is done while other publishers wait, 14 µs for 3.5 kB."""


def _lacking_members(form: int) -> bytes | None:
    """The JSON of the members, all empty, that today's articles have and those of `form` have not, with a comma before.

    None if objects in the older fields lack members too, so that nothing that is appended completes an article.
    """
    if any(part.since > form for field in STORED if field.since <= form for part in field.parts):
        return None
    lacking = {field.name: field.empty for field in STORED if field.since > form}
    return b"," + orjson.dumps(lacking)[1:-1] if lacking else b""


LACKING = {form: members for form in range(1, FORM + 1) if (members := _lacking_members(form)) is not None}
"""What completes the bytes of an article of a form; articles of other forms are parsed and filled."""


class Shape:
    """The fields of an object today, with their empty values: it fills in those that a stored version lacks."""

    def __init__(self, fields: Iterable[Field]) -> None:
        stored = [field for field in fields if field.is_stored]
        self.empty = {field.name: field.empty for field in stored if not field.is_optional}
        self.parts = {field.name: Shape(field.parts) for field in stored if field.parts}

    def fill(self, members: dict[str, Any]) -> dict[str, Any]:
        """The object with all of these fields in the order of the table, followed by its other members."""
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


def render_version(article: Mapping[str, Any]) -> Version:
    """Renders a version with its digest, once, when it is stored: every reader gets these bytes.

    Its form is the first that can hold it: later fields that are empty are left out, and are added when it is served.
    """
    digest = digest_of(article)
    form = max((field.since for field in LATER if article.get(field.name) not in EMPTY), default=1)
    later = {field.name: article[field.name] for field in LATER if field.since <= form}
    members = {name: value for name, value in article.items() if name not in LATER_NAMES}
    return Version(digest, *_encode_members({**members, "digest": digest, **later}), form)


def _encode_members(article: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The members of an article as JSON without the braces; the body members are the second part."""
    rest = {name: value for name, value in article.items() if name not in BODY_FIELDS}
    body = {name: article[name] for name in BODY_FIELDS if name in article}
    return orjson.dumps(rest)[1:-1], orjson.dumps(body)[1:-1]


def pack_source(source: bytes, rendered: bytes, body: bytes) -> bytes:
    """The stored form of an article as sent: its difference from its version, of which it mostly repeats the words.

    It is `source_mark`, then DEFLATE (RFC 1951) with the version for a preset dictionary. One that gains nothing, or is
    longer than `LONGEST_PACKED`, is stored as it is. So whoever rewrites `rendered` or `body` of a version, as a
    migration may, has to pack its source again.
    """
    if not MARK_BYTES < len(source) <= LONGEST_PACKED:
        return source
    packer = zlib.compressobj(3, wbits=-zlib.MAX_WBITS, zdict=rendered + body)
    packed = source_mark(source) + packer.compress(source) + packer.flush()
    return packed if len(packed) < len(source) else source


def source_mark(source: bytes) -> bytes:
    """The first bytes of a source if it is packed, which sources that differ hardly ever share."""
    return PACKED + zlib.crc32(source).to_bytes(4, "big")


def unpack_source(stored: bytes, rendered: bytes, body: bytes) -> bytes:
    """The article as sent, from its stored form and the stored bytes of the same version.

    One that was stored before sources were packed is returned as it is. Raises `DamageError`.
    """
    if not stored.startswith(PACKED):
        return stored
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=rendered + body)
    try:
        source = unpacker.decompress(stored[MARK_BYTES:], LONGEST_PACKED + 1)
    except zlib.error as error:
        raise DamageError(f"the stored source of a version cannot be unpacked: {error}") from error
    if not unpacker.eof or source_mark(source) != stored[:MARK_BYTES]:
        raise DamageError("the stored source of a version is not what was stored")
    return source


def decode_stored(rendered: bytes, body: bytes) -> dict[str, Any]:
    """Decodes exactly the stored members, over which the digest was computed."""
    article: dict[str, Any] = orjson.loads(b"{" + b",".join(part for part in (rendered, body) if part) + b"}")
    return article


def decode_article(rendered: bytes, body: bytes | None) -> dict[str, Any]:
    """Decodes stored bytes and fills in all fields of the current form; without the body fields if `body` is None.

    Raises `DamageError` for bytes that `render_version` cannot have made.
    """
    try:
        article = decode_stored(rendered, body or b"")
    except ValueError as error:
        raise DamageError(f"the stored content of a version cannot be decoded: {error}") from error
    if (article.get("change") or {}).get("type") == "kill":
        return TOMBSTONE.fill(article)
    return (WITHOUT_BODY if body is None else WHOLE).fill(article)


def _complete_bytes(rendered: bytes, body: bytes | None, form: int, status: str) -> tuple[bytes, bytes, bytes, bytes]:
    """The parts of a version, of whatever form, with today's missing members: its own, these, a comma, and the body.

    The digest stays. What is canceled is a tombstone, which has no later members.
    """
    lacking = LACKING.get(form)
    if lacking is None:
        rendered, body = _encode_members(decode_article(rendered, body))
    return rendered, b"" if status == Status.CANCELED else lacking or b"", b"," if body else b"", body or b""


def splice_article(
    rendered: bytes, body: bytes | None, form: int, seq: int | None, status: str, article_id: str, base_url: str
) -> bytes:
    """The JSON of one article under `base_url`; without the body fields if `body` is None."""
    number, url, own = b"null" if seq is None else b"%d" % seq, _articles_url(base_url), article_id.encode("ascii")
    return LINKED % (
        *_complete_bytes(rendered, body, form, status), number, status.encode("ascii"), url, own, url, own,
    )  # fmt: skip


def splice_without_links(version: Version, seq: int | None, status: str) -> bytes:
    """The JSON of a version without `links`, so that the bytes do not depend on the base URL."""
    return splice_unfinished(version, seq, status) + b"}"


def splice_unfinished(version: Version, seq: int | None, status: str) -> bytes:
    """The JSON of a version up to its `links`, without these and without the closing brace."""
    number = b"null" if seq is None else b"%d" % seq
    return UNFINISHED % (
        *_complete_bytes(version.rendered, version.body, version.form, status), number, status.encode("ascii"),
    )  # fmt: skip


def add_links(article: bytes, article_id: str, base_url: str) -> bytes:
    """Adds `links` to an article that was spliced without them."""
    return b'%s,"links":%s}' % (article[:-1], article_links(article_id, base_url))


def article_links(article_id: str, base_url: str) -> bytes:
    """The JSON of the member `links` of an article."""
    url, own = _articles_url(base_url), article_id.encode("ascii")
    return LINKS % (url, own, url, own)


def add_member(article: bytes, name: str, value: object) -> bytes:
    """Adds one member to an article."""
    return b'%s,"%s":%s}' % (article[:-1], name.encode("ascii"), orjson.dumps(value))


@lru_cache(16)
def _articles_url(base_url: str) -> bytes:
    """The URL of articles up to their id. URL and ids are ASCII that needs no escaping in JSON."""
    # Few are cached, because the base follows the Host header, which has up to 8 kB.
    return f"{base_url}/v1/articles/".encode("ascii")


def join_page(items: Iterable[bytes], rest: Mapping[str, object]) -> bytes:
    """The JSON of a page of results: the items as `data`, then the members of `rest`.

    The envelope is added to the first and the last item, so that `join` copies a page only once: a page is
    so large that each copy is a new allocation from the operating system.
    """
    ends, parts = b"],%s" % orjson.dumps(rest)[1:], list(items)
    if not parts:
        return b'{"data":[' + ends
    parts[0] = b'{"data":[' + parts[0]
    parts[-1] += ends
    return b",".join(parts)


def count_fitting(sizes: Sequence[int]) -> int:
    """The number of items, of these sizes in bytes, that fit into `PAGE_BYTES`; at least one."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > PAGE_BYTES and number:
            return number
    return max(1, len(sizes))


def digest_of(article: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the canonical form (RFC 8785) of an article, as stored or as served.

    A member that is newer than the first stored form is covered only if it is not empty. So a version stored before the
    member existed keeps its digest when it is served with the empty member. Keys are ASCII and numbers are integers
    here, so sorted keys without blanks are the canonical form. URLs of renditions depend on the host and are left out.
    """
    kept = _signed_members({name: value for name, value in article.items() if name not in UNSIGNED}, "")
    for name in FIRST.keys() & kept.keys():
        value = kept[name]
        kept[name] = (
            [_signed_members(item, name) for item in value] if isinstance(value, list) else _signed_members(value, name)
        )
    if any(image.get("renditions") for image in kept.get("images", ())):
        kept["images"] = [_without_urls(image) for image in kept["images"]]
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _signed_members(members: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The members that the digest covers, of an article or of an object in its field `of`."""
    return {name: value for name, value in members.items() if name in FIRST[of] or value not in EMPTY}


def _without_urls(image: Mapping[str, Any]) -> dict[str, Any]:
    bare = [{key: value for key, value in item.items() if key != "url"} for item in image["renditions"]]
    return {**image, "renditions": bare}
