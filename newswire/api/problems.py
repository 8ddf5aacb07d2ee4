"""Problems in the form of RFC 9457, and every other exception turned into one."""

import logging

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from newswire.api.request.urls import base_url
from newswire.errors import CODES, Problem
from newswire.schemas.fields import printable

logger = logging.getLogger("newswire.request")
MEDIA_TYPE = "application/problem+json"
BY_STATUS = {
    400: "invalid_parameter", 404: "not_found", 405: "method_not_allowed", 406: "not_acceptable",
    413: "too_large", 415: "unsupported_media_type", 503: "unavailable",
}  # fmt: skip


def answer(problem: Problem) -> Response:
    """The response that tells the caller of a problem."""
    document = {
        "type": problem_type(problem.code),
        **problem.as_dict(),
        "instance": printable(request.path),
        "request_id": g.get("request_id"),
    }
    response = Response(dumped(document), problem.status, content_type=MEDIA_TYPE, headers=problem.headers)
    response.headers["Cache-Control"] = "no-store"
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="newswire", Basic realm="newswire", charset="UTF-8"'
    return response


def embedded(problem: Problem) -> dict[str, object]:
    """A problem inside an answer, as in the results of a batch."""
    return {"type": problem_type(problem.code), **problem.as_dict()}


def problem_type(code: str) -> str:
    return f"{base_url()}/v1/problems#{code}"


def dumped(document: object) -> bytes:
    """JSON bytes; text that a client smuggled in and that cannot be encoded is escaped."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        return orjson.dumps(encodable(document))


def encodable(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(name)): encodable(item) for name, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, list | tuple) else value


def register(app: Flask) -> None:
    """Every way out of a view that is not an answer becomes a problem document."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, of_http_exception)
    app.register_error_handler(Exception, of_defect)


def of_http_exception(error: HTTPException) -> Response:
    code = BY_STATUS.get(error.code or 500, "internal")
    if error.code is not None and error.code < 400:
        return Response(status=error.code, headers=[*error.get_headers()])
    details = {
        "not_found": "There is nothing at this address.",
        "method_not_allowed": f"{request.method} is not possible here; see Allow.",
    }
    response = answer(Problem(code, details.get(code) or error.description or CODES[code].title))
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def of_defect(error: Exception) -> Response:
    logger.exception("a defect of Newswire", extra={"request_id": g.get("request_id")})
    return answer(Problem("internal", "Something went wrong here; the request_id finds it in the log."))
