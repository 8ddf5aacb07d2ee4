"""Responses: JSON with an ETag, 304, content negotiation, compression, and the headers for HTTP caches.

How an ETag is composed is in `request.conditional`, problem documents are in `problems`.
"""

import gzip
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from flask import Request, Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_date, parse_etags

from newswire.api.context import RequestContext
from newswire.api.problems import dump_json
from newswire.errors import Problem

COMPRESS_FROM = 1000
"""Bytes; a smaller body is not compressed."""
CHARSET = re.compile(r"\s*;\s*charset=[^;]*", re.IGNORECASE)
SAFE_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
"""Of every response that does not set them itself. No browser guesses another type, as of an article with markup in it,
and no page that a link leads to learns an address here: the token of a feed may be in it."""
COMPRESSIBLE = frozenset({"application/json", "text/html", "text/markdown", "text/javascript", "text/css"})
WIDER = {"xml": ("application/xml", "text/xml"), "json": ("application/json",)}
"""Generic media types by structured suffix (RFC 6839): a client that accepts any XML gets RSS."""
HEADERS_REMEMBERED = 100
"""Size of the caches of parsed `Accept` and `Accept-Encoding` headers, of which clients send few different ones."""


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


def not_modified_response(context: RequestContext, tag: str) -> Response:
    """304 with the ETag of the client's copy (RFC 9110, 15.4.5), which may be the compressed one."""
    compressed_tag = f"{tag}.gz"
    holds_compressed = accepts_gzip(context.request) and context.request.if_none_match.contains_weak(compressed_tag)
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
    sent = parse_etags(tags)
    if sent:
        return sent.contains_weak(tag) or sent.contains_weak(f"{tag}.gz")
    # Equal, not "no later than": after a restore from a backup the client's copy may be newer than Last-Modified.
    return date is not None and parse_date(since) == date


def negotiate_media_type(request: Request, offered: Sequence[str]) -> str:
    """The offered type with the highest quality in `Accept`, the first of equals; raises `not_acceptable`."""
    header = request.environ.get("HTTP_ACCEPT")
    if header is None:
        return offered[0]
    best = best_media_type(header, tuple(offered))
    if best is None:
        raise Problem("not_acceptable", f"This address answers in {' or '.join(offered)}; ask for that or for */*.")
    return best


@lru_cache(HEADERS_REMEMBERED)
def best_media_type(header: str, offered: tuple[str, ...]) -> str | None:
    """The best of `offered` by an Accept header, None when none is acceptable."""
    # A charset beside a type is ignored: all responses are in UTF-8.
    sent = parse_accept_header(header, MIMEAccept)
    accepted = MIMEAccept([(CHARSET.sub("", media), quality) for media, quality in sent])
    best = accepted.best_match(offered) if accepted else offered[0]
    if best is None:
        wider = (media for media in offered if accepted.best_match(WIDER.get(media.rpartition("+")[2], ())))
        best = next(wider, None)
    return best


def accepts_gzip(request: Request) -> bool:
    header = request.environ.get("HTTP_ACCEPT_ENCODING")
    return header is not None and has_gzip(header)


@lru_cache(HEADERS_REMEMBERED)
def has_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header accepts gzip."""
    return parse_accept_header(header).quality("gzip") > 0


def finish_response(context: RequestContext, response: Response) -> None:
    """Adds the headers of every response (`SAFE_HEADERS`, Cache-Control, Vary, X-Request-Id), and compresses the body.

    A response to an authenticated caller is `private`; `no-cache` lets HTTP caches store it, but revalidate every use.
    """
    headers, caller = response.headers, context.identified
    for name, value in SAFE_HEADERS:
        if name not in headers:
            headers.add(name, value)
    if "Cache-Control" not in headers:
        scope = "public" if caller is None or caller.kind == "public" else "private"
        headers.add("Cache-Control", f"{scope}, no-cache")
    headers.add("X-Request-Id", context.request_id)
    vary = [*context.vary]
    if caller is not None:
        vary.append("Authorization")
    if response.status_code == 304 or is_compressible(response.mimetype or ""):
        vary.append("Accept-Encoding")
        compress_body(context, response)
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
