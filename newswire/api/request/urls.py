"""Addresses of our own: the base they begin with, the query string as it came, and that of the next page."""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, quote, quote_plus, unquote_to_bytes

from flask import current_app, g, request
from werkzeug.sansio.utils import get_host

from newswire.errors import Fault, Problem

BASE, PAIRS = "newswire.base_url", "newswire.pairs"
"""What the WSGI environment of a request holds, once it was needed."""
UNRESERVED = re.compile("[A-Za-z0-9_.~-]*")
"""What stands in an address as it is (RFC 3986, 2.3)."""


def base_url() -> str:
    """Where this wire is reached: the setting, else scheme and Host of the request; ASCII, no slash at the end.

    Empty when the Host header is not that of any host.
    """
    environ = request.environ
    base: str | None = environ.get(BASE)
    if base is None:
        configured: str | None = current_app.config["NEWSWIRE"].settings.base_url
        named = map(environ.get, ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT"))
        environ[BASE] = base = configured or base_of(*named)
    return base


@lru_cache(1000)
def base_of(scheme: str, host: str | None, server: str, port: str) -> str:
    named = get_host(scheme, host, (server, int(port) if port.isdigit() else None))
    return quote(f"{scheme}://{named}", safe=":/[]@%") if named else ""


def here(**changes: str | None) -> str:
    """The address of this request, percent-encoded, with some parameters set to other values; None leaves one out."""
    place, pairs, whole = g.get("here") or parted()
    if not changes:
        return whole
    kept = [pair for name, pair in pairs if name not in changes]
    kept += [encoded(name, value) for name, value in changes.items() if value is not None]
    return joined(place, kept)


def parted() -> tuple[str, list[tuple[str, str]], str]:
    """The address of this request: its place, its parameters by name and as they stand in it, and the whole."""
    place = base_url() + quoted(request.path)
    written = [(name, encoded(name, value)) for name, value in pairs()]
    g.here = found = (place, written, joined(place, [pair for _, pair in written]))
    return found


def pairs() -> list[tuple[str, str]]:
    """The query string of this request, name and value; what is not UTF-8 as U+FFFD."""
    environ = request.environ
    found: list[tuple[str, str]] | None = environ.get(PAIRS)
    if found is None:
        # It is bytes as Latin-1 (PEP 3333).
        sent = environ.get("QUERY_STRING", "").encode("latin-1").decode("utf-8", "replace")
        environ[PAIRS] = found = parse_qsl(sent, keep_blank_values=True)
    return found


def joined(place: str, pairs: Sequence[str]) -> str:
    return f"{place}?{'&'.join(pairs)}" if pairs else place


def encoded(name: str, value: str) -> str:
    """A parameter as it stands in an address."""
    return "=".join(
        part if UNRESERVED.fullmatch(part) else quote_plus(part, errors="backslashreplace") for part in (name, value)
    )


@lru_cache(1000)
def quoted(path: str) -> str:
    return quote(path, safe="/:@!$&'()*+,;=~")


def parameters() -> dict[str, list[str]]:
    """The query string by name; refuses bytes that are not UTF-8, of which Flask would make other text."""
    sent = request.query_string
    for pair in () if is_utf8(unquote_to_bytes(sent)) else sent.split(b"&"):
        if not is_utf8(unquote_to_bytes(pair)):
            name = unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "backslashreplace")[:100]
            raise Problem("invalid_parameter", f"{name}: Is not UTF-8.",
                          [Fault("invalid", "Is not UTF-8.", parameter=name)])  # fmt: skip
    found: dict[str, list[str]] = {}
    for name, value in pairs():
        found.setdefault(name, []).append(value)
    return found


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
