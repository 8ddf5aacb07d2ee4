"""Responses of the server itself, to what is no request that the application could be given.

Nothing that the client sent is quoted, neither in the response nor in the log: it may hold a key.
"""

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus

from gunicorn.http import errors
from gunicorn.util import http_date

logger = logging.getLogger("newswire.server")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server answers by itself: the status, and a sentence for the client."""

    status: int
    detail: str
    retry_after: int | None = None


class RefusedError(Exception):
    """Ends the handling of a request with a refusal.

    The refusals below are no exceptions themselves: one that is raised again and again keeps the frames of all times in
    its traceback, and everything that they refer to.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


SLOW_HEAD = Refusal(408, "The head of the request did not arrive in time.")
SLOW_BODY = Refusal(408, "The body of the request arrives too slowly.")
SHORT_BODY = Refusal(400, "The connection was closed before the end of the body.")
NO_ROOM = Refusal(503, "Too many bodies are being received; try again.", retry_after=1)
NO_HOST = Refusal(400, "A request of HTTP/1.1 must have the header Host.")
NO_TARGET = Refusal(400, "The target of a request must be a path.")
NOT_CHUNKED = Refusal(501, "The only Transfer-Encoding that is understood is chunked.")
DEFECT = Refusal(500, "The server has failed to answer this request; the log says why.")

MALFORMED = Refusal(400, "The request is not one of HTTP/1.1.")
BY_ERROR: dict[type[Exception], Refusal] = {
    errors.InvalidRequestLine: Refusal(
        400, "The request line is malformed; percent-encode blanks and control characters in its target."
    ),
    errors.InvalidRequestMethod: Refusal(400, "The method is malformed."),
    errors.InvalidHTTPVersion: Refusal(400, "The version must be HTTP/1.1 or HTTP/1.0."),
    errors.InvalidHeader: Refusal(400, "A header is malformed, contradicts another one, or is sent twice."),
    errors.InvalidHeaderName: Refusal(400, "The name of a header is malformed."),
    errors.ObsoleteFolding: Refusal(400, "A header is folded over several lines."),
    errors.InvalidSchemeHeaders: Refusal(400, "Two headers contradict each other about the scheme."),
    errors.ExpectationFailed: Refusal(417, "The only Expect that can be met is 100-continue."),
    errors.LimitRequestLine: Refusal(414, "The request line is too long."),
    errors.LimitRequestHeaders: Refusal(431, "The header fields are too long, or too many."),
    errors.UnsupportedTransferCoding: NOT_CHUNKED,
    # The parser wants more of a head that has reached the bound of what is received.
    errors.NoMoreData: Refusal(431, "The head of the request is too long."),
}


def refusal_of(error: Exception) -> Refusal:
    """The refusal that an error of gunicorn's parser stands for."""
    return BY_ERROR.get(type(error), MALFORMED)


def encode_refusal(refusal: Refusal) -> bytes:
    """The whole response: a problem document (RFC 9457) without a type of its own, and the end of the connection."""
    phrase = HTTPStatus(refusal.status).phrase
    document = {"type": "about:blank", "title": phrase, "status": refusal.status, "detail": refusal.detail}
    body = json.dumps(document).encode()
    retry = "" if refusal.retry_after is None else f"Retry-After: {refusal.retry_after}\r\n"
    # The last two are those of every response of the application too (`api.responses.SAFE_HEADERS`).
    head = (
        f"HTTP/1.1 {refusal.status} {phrase}\r\nDate: {http_date()}\r\nConnection: close\r\n{retry}"
        f"Content-Type: application/problem+json\r\nCache-Control: no-store\r\nContent-Length: {len(body)}\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\r\n"
    )
    return head.encode("latin-1") + body


def log_refusal(refusal: Refusal, client: object) -> None:
    """Logs one line; `client` is the address of the peer, as `socket.accept` gives it."""
    address = str(client[0]) if isinstance(client, tuple) else None
    logger.info("refused a request", extra={"status": refusal.status, "reason": refusal.detail, "address": address})
