"""Addresses of our own: the base they begin with, and the query string of the next page."""

import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

from flask import current_app, g, request

UNRESERVED = re.compile("[A-Za-z0-9_.~-]*")
"""What stands in an address as it is (RFC 3986, 2.3)."""


def base_url() -> str:
    """Where this wire is reached: the setting, else scheme and Host of the request; ASCII, no slash at the end.

    Empty when the Host header is not that of any host.
    """
    base: str | None = g.get("base_url")
    if base is None:
        configured: str | None = current_app.config["NEWSWIRE"].settings.base_url
        g.base_url = base = configured or base_of(request.scheme, request.host)
    return base


@lru_cache(1000)
def base_of(scheme: str, host: str) -> str:
    return quote(f"{scheme}://{host}", safe=":/[]@%") if host else ""


def here(**changes: str | None) -> str:
    """The address of this request, percent-encoded, with some parameters set to other values; None leaves one out."""
    parts = g.get("here")
    if parts is None:
        pairs = [(name, encoded(name, value)) for name, value in request.args.items(multi=True)]
        g.here = parts = (base_url() + quoted(request.path), pairs)
    place, pairs = parts
    kept = [pair for name, pair in pairs if name not in changes]
    kept += [encoded(name, value) for name, value in changes.items() if value is not None]
    return f"{place}?{'&'.join(kept)}" if kept else place


def encoded(name: str, value: str) -> str:
    """A parameter as it stands in an address."""
    return "=".join(
        part if UNRESERVED.fullmatch(part) else quote_plus(part, errors="backslashreplace") for part in (name, value)
    )


@lru_cache(1000)
def quoted(path: str) -> str:
    return quote(path, safe="/:@!$&'()*+,;=~")
