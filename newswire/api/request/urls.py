"""Our own URLs: their base, and the URL of the current request with some parameters changed."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

from werkzeug.sansio.utils import get_host

from newswire.api.context import RequestContext
from newswire.caches import cache_short

UNRESERVED = re.compile("[A-Za-z0-9_.~-]*")
"""Characters that are never percent-encoded (RFC 3986, 2.3). Most values have no others, and skip `quote_plus`."""


@lru_cache(100)
def base_url_of(scheme: str, host: str | None, server: str, port: str) -> str:
    """The base of our own URLs from the Host header: scheme and host in ASCII, without a slash at the end.

    "" if the header is not a valid host.
    """
    named = get_host(scheme, host, (server, int(port) if port.isdigit() else None))
    return quote(f"{scheme}://{named}", safe=":/[]@%") if named else ""


def current_url(context: RequestContext, **changes: str | None) -> str:
    """The URL of this request, percent-encoded, with the parameters in `changes` replaced, or removed if None."""
    # A list needs its unchanged URL twice: in its ETag and in `links.self`.
    if not changes and context.own_url is not None:
        return context.own_url
    kept = [encode_parameter(name, value) for name, value in context.query if name not in changes]
    kept += [encode_parameter(name, value) for name, value in changes.items() if value is not None]
    url = join_query(context.base_url + quote_path(context.request.path), kept)
    if not changes:
        context.own_url = url
    return url


def join_query(url: str, parameters: Iterable[str]) -> str:
    query = "&".join(parameters)
    return f"{url}?{query}" if query else url


def encode_parameter(name: str, value: str) -> str:
    """A query parameter, percent-encoded."""
    return "=".join(
        part if UNRESERVED.fullmatch(part) else quote_plus(part, errors="backslashreplace") for part in (name, value)
    )


@cache_short(1000)
def quote_path(path: str) -> str:
    return quote(path, safe="/:@!$&'()*+,;=~")
