"""Responses: JSON with an ETag, 304, compression, and the headers for HTTP caches.

How an ETag is composed is in `request.conditional`, problem documents are in `problems`.
"""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from flask import Request, Response
from werkzeug.http import parse_accept_header, parse_date

from newswire.api.context import RequestContext
from newswire.api.cross_origin import EVERYBODY
from newswire.api.problems import dump_json
from newswire.api.request.conditional import names_tag
from newswire.caches import cache_short

COMPRESS_FROM = 1000
"""Bytes; a smaller body is not compressed."""
NAMES_OF_A_WIRE = 8
"""For how many bases of our own URLs a document is kept: a server has few names, and a Host header can make up more."""
DAY_LONG = "public, max-age=86400"
"""The Cache-Control of files that change with a release at most."""
SAFE_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
"""Of every response that does not set them itself. No browser guesses another type, as of an article with markup in it,
and no page that a link leads to learns an address here: the token of a feed may be in it."""
COMPRESSIBLE = frozenset({"application/json", "text/html", "text/markdown", "text/javascript", "text/css"})


def json_response(
    context: RequestContext, body: bytes | object, status: int = 200, *, tag: str | None = None
) -> Response:
    """A JSON response of bytes or an object; with the ETag `tag`, or 304 if the client has that already."""
    if tag is not None and is_not_modified(context.request, tag):
        return not_modified_response(context, tag)
    content = body if isinstance(body, bytes) else dump_json(body)
    response = Response(content, status, content_type="application/json")
    if tag is not None:
        response.headers.add("ETag", f'"{tag}"')
    return response


@dataclass(frozen=True)
class FixedDocument:
    """A document that is the same for everyone as long as the process runs; hashed and compressed once.

    `tag` is the ETag of the uncompressed form, without quotes. `compressed` is None where that would not be shorter.
    """

    content: bytes
    content_type: str
    tag: str
    compressed: bytes | None

    @classmethod
    def of(cls, content: bytes, content_type: str) -> Self:
        tag = hashlib.blake2b(content, digest_size=16).hexdigest()
        wanted = is_compressible(content_type.partition(";")[0]) and len(content) >= COMPRESS_FROM
        return cls(content, content_type, tag, gzip.compress(content, mtime=0) if wanted else None)


def document_response(context: RequestContext, document: FixedDocument) -> Response:
    """The response with a document that does not change, compressed for clients that accept gzip, or 304."""
    if is_not_modified(context.request, document.tag):
        return not_modified_response(context, document.tag)
    if document.compressed is None or not accepts_gzip(context.request):
        return Response(document.content, content_type=document.content_type, headers={"ETag": f'"{document.tag}"'})
    headers = {"ETag": f'"{document.tag}.gz"', "Content-Encoding": "gzip"}
    return Response(document.compressed, content_type=document.content_type, headers=headers)


def not_modified_response(context: RequestContext, tag: str) -> Response:
    """304 with the ETag of the client's copy (RFC 9110, 15.4.5), which may be the compressed one."""
    compressed_tag = f"{tag}.gz"
    sent = context.request.environ.get("HTTP_IF_NONE_MATCH", "")
    holds_compressed = accepts_gzip(context.request) and sent.strip() != "*" and names_tag(sent, compressed_tag)
    return Response(status=304, headers={"ETag": f'"{compressed_tag if holds_compressed else tag}"'})


def is_not_modified(request: Request, tag: str, date: datetime | None = None) -> bool:
    """Whether the request's preconditions call for 304. `tag` is the ETag of the uncompressed form, without quotes.

    `date` is the `Last-Modified`, if there is one; it counts only without If-None-Match (RFC 9110, 13.2.2).
    """
    environ = request.environ
    return holds_representation(tag, date, environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE"))


def holds_representation(tag: str, date: datetime | None, tags: str | None, since: str | None) -> bool:
    """Whether If-None-Match (`tags`) or, without it, If-Modified-Since (`since`) name this representation."""
    if tags is None and since is None:
        return False
    if tags is not None and tags.strip():
        return names_tag(tags, tag, f"{tag}.gz")
    # Equal, not "no later than": after a restore from a backup the client's copy may be newer than Last-Modified.
    return date is not None and parse_date(since) == date


def accepts_gzip(request: Request) -> bool:
    header = request.environ.get("HTTP_ACCEPT_ENCODING")
    return header is not None and has_gzip(header)


@cache_short(100)
def has_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header accepts gzip."""
    return parse_accept_header(header).quality("gzip") > 0


def is_open_to_shared_caches(context: RequestContext, response: Response) -> bool:
    """Whether caches on the way may answer other readers with this page for NEWSWIRE_SHARED_MAX_AGE seconds.

    Only what the public gets of a public wire, and what has an ETag: the log of changes has none, nor has a list that
    depends on more than the log. An answer for a key, or for the token of a feed, is never shared.
    """
    caller, seconds = context.identified, context.state.settings.shared_max_age
    return seconds > 0 and caller is not None and caller.kind == "public" and "ETag" in response.headers


def finish_response(context: RequestContext, response: Response) -> None:
    """Adds the headers of every response (`SAFE_HEADERS`, Cache-Control, Vary, X-Request-Id), and compresses the body.

    A response to an authenticated caller is `private`; `no-cache` lets HTTP caches store it, but revalidate every use.
    """
    headers, caller, settings = response.headers, context.identified, context.state.settings
    for name, value in SAFE_HEADERS:
        if name not in headers:
            headers.add(name, value)
    if context.is_shared:
        headers.add("Cache-Control", f"public, max-age=0, must-revalidate, s-maxage={settings.shared_max_age}")
    elif "Cache-Control" not in headers:
        scope = "public" if caller is None or caller.kind == "public" else "private"
        headers.add("Cache-Control", f"{scope}, no-cache")
    headers.add("X-Request-Id", context.request_id)
    vary = [*context.vary]
    if caller is not None:
        vary.append("Authorization")
    if response.status_code == 304 or is_compressible(response.mimetype or ""):
        vary.append("Accept-Encoding")
        compress_body(context, response)
    if settings.cors_origins not in (None, EVERYBODY):
        # Also of answers to requests without the header: a cache must not give them to the script of a site.
        vary.append("Origin")
    if vary:
        headers.add("Vary", ", ".join(vary))


def is_compressible(media_type: str) -> bool:
    return media_type in COMPRESSIBLE or media_type.endswith(("+json", "+xml"))


def compress_body(context: RequestContext, response: Response) -> None:
    """Compresses a body of `COMPRESS_FROM` bytes or more if the client accepts gzip, and marks its ETag with `.gz`.

    The two forms need two strong ETags (RFC 9110, 8.8.3.3).
    """
    if (
        not accepts_gzip(context.request)
        or response.is_streamed
        or response.status_code == 304
        or "Content-Encoding" in response.headers
    ):
        return
    content = response.get_data()
    if len(content) < COMPRESS_FROM:
        return
    # A strong ETag promises equal bytes, so the time of compression must not be in them.
    response.set_data(gzip.compress(content, compresslevel=5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    if tag := response.headers.get("ETag"):
        response.headers["ETag"] = f'{tag[:-1]}.gz"'
