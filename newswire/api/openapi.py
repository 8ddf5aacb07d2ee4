"""The OpenAPI 3.1 document, generated from the route table: paths, parameters, bodies, responses and problems.

It describes the interface and takes no part in processing a request; `views.docs_page` serves it. The values of its
examples are in `examples`.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from newswire import __version__
from newswire.api import examples
from newswire.api.auth import SIGNATURE, TOKEN
from newswire.api.converters import PATH_SCHEMAS
from newswire.api.request.bodies import MOST_ARTICLES
from newswire.api.request.conditional import IDEMPOTENCY_KEY
from newswire.api.routes import Route
from newswire.api.schemas.changes import START_PATTERN
from newswire.api.schemas.envelopes import ProblemOut
from newswire.api.schemas.parameters import ALTERNATIVE_PATTERN, MOMENT_PATTERN, Alternatives, Parameters
from newswire.errors import CODES
from newswire.formats.ninjs.document import NINJS_TYPE
from newswire.schemas.article import NINJS, ArticlePatchSchema, ArticleSchema
from newswire.schemas.fields import FILLED_PATTERN, ONE_LINE_PATTERN, PATTERN

DESCRIPTION = """
A newswire: publishers push articles, partners pull them as pages, searches and an ordered feed of changes.

Every call but the open ones needs a key: `Authorization: Bearer KEY`, or HTTP Basic with the key as password.
Problems are `application/problem+json` with a `code` of a closed list, served at `/v1/problems`.

