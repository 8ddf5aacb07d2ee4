"""The OpenAPI document: operations, parameters, request bodies and problems of each route."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint

from newswire.api.converters import CONVERTERS, DESCRIBED
from newswire.api.pipeline import checked
from newswire.api.request.bodies import MOST_ARTICLES
from newswire.api.request.conditional import IDEMPOTENCY_KEY
from newswire.api.routing import Route
from newswire.errors import CODES
from newswire.schemas.article import NINJS, ArticlePatchSchema, ArticleSchema
from newswire.schemas.fields import FILLED_PATTERN

KEYED = "Idempotency-Key"


# The component that the schemas of batches bring along.
PROBLEM = {"$ref": "#/components/schemas/ProblemOut"}


CHAPTERS = {
    "publish": ("Publishing", "Articles in: new ones, new versions, corrections, kills."),
    "read": ("Reading", "Articles out: lists, searches, versions, and the wire in order."),
    None: ("About", "What is open to everyone: health, and what the problems mean."),
}


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
