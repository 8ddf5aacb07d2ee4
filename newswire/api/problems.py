"""Problem documents (RFC 9457): the responses to a `Problem`, to an HTTP error of Flask, and to a defect.

In the place of a page it is a page that says the same (`server_page`). The closed list of problem codes is in
`newswire.errors`.
"""

import logging

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException

from newswire.api.context import RequestContext
from newswire.api.server_page import is_page_request, refusal_page
from newswire.errors import CODES, Problem
from newswire.schemas.fields import printable_text

logger = logging.getLogger("newswire.request")
MEDIA_TYPE = "application/problem+json"
NOTHING_HERE = "There is nothing at this address; GET /v1/ lists the main ones."
BY_STATUS = {
    400: "invalid_parameter", 404: "not_found", 405: "method_not_allowed", 406: "not_acceptable",
    413: "too_large", 415: "unsupported_media_type", 503: "unavailable",
}  # fmt: skip


def problem_response(context: RequestContext, problem: Problem) -> Response:
    """The problem document of a `Problem`, with its status and headers, or the page of it."""
    if is_page_request(context.request.method, context.request.path):
        response = refusal_page(problem, context.base_url, context.request_id)
    else:
        document = embed_problem(problem, context.base_url) | {
            "instance": printable_text(context.request.path),
            "request_id": context.request_id,
        }
        response = Response(dump_json(document), problem.status, content_type=MEDIA_TYPE)
    response.headers.extend(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    if problem.status == 401:
        add_challenges(response, is_navigation="text/html" in context.request.headers.get("Accept", ""))
    return response


def add_challenges(response: Response, *, is_navigation: bool) -> None:
    """Says how a caller can authenticate (RFC 9110, 11.6.1).

    Chromium reads one challenge of a line, and asks for user and password only where that is Basic. So a person who
    opens an address is asked, and the requests of a script, such as those of /docs, open no dialogue.
    """
    bearer, basic = 'Bearer realm="newswire"', 'Basic realm="newswire", charset="UTF-8"'
    response.headers["WWW-Authenticate"] = bearer if is_navigation else f"{bearer}, {basic}"
    if is_navigation:
        response.headers.add("WWW-Authenticate", basic)


def http_error_response(context: RequestContext, error: HTTPException) -> Response:
    """The response to an exception of Flask or Werkzeug: no route, wrong method, a redirect."""
    if error.code is not None and error.code < 400:
        return Response(status=error.code, headers=[*error.get_headers()])
    code = BY_STATUS.get(error.code or 500, "internal")
    details = {
        "not_found": NOTHING_HERE,
        "method_not_allowed": f"{context.request.method} is not possible here; the header Allow names what is.",
    }
    detail = details.get(code) or error.description or CODES[code].title
    response = problem_response(context, Problem(code, detail))
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def defect_response(context: RequestContext, error: Exception) -> Response:
    """The response to an unexpected exception: 500 without any detail of it; the traceback goes to the log."""
    logger.error("a defect of Newswire", exc_info=error, extra={"request_id": context.request_id})
    problem = Problem("internal", "Something went wrong here; the request_id finds it in the log.")
    return problem_response(context, problem)


def embed_problem(problem: Problem, base_url: str) -> dict[str, object]:
    """The members of a problem document that may also be part of a response, such as the results of a batch."""
    return {"type": problem_type(problem.code, base_url), **problem.as_dict()}


def problem_type(code: str, base_url: str) -> str:
    """The `type` of a problem: the URL of its entry in `/v1/problems`."""
    return f"{base_url}/v1/problems#{code}"


def dump_json(document: object) -> bytes:
    """JSON bytes; lone surrogates, which a problem may quote from a request, are escaped."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        return orjson.dumps(escape_unencodable(document))


def escape_unencodable(value: object) -> object:
    if isinstance(value, str):
        return printable_text(value)
    if isinstance(value, dict):
        return {printable_text(str(name)): escape_unencodable(item) for name, item in value.items()}
    return [escape_unencodable(item) for item in value] if isinstance(value, list | tuple) else value
