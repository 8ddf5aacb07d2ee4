"""From a line of the route table to a view that Flask calls and an operation that OpenAPI describes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Flask, Response, g, request
from flask_smorest import Api, Blueprint
from marshmallow import Schema

from newswire.api.auth import require
from newswire.api.converters import CONVERTERS, DESCRIBED
from newswire.api.request.bodies import MOST_ARTICLES
from newswire.api.request.conditional import IDEMPOTENCY_KEY
from newswire.api.request.urls import base_url, is_utf8, parameters
from newswire.api.responses import accept
from newswire.api.schemas.parameters import Parameters, load_parameters
from newswire.article import UNCARRIABLE
from newswire.errors import CODES, Fault, Problem
from newswire.schemas.article import ArticlePatchSchema, ArticleSchema
from newswire.schemas.fields import FILLED_PATTERN
from newswire.schemas.sent import NINJS

KEYED = "Idempotency-Key"
# The component that the schemas of batches bring along.
PROBLEM = {"$ref": "#/components/schemas/ProblemOut"}
CHAPTERS = {
    "publish": ("Publishing", "Articles in: new ones, new versions, corrections, kills."),
    "read": ("Reading", "Articles out: lists, searches, versions, and the wire in order."),
    None: ("About", "What is open to everyone: health, and what the problems mean."),
}


@dataclass(frozen=True)
class Route:
    """One operation: `scope` None is open to everyone; `takes` are the media types of its body.

    `sent` describes a JSON body that is no article; `media` are the media types it answers in, the
    first one where it is all the same to the caller, and `streams` those of endless or very long answers.
    With `tagged` its answers carry an ETag, and 304 tells who has it that nothing changed. With `token` the
    token of the saved feed in its address opens it too, with `signed` a signature over the body.
    """

    method: str
    path: str
    view: Callable[..., Response]
    scope: str | None
    parameters: type[Parameters]
    answers: Mapping[int, type[Schema] | None]
    takes: tuple[str, ...] = ()
    sent: type[Schema] | None = None
    media: tuple[str, ...] = ("application/json",)
    streams: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    tagged: bool = False
    token: bool = False
    signed: bool = False


def register(app: Flask, api: Api, routes: tuple[Route, ...]) -> None:
    """Adds every route to the application and to the OpenAPI document."""
    app.url_map.converters |= CONVERTERS
    # https://news.example/1 is an id too.
    app.url_map.merge_slashes = False
    for converter, schema in DESCRIBED.items():
        api.register_converter(converter, lambda instance, schema=schema: schema)
    api.ma_plugin.converter.add_attribute_function(null_or_nested)
    # A blueprint for each chapter of the reference, for its headings.
    chapters = {scope: Blueprint(name, __name__, description=text) for scope, (name, text) in CHAPTERS.items()}
    views = {route.view.__name__: (chapters[route.scope], route, checked(route)) for route in routes}
    for blueprint, route, view in views.values():
        blueprint.route(route.path, methods=[route.method], provide_automatic_options=False)(
            documented(blueprint, route, view)
        )
    for blueprint in chapters.values():
        api.register_blueprint(blueprint)
    # What flask-smorest wraps a view in is in the document by now; at a request it has nothing to do.
    for name, (blueprint, _, view) in views.items():
        app.view_functions[f"{blueprint.name}.{name}"] = view
    # flask-smorest brings these along; nothing here answers with them.
    for unused in ("Error", "PaginationMetadata"):
        api.spec.components.schemas.pop(unused, None)
    api.spec.options["servers"] = [{"url": "/", "description": "Where this document is served."}]


def null_or_nested(converter: Any, field: Any, ret: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A nested object that may be null, in the document. apispec writes that it may be null or any object."""
    if field.allow_none and "anyOf" in ret:
        inner = next(option for option in ret.pop("anyOf") if "$ref" in option)
        return {"type": "object", "nullable": True, "allOf": [inner]}
    return {}


