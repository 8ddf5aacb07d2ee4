"""Addresses of our own: the base they begin with, and the query string of the next page."""

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
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    changed = [(name, value) for name, value in changes.items() if value is not None]
    query = urlencode([*pairs, *changed], errors="backslashreplace")
    return base_url() + quote(request.path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
