"""Answers: JSON bytes with ETag, negotiation, compression, and the headers that caches need."""

import gzip
import re

from flask import Response, g, request
from werkzeug.datastructures import MIMEAccept

from newswire.api.problems import dumped
from newswire.api.request.conditional import not_modified
from newswire.errors import Problem

COMPRESS_FROM = 1000
CHARSET = re.compile(r"\s*;\s*charset=[^;]*", re.IGNORECASE)
COMPRESSIBLE = ("application/json", "text/html", "text/markdown", "text/javascript", "text/css")
WIDER = {"xml": ("application/xml", "text/xml"), "json": ("application/json",)}


def accept(*media_types: str) -> str:
    """The type that the caller likes best, the first one where it is all the same; raises `not_acceptable`."""
    offered = media_types or ("application/json",)
    if "HTTP_ACCEPT" not in request.environ:
        return offered[0]
    # Everything here is in UTF-8, whatever charset is asked for beside a type.
    accepted = MIMEAccept([(CHARSET.sub("", media), quality) for media, quality in request.accept_mimetypes])
    best = accepted.best_match(offered) if accepted else offered[0]
    if best is None:
        best = next((media for media in offered if accepted.best_match(wider(media))), None)
    if best is None:
        raise Problem("not_acceptable", f"This address answers in {' or '.join(offered)}; ask for that or for */*.")
    return best


def wider(media_type: str) -> tuple[str, ...]:
    """The types that a type is one of (RFC 6839): who can read any XML can read RSS."""
    return WIDER.get(media_type.rpartition("+")[2], ())


def json_answer(body: bytes | object, status: int = 200, *, tag: str | None = None) -> Response:
    """An answer in JSON; with the ETag `tag`, and 304 where the caller holds it already (reads only)."""
    content = body if isinstance(body, bytes) else dumped(body)
    response = Response(content, status, content_type="application/json")
    if tag is not None:
        response.headers.add("ETag", f'"{tag}"')
        if request.method in {"GET", "HEAD"} and not_modified(tag):
            return unchanged(tag)
    return response


def unchanged(tag: str) -> Response:
    """304 with the ETag of the copy that the caller holds (RFC 9110, 15.4.5): compressed, or plain."""
    compressed_tag = f"{tag}.gz"
    held = compressed_tag if takes_gzip() and request.if_none_match.contains_weak(compressed_tag) else tag
    return Response(status=304, headers={"ETag": f'"{held}"'})


def takes_gzip() -> bool:
    return "HTTP_ACCEPT_ENCODING" in request.environ and request.accept_encodings.quality("gzip") > 0


def finish(response: Response) -> Response:
    """The last step of every answer: what depends on the caller is private, and bodies are compressed.

    `g.depends_on` are other headers of the request on which the answer depends.
    """
    known, headers = g._get_current_object(), response.headers
    caller = known.get("caller")
    if "Cache-Control" not in headers:
        scope = "public" if caller is None or caller.kind == "public" else "private"
        headers.add("Cache-Control", f"{scope}, no-cache")
    headers.add("X-Request-Id", known.request_id)
    depends_on = list(known.get("depends_on", ()))
    if caller is not None:
        depends_on.append("Authorization")
    if response.status_code == 304 or is_compressible(response.mimetype or ""):
        depends_on.append("Accept-Encoding")
        compress(response)
    if depends_on:
        headers.add("Vary", ", ".join(depends_on))
    return response


def is_compressible(media_type: str) -> bool:
    return media_type in COMPRESSIBLE or media_type.endswith(("+json", "+xml"))


def compress(response: Response) -> None:
    """Where that is worth it, and the caller takes it."""
    if (
        not takes_gzip()
        or response.is_streamed
        or response.status_code == 304
        or "Content-Encoding" in response.headers
    ):
        return
    content = response.get_data()
    if len(content) < COMPRESS_FROM:
        return
    # mtime=0: the same page gives the same bytes.
    response.set_data(gzip.compress(content, compresslevel=5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    if tag := response.headers.get("ETag"):
        response.headers["ETag"] = f'{tag[:-1]}.gz"'