Where a limit applies to a key, every answer says so in `RateLimit-Policy` and `RateLimit`
(draft-ietf-httpapi-ratelimit-headers-11); beyond it the answer is 429 with `Retry-After`.
"""
TAGS = {
    "publish": ("Publishing", "Articles in: new ones, new versions, corrections, kills."),
    "read": ("Reading", "Articles out: lists, searches, versions, and the wire in order."),
    None: ("About", "What is open to everyone: health, and what the problems mean."),
}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "token": {"type": "apiKey", "in": "query", "name": TOKEN},
    "signature": {"type": "apiKey", "in": "header", "name": SIGNATURE},
}
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"}
MOMENT = "Must be a date such as 2026-11-22, a time such as 2026-11-22T09:30:00Z (RFC 3339)"
PATTERN_MESSAGES = {
    PATTERN: "Must hold no control characters.",
    FILLED_PATTERN: "Must not be blank, nor hold control characters.",
    ALTERNATIVE_PATTERN: "Must name something between its commas, and hold no control characters.",
    ONE_LINE_PATTERN: "Must be one line, without blanks at its ends or side by side, and without control characters.",
    MOMENT_PATTERN: f"{MOMENT}, or now-2d.",
    START_PATTERN: f"{MOMENT}, now-2d, oldest or now.",
}
"""Sentences for the patterns that do not read easily."""
OTHER_FORMS = ("is another form", "are other forms")
PATH_PARAMETER = re.compile(r"<(\w+):(\w+)>")
"""A parameter in a path of the route table: its converter and its name."""


def openapi_document(routes: Iterable[Route], base_url: str) -> dict[str, Any]:
    """The OpenAPI document of `routes`, as JSON values; an operation's tag follows from the scope that it needs.

    `base_url` is where the API is served; it has no slash at its end.
    """
    plugin = MarshmallowPlugin()
    spec = APISpec(
        "Newswire", __version__, "3.1.0", [plugin],
        info={"description": DESCRIPTION, "contact": {"name": "The operator of this wire", "url": f"{base_url}/docs"},
              "license": {"name": "MIT", "identifier": "MIT"}},
        servers=[{"url": base_url, "description": "This wire."},
                 {"url": "/", "description": "This wire, by the name under which this document was loaded."}],
        tags=[{"name": name, "description": description} for name, description in TAGS.values()],
        components={"securitySchemes": SECURITY_SCHEMES},
    )  # fmt: skip
    assert plugin.converter is not None, "APISpec sets it"
    plugin.converter.add_attribute_function(describe_example)  # type: ignore[no-untyped-call]
    plugin.converter.add_attribute_function(describe_pattern)  # type: ignore[no-untyped-call]
    plugin.converter.add_attribute_function(describe_nullable_choice)  # type: ignore[no-untyped-call]
    for route in routes:
        path = PATH_PARAMETER.sub(r"{\2}", route.path)
        spec.path(path, operations={route.method.lower(): describe_operation(route)})
    return spec.to_dict()


def describe_example(converter: Any, field: Any, ret: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """An attribute function of apispec: `examples` of a parameter, or of a field that is no object.

    They stand in the schema: Swagger UI fills its forms with the `example` of a parameter, which would send every
    optional one.
    """
    # The items of a list are described with the list.
    if "enum" in ret or "$ref" in {**ret, **ret.get("items", {})} or not isinstance(field.parent, Schema):
        return {}
    name = field.data_key or field.name
    if isinstance(field.parent, Parameters):
        value = examples.PARAMETERS.get(name.removeprefix("not_"))
        return {} if value is None else {"examples": [[value] if isinstance(field, Alternatives) else value]}
    schema = type(field.parent).__name__.removesuffix("Schema")
    values = {**examples.FIELDS, **examples.OTHER_FIELDS.get(schema, {})}
    return {"examples": [values[name]]} if name in values else {}


def describe_pattern(converter: Any, field: Any, ret: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """An attribute function of apispec: the sentence for a pattern that does not read easily."""
    return pattern_message(ret)


def describe_nullable_choice(converter: Any, field: Any, ret: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """An attribute function of apispec: one of a few strings, or null.

    apispec itself writes a list of types beside `enum`, of which openapi-python-client makes three classes.
    """
    if "enum" not in ret or not field.allow_none:
        return {}
    kind, choices = ret.pop("type")[0], [choice for choice in ret.pop("enum") if choice is not None]
    return {"anyOf": [{"type": kind, "enum": choices}, {"type": "null"}]}


def pattern_message(schema: Mapping[str, Any]) -> dict[str, str]:
    """The member `x-pattern-message` of a schema, which generators of clients and of forms know; {} without one."""
    sentence = PATTERN_MESSAGES.get(schema.get("pattern", ""))
    return {} if sentence is None else {"x-pattern-message": sentence}


def describe_operation(route: Route) -> dict[str, Any]:
    """The OpenAPI operation of a route. The first paragraph of its (or its view's) docstring is the summary."""
    summary, _, description = inspect.cleandoc(route.docstring or route.view.__doc__ or "").partition("\n\n")
    described = {
        "operationId": route.operation_id,
        "summary": summary,
        "description": description,
        "tags": [TAGS[route.scope][0]],
        "security": security_requirements(route),
        "parameters": [
            *path_parameters(route),
            {"in": "query", "schema": route.parameters},
            *header_parameters(route),
        ],
        "responses": describe_answers(route) | describe_refusals(route),
    }
    if route.takes:
        described["requestBody"] = describe_body(route)
    return described


def path_parameters(route: Route) -> list[dict[str, Any]]:
    """The parameters in the path of an operation. Their examples name something that the demo has."""
    values = {**examples.PATHS, **examples.OTHER_PATHS.get(route.operation_id, {})}
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": PATH_SCHEMAS[converter] | pattern_message(PATH_SCHEMAS[converter]),
        }
        | ({"example": values[name]} if name in values else {})
        for converter, name in PATH_PARAMETER.findall(route.path)
    ]


def describe_body(route: Route) -> dict[str, Any]:
    """The request body of an operation, the usual media type first, each with an example that the demo accepts."""
    usual, *others = route.takes
    of_articles = examples.PATCHES if route.method == "PATCH" else examples.ARTICLES
    values = examples.BODIES.get(route.operation_id, {} if route.sent else of_articles)
    content = {media_type: {"schema": body_schema(media_type, route)} for media_type in route.takes}
    for media_type in content.keys() & values.keys():
        if media_type == "application/x-ndjson":
            # Schemathesis gives an operation up that has an example in a media type which it cannot write. Swagger UI
            # fills in a default too.
            content[media_type]["schema"]["default"] = values[media_type]
        else:
            content[media_type]["example"] = values[media_type]
    described = {"required": True, "content": content}
    if others:
        listed = " and ".join(f"`{media_type}`" for media_type in others)
        described["description"] = f"Usually `{usual}`; {listed} {OTHER_FORMS[len(others) > 1]} of the same."
    return described


