"""Request bodies: media type, charset, compression and size. Their content is parsed in `newswire.formats`."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from flask import Request
from marshmallow import Schema, ValidationError

from newswire.errors import Problem
from newswire.formats import READERS
from newswire.formats.strict_json import malformed_json, parse_json
from newswire.schemas.fields import list_faults

BATCH_BYTES = 64 * 1024 * 1024
BODY_REFUSED = "gunicorn.body_refused"
"""Set by the server in the WSGI environment when the body is longer than `api.admission` allows: it is not there."""
CHUNK = 64 * 1024
MOST_MEMBERS = 40_000
"""Members of a gzip body: programs that compress in blocks make one for each 64 KiB or more."""
MOST_ARTICLES = 1000
MOST_FAULTS = 20
JSON_TYPES = ("application/json",)
MERGE_TYPES = (*JSON_TYPES, "application/merge-patch+json")
ARTICLE_TYPES = (*JSON_TYPES, *READERS)


def read_body(request: Request, types: tuple[str, ...], limit: int, signed: bytes | None = None) -> bytes:
    """The decompressed body; raises `Problem` for a media type not in `types`, another encoding, or over `limit` bytes.

    `signed` is the raw body if authentication has read it already.
    """
    compressed = is_compressed(request, types)
    raw = read_up_to(request, limit) if signed is None else signed
    return decompress_gzip(raw, limit) if compressed else raw


def is_compressed(request: Request, types: tuple[str, ...]) -> bool:
    """Whether the body is gzip; raises `unsupported_media_type` for other types, charsets and encodings."""
    if request.mimetype not in types:
        found = request.mimetype or "none"
        raise Problem("unsupported_media_type", f"The Content-Type must be {' or '.join(types)}, not {found}.",
                      headers={"Accept": ", ".join(types)})  # fmt: skip
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise Problem("unsupported_media_type", f"The body must be in UTF-8, not {charset[:40]!r}.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip"}:
        raise Problem("unsupported_media_type", f"The Content-Encoding must be gzip or none, not {encoding[:40]!r}.",
                      headers={"Accept-Encoding": "gzip"})  # fmt: skip
    return encoding == "gzip"


def load_json_body(request: Request, schema: Schema, limit: int, types: tuple[str, ...] = JSON_TYPES) -> dict[str, Any]:
    """A JSON body of at most `limit` bytes, loaded by `schema`; raises `validation_failed` with up to `MOST_FAULTS`."""
    try:
        content: dict[str, Any] = schema.load(parse_json(read_body(request, types, limit)))
    except ValidationError as error:
        found = list(islice(list_faults(error.messages), MOST_FAULTS))
        raise Problem("validation_failed", f"{found[0].pointer or 'the body'}: {found[0].detail}", found) from None
    return content


def read_up_to(request: Request, limit: int) -> bytes:
    """The raw body; raises `too_large`."""
    if request.environ.get(BODY_REFUSED):
        raise too_large(limit)
    body = read_stream(request, limit + 1)
    # A read may return less than there is, and only the one after the last says whether the client sent all that it
    # announced: a text that ends early would otherwise be stored.
    while len(body) <= limit and (more := read_stream(request, limit + 1 - len(body))):
        body += more
    if len(body) > limit:
        raise too_large(limit)
    return body


def read_stream(request: Request, size: int) -> bytes:
    """Up to `size` bytes of the raw body; raises `malformed_json` where it ends early or its framing is broken."""
    try:
        return request.stream.read(size)
    except Exception as error:
        # WSGI names no exceptions for `wsgi.input`: gunicorn raises its own for a malformed chunk (RFC 9112, 7.1), and
        # OSError for a connection that ended. All of them are the client's doing.
        raise malformed_json("The body breaks off, or its chunks are malformed; send it again, whole.") from error


def too_large(limit: int) -> Problem:
    return Problem("too_large", f"The body must have at most {limit // 1024 // 1024} MiB (decompressed).")


def decompress_gzip(raw: bytes, limit: int) -> bytes:
    """The content of a gzip body. At most `limit` bytes are decompressed, against decompression bombs."""
    content = bytearray()
    for part in gunzip_parts(raw[start : start + CHUNK] for start in range(0, len(raw), CHUNK)):
        content += part
        if len(content) > limit:
            raise too_large(limit)
    return bytes(content)


def gunzip_parts(raw: Iterable[bytes]) -> Iterator[bytes]:
    """Decompresses gzip (RFC 1952) as a stream, in parts of at most `CHUNK` bytes; raises `malformed_json`.

    Each member costs a decompressor, however short it is, so there may be at most `MOST_MEMBERS`.
    """
    members, decompressor = 0, None
    for data in raw:
        while data:
            if decompressor is None:
                # Zeros may follow a member, as gzip itself allows.
                data = data.lstrip(b"\0") if members else data
                if not data:
                    break
                members += 1
                if members > MOST_MEMBERS:
                    raise malformed_json(f"The gzip body has more than {MOST_MEMBERS:,} members; compress it as one.")
                decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                part = decompressor.decompress(data, CHUNK)
            except zlib.error:
                raise malformed_json("The body is not valid gzip, as its Content-Encoding says.") from None
            if part:
                yield part
            data = decompressor.unconsumed_tail
            if decompressor.eof:
                data, decompressor = decompressor.unused_data, None
    if decompressor is not None:
        raise malformed_json("The gzip body ends before its end; send it whole.")