def documented(blueprint: Blueprint, route: Route, view: Callable[..., Any]) -> Callable[..., Any]:
    """The view with what OpenAPI says of it."""
    # flask-smorest copies what it knows at every step: problems are named only, and schemas come last.
    view = blueprint.doc(**operation(route))(view)
    for status, codes in sorted(refusals(route).items()):
        description = ", ".join(f"`{code}`" for code in codes)
        view = blueprint.alt_response(
            status, schema=PROBLEM, content_type="application/problem+json", description=description
        )(view)
    if route.tagged:
        view = blueprint.alt_response(304, description="What you hold is still so.", success=True)(view)
    for media in dict.fromkeys(offered.partition(";")[0] for offered in (*route.media, *route.streams)):
        if media != "application/json":
            kind = {"type": "object" if media.endswith("+json") else "string"}
            view = blueprint.alt_response(200, schema=kind, content_type=media, success=True)(view)
    for status, schema in route.answers.items():
        view = blueprint.response(status, schema)(view)
    return view


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


def refusals(route: Route) -> dict[int, list[str]]:
    """The problems an operation may answer with, by status."""
    codes = ["unknown_parameter", "invalid_parameter", *route.problems]
    if "q" in route.parameters().fields:
        codes += ["invalid_query"]
    if "cursor" in route.parameters().fields:
        codes += ["invalid_cursor", "cursor_mismatch"]
    if route.path.startswith("/v1"):
        codes += ["not_acceptable"]
    if route.scope is not None:
        codes += ["unauthenticated", "insufficient_scope", "unavailable"]
    if route.scope == "publish":
        codes += ["idempotency_key_reused"]
    found: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        found.setdefault(CODES[code].status, []).append(code)
    return found


def headers_of(route: Route) -> list[dict[str, Any]]:
    """The request headers that mean something to an operation."""
    if route.tagged:
        return [header("If-None-Match", "The ETag of what you hold: 304 when it is still so.")]
    if "text/event-stream" in route.streams:
        return [
            header("Last-Event-ID", "Of an event stream: the id of the last event that you have; wins over `after`.")
        ]
    if route.scope != "publish":
        return []
    found = [header(KEYED, "Makes a repeat of this request safe for 24 hours: it gets the first answer again.")]
    found[0]["schema"] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"}
    if route.method != "POST":
        described = "The ETag of the version that this request changes; `*` for whichever is stored."
        found.append(header("If-Match", described, required="precondition_required" in route.problems))
    if route.method == "PUT":
        found.append(header("If-None-Match", "`*` only creates: 412 when the article exists."))
    return found


def header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "description": description,
        "required": required,
        "schema": {"type": "string"},
    }


def operation(route: Route) -> dict[str, Any]:
    """The parts of the OpenAPI operation that the decorators do not write."""
    parameters: list[Any] = [{"in": "query", "schema": route.parameters}] if route.parameters().fields else []
    parameters += headers_of(route)
    described: dict[str, Any] = {
        "operationId": route.view.__name__,
        "parameters": parameters,
        "security": security(route),
    }
    if route.takes:
        described["requestBody"] = {
            "required": True,
            "content": {media: content(media, route) for media in route.takes},
        }
    return described


def security(route: Route) -> list[dict[str, list[str]]]:
    """The ways to say who calls, one of which is enough."""
    ways = {"bearer": route.scope, "basic": route.scope, "token": route.token, "signature": route.signed}
    return [{way: []} for way, opens in ways.items() if opens]


def content(media: str, route: Route) -> dict[str, Any]:
    """What one media type of a request body holds."""
    if route.sent is not None:
        return {"schema": route.sent()}
    batch = route.path.endswith("/batch")
    if media == "application/merge-patch+json" or (media == "application/json" and route.method == "PATCH"):
        return {"schema": ArticlePatchSchema(partial=True)}
    if media == "application/json":
        several = {"type": "array", "items": ArticleSchema(), "maxItems": MOST_ARTICLES}
        return {"schema": several if batch else ArticleSchema()}
    if media.endswith("+json"):
        return {"schema": NINJS}
    return {"schema": {"type": "string"} if batch else {"type": "string", "minLength": 1, "pattern": FILLED_PATTERN}}
