"""Addresses of our own: the base they begin with, and the query string of the next page."""

from functools import lru_cache
from urllib.parse import quote, urlencode

from flask import current_app, g, request


def base_url() -> str:
    """Where this wire is reached: the setting, else scheme and Host of the request; ASCII, no slash at the end.

    Empty when the Host header is not that of any host.
    """
    if "base_url" not in g:
        configured: str | None = current_app.config["NEWSWIRE"].settings.base_url
        found = quote(f"{request.scheme}://{request.host}", safe=":/[]@%") if request.host else ""
        g.base_url = configured or found
    base: str = g.base_url
    return base


def here(**changes: str | None) -> str:
    """The address of this request, percent-encoded, with some parameters set to other values; None leaves one out."""
    kept = [pair for name, pair in pairs() if name not in changes]
    kept += [encoded(name, value) for name, value in changes.items() if value is not None]
    return base_url() + quoted(request.path) + (f"?{'&'.join(kept)}" if kept else "")


def pairs() -> list[tuple[str, str]]:
    """The parameters of this request, each by its name and as it stands in an address."""
    if "pairs" not in g:
        g.pairs = [(name, encoded(name, value)) for name, value in request.args.items(multi=True)]
    found: list[tuple[str, str]] = g.pairs
    return found


def encoded(name: str, value: str) -> str:
    return urlencode({name: value}, errors="backslashreplace")


@lru_cache(1000)
def quoted(path: str) -> str:
    return quote(path, safe="/:@!$&'()*+,;=~")
