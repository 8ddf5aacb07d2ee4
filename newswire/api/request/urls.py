"""Our own URLs: the base that they begin with, and the URL of a request with some parameters changed."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

from werkzeug.sansio.utils import get_host

from newswire.api.context import RequestContext

UNRESERVED = re.compile("[A-Za-z0-9_.~-]*")
"""What stands in a URL as it is (RFC 3986, 2.3)."""


@lru_cache(1000)
def base_url_of(scheme: str, host: str | None, server: str, port: str) -> str:
    """The beginning of our own URLs as a client named it; ASCII, no slash at its end.

    "" when the Host header is not that of any host.
    """
    named = get_host(scheme, host, (server, int(port) if port.isdigit() else None))
    return quote(f"{scheme}://{named}", safe=":/[]@%") if named else ""


def current_url(context: RequestContext, **changes: str | None) -> str:
    """The URL of this request, percent-encoded, with some parameters set to other values; None leaves one out."""
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
    """A parameter as it stands in a URL."""
    return "=".join(
        part if UNRESERVED.fullmatch(part) else quote_plus(part, errors="backslashreplace") for part in (name, value)
    )


@lru_cache(1000)
def quote_path(path: str) -> str:
    return quote(path, safe="/:@!$&'()*+,;=~")
