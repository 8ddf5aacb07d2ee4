"""The steps of a request before its view: who calls, what may be answered, which parameters came."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response, g, request

from newswire.api.auth import require
from newswire.api.request.urls import base_url, is_utf8, parameters
from newswire.api.responses import accept
from newswire.api.routing import Route
from newswire.api.schemas.parameters import load_parameters
from newswire.article import UNCARRIABLE
from newswire.errors import Fault, Problem


def checked(route: Route) -> Callable[..., Response]:
    """Who calls, what may be answered, which parameters came: in this order, before the view."""
    schema, offered = route.parameters(), (*route.media, *route.streams)

    @wraps(route.view)
    def view(**address: Any) -> Response:
        if route.scope is not None:
            require(route.scope, address.get("feed") if route.token else None, signed=route.signed)
        else:
            g.caller = None
        check_address(address)
        if route.path.startswith("/v1"):
            g.media_type = accept(*offered)
        response = route.view(load_parameters(schema, parameters()), **address)
        if len(offered) > 1:
            g.depends_on = ("Accept",)
        return response

    return view


def check_address(address: Mapping[str, Any]) -> None:
    """Raises a problem for an address that nothing here can have, whichever route it matches."""
    if not base_url():
        raise Problem("invalid_parameter", "The Host header names no host.",
                      [Fault("invalid", "Must be a host, with or without a port.", parameter="Host")])  # fmt: skip
    names = "".join(str(value) for name, value in address.items() if name != "external_id")
    path = request.environ["PATH_INFO"]
    # It is bytes as Latin-1 (PEP 3333); Flask shows what is not UTF-8 as U+FFFD, alike for all.
    if UNCARRIABLE.search(names) or not (path.isascii() or is_utf8(path.encode("latin-1"))):
        raise Problem("not_found", "There is nothing at this address.")