def security_requirements(route: Route) -> list[dict[str, list[str]]]:
    """The alternative security schemes of a route; empty for a route that is open to everyone."""
    schemes = {"bearer": route.scope, "basic": route.scope, "token": route.token, "signature": route.signed}
    return [{scheme: []} for scheme, opens in schemes.items() if opens]


def header_parameters(route: Route) -> list[dict[str, Any]]:
    """The request headers that an operation evaluates, but for Authorization, Accept and those of compression."""
    found: dict[str, str] = {}
    if route.tagged:
        found["If-None-Match"] = "The ETag of what you hold: 304 when it is still so."
    elif "text/event-stream" in route.streams:
        found["Last-Event-ID"] = "Of an event stream: the id of the last event that you have; wins over `after`."
    elif route.scope == "publish":
        found["Idempotency-Key"] = "Makes a repeat of this request safe for 24 hours: it gets the first answer again."
        if route.method != "POST":
            found["If-Match"] = "The ETag of the version that this request changes; `*` for whichever is stored."
        if route.method == "PUT":
            found["If-None-Match"] = "`*` only creates: 412 when the article exists."
    required = {"If-Match"} if "precondition_required" in route.problems else set()
    return [
        {"in": "header", "name": name, "description": description, "required": name in required,
         "schema": (KEY_SCHEMA if name == "Idempotency-Key" else {"type": "string"})
                   | {"examples": [examples.HEADERS[name]]}}
        | ({"example": examples.HEADERS[name]} if name in required else {})
        for name, description in found.items()
    ]  # fmt: skip


def body_schema(media_type: str, route: Route) -> Any:
    """The schema of a request body in one of the media types that a route takes."""
    if route.sent is not None:
        return route.sent
    is_batch = route.path.endswith("/batch")
    if media_type == "application/merge-patch+json" or (media_type == "application/json" and route.method == "PATCH"):
        return ArticlePatchSchema(partial=True)
    if media_type == "application/json":
        return {"type": "array", "items": ArticleSchema, "maxItems": MOST_ARTICLES} if is_batch else ArticleSchema
    if media_type.endswith("+json"):
        return NINJS if media_type == NINJS_TYPE else {"type": "object"}
    return {"type": "string"} if is_batch else {"type": "string", "minLength": 1, "pattern": FILLED_PATTERN}


def describe_answers(route: Route) -> dict[int, dict[str, Any]]:
    """The responses of an operation that succeeds, and 304, by status."""
    found: dict[int, dict[str, Any]] = {}
    for status, schema in route.answers.items():
        content: dict[str, Any] = {} if schema is None else {"application/json": {"schema": schema}}
        for offered in (*route.media, *route.streams) if status == 200 else ():
            media_type = offered.partition(";")[0]
            if media_type != "application/json":
                content[media_type] = {"schema": {"type": "object" if media_type.endswith("+json") else "string"}}
        found[status] = {"description": HTTPStatus(status).phrase} | ({"content": content} if content else {})
    if route.tagged:
        found[304] = {"description": "What you hold is still so."}
    return found


def describe_refusals(route: Route) -> dict[int, dict[str, Any]]:
    """The problem responses of an operation, by status; the description lists their codes."""
    codes = ["unknown_parameter", "invalid_parameter", *route.problems]
    parameters = route.parameters().fields
    if "q" in parameters:
        codes += ["invalid_query"]
    if "cursor" in parameters:
        codes += ["invalid_cursor", "cursor_mismatch"]
    if route.path.startswith("/v1") and not route.has_suffix:
        codes += ["not_acceptable"]
    if route.scope is not None:
        codes += ["unauthenticated", "insufficient_scope", "quota_exceeded", "unavailable"]
    # Articles and lists, and their names; the log has no query that is too slow, nor has what is open to everyone.
    if route.method == "GET" and route.scope is not None and (route.tagged or "cursor" in parameters):
        codes += ["query_too_slow"]
    if route.scope == "publish":
        codes += ["idempotency_key_reused"]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CODES[code].status, []).append(f"`{code}`")
    content: dict[str, Any] = {"application/problem+json": {"schema": ProblemOut}}
    if route.media == ("text/html",):
        # A person looks at it.
        content = {"text/html": {"schema": {"type": "string"}}}
    return {status: {"description": ", ".join(found), "content": content} for status, found in by_status.items()}
