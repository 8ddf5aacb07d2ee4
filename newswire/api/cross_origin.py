"""Cross-origin resource sharing (CORS, section 3.2 of the Fetch standard): scripts of which sites may call the wire.

Nobody's, unless NEWSWIRE_CORS_ORIGINS names their origins. Browsers send no credentials of their own here, as no answer
has `Access-Control-Allow-Credentials`: a script needs a key, which it sends in `Authorization`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response

EVERYBODY = ("*",)
ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, If-None-Match, Last-Event-ID,"
    " X-Request-Id"
)
"""Request headers that a script may set. `*` would not cover Authorization."""
EXPOSED_HEADERS = "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
"""Response headers that a script may read, beside those that it always may, such as Content-Type and Last-Modified."""
PREFLIGHT_SECONDS = 7200
"""How long a browser remembers what it may send; Chrome remembers no longer than this."""


def cross_origin_headers(origins: tuple[str, ...], environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers by which a browser lets the script that sends this request read the answer; none if it may not."""
    if origins == EVERYBODY:
        allowed = "*"
    elif environ.get("HTTP_ORIGIN") in origins:
        # One of our own settings, so that nothing of the client gets into a header.
        allowed = environ["HTTP_ORIGIN"]
    else:
        return []
    return [("Access-Control-Allow-Origin", allowed), ("Access-Control-Expose-Headers", EXPOSED_HEADERS)]


def allow_cross_origin(origins: tuple[str, ...], environ: Mapping[str, Any], response: Response) -> None:
    """Adds the headers of `cross_origin_headers`, and makes the answer to a preflight of that to an OPTIONS request.

    Flask answers OPTIONS with the methods of the address in `Allow`: before authentication, without a slot, and without
    a look into the database.
    """
    headers = cross_origin_headers(origins, environ)
    response.headers.extend(headers)
    is_preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    if not headers or not is_preflight or response.status_code not in (200, 404):
        return
    # A preflight that is answered with 404 would hide the problem document of the request itself.
    response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, HEAD, OPTIONS")
    response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    response.set_data(b"")
    response.status_code = 204
    del response.headers["Content-Type"]
