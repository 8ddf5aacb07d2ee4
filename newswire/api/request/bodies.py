"""Request bodies: media type, charset, compression and size. Their content is parsed in `newswire.formats`."""

import gzip
import io
import zlib
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
MOST_ARTICLES = 1000
MOST_FAULTS = 20
JSON_TYPES = ("application/json",)
MERGE_TYPES = ("application/merge-patch+json", *JSON_TYPES)
ARTICLE_TYPES = (*JSON_TYPES, *READERS)


def read_body(request: Request, types: tuple[str, ...], limit: int, signed: bytes | None = None) -> bytes:
    """The decompressed body; raises `Problem` for a media type not in `types`, another encoding, or over `limit` bytes.

    `signed` is the raw body if authentication has read it already.
    """
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
    raw = read_up_to(request, limit) if signed is None else signed
    return decompress_gzip(raw, limit) if encoding == "gzip" else raw


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
    """The content of a gzip body. At most `limit` + 1 bytes are decompressed, against decompression bombs."""
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(limit + 1)
    except EOFError:
        raise malformed_json("The gzip body ends before its end; send it whole.") from None
    except (gzip.BadGzipFile, zlib.error):
        raise malformed_json("The body is not valid gzip, as its Content-Encoding says.") from None
    if len(content) > limit:
        raise too_large(limit)
    return content
