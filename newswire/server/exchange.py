"""What a thread does with a connection: parses a head, asks whether its body may be received, runs the application.

It never waits for the client, except in a stream: what is missing of a body, and what the socket does not take of a
response, is left to the event loop.
"""

import logging
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gunicorn.http import errors, wsgi
from gunicorn.http.body import ChunkedReader
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response

from newswire.server.chunked import MalformedChunks
from newswire.server.connection import Connection, ResponseSocket
from newswire.server.refusals import (
    DEFECT,
    NO_HOST,
    NO_ROOM,
    NO_TARGET,
    NOT_CHUNKED,
    Refusal,
    RefusedError,
    encode_refusal,
    log_refusal,
    refusal_of,
)
from newswire.server.request_body import RequestBody

logger = logging.getLogger("newswire.server")

BODY_REFUSED = "gunicorn.body_refused"
"""True in the WSGI environment of a request whose body is longer than it may be, and was not received."""
CLIENT_GONE = "newswire.client_gone"
"""In the WSGI environment, a function that any thread may call: whether the client has closed its side."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
KEEPALIVE_POLL_MS = 1
"""How long a thread waits for the next request of its connection before it returns the connection to the event loop."""

Environment = dict[str, Any]
Application = Callable[[Environment, Any], Iterable[bytes]]


@dataclass(slots=True)
class Exchange:
    """A request whose head was parsed, with the response to it."""

    request: Request
    response: Response
    environ: Environment
    body: RequestBody
    is_continue_expected: bool


class Exchanges:
    """Serves connections: the function of the threads.

    `body_limit` tells how many bytes of a body may be received, by the environment of its request; `is_stopping`
    whether connections must be closed, `is_crowded` whether others may be waiting for a thread.
    """

    def __init__(
        self,
        config: Any,
        application: Application,
        body_limit: Callable[[Environment], int],
        is_stopping: Callable[[], bool],
        is_crowded: Callable[[], bool],
    ) -> None:
        self.config = config
        self.application = application
        self.body_limit = body_limit
        self.is_stopping = is_stopping
        self.is_crowded = is_crowded

    def serve(self, connection: Connection) -> None:
        """Answers what has been received; the connection's fields tell the event loop what to do with it then."""
        try:
            while self.answer_request(connection) and not self.is_stopping() and not self.is_crowded():
                if not connection.received.data and not (has_next_request(connection.socket) and connection.receive()):
                    break
                if not connection.received.is_parsable():
                    break
        except RefusedError as refused:
            refuse(connection, refused.refusal)
        except TimeoutError:
            logger.info("closed the connection of a client that did not read its response")
            connection.is_broken = True
        except ConnectionError:
            connection.is_broken = True
        except Exception:
            logger.exception("a defect: a request could not be answered")
            if connection.exchange is None or connection.exchange.response.headers_sent:
                connection.is_broken = True
            else:
                refuse(connection, DEFECT)
        if connection.is_broken or connection.is_closing:
            connection.release_exchange()

    def answer_request(self, connection: Connection) -> bool:
        """Answers one request, or leaves it to the event loop; True if the next request may be answered at once."""
        exchange = connection.exchange
        if exchange is None:
            exchange = connection.exchange = self.begin_exchange(connection)
            if not exchange.body.is_whole and not self.admit_body(connection, exchange):
                return False
        self.run_application(connection, exchange)
        connection.received.unread(exchange.body.rest)
        connection.release_exchange()
        return not (connection.is_closing or connection.queue)

    def begin_exchange(self, connection: Connection) -> Exchange:
        """Parses a head, and takes what is there of its body. Raises `RefusedError`."""
        connection.requests += 1
        if not connection.received.data.isascii():
            connection.received.encode_target()
        try:
            request = Request(self.config, connection.received, connection.client, connection.requests)
        except (errors.ParseException, errors.NoMoreData, StopIteration) as error:
            raise RefusedError(refusal_of(error)) from None
        check_head(request)
        # A later minor version is answered in the newest one that the server speaks (RFC 9110, section 2.5).
        request.version = min(request.version, (1, 1))
        # Without this `wsgi.create` would ask for the body at once.
        is_continue_expected, request._expected_100_continue = request._expected_100_continue, False
        response, environ = wsgi.create(
            request, ResponseSocket(connection), connection.client, connection.server, self.config
        )
        environ["wsgi.multithread"] = True
        environ[CLIENT_GONE] = connection.is_client_gone
        length = None if isinstance(request.body.reader, ChunkedReader) else request.body.reader.length
        exchange = Exchange(request, response, environ, RequestBody(length, time.monotonic()), is_continue_expected)
        if not exchange.body.is_whole:
            self.receive_body(connection, exchange.body)
        return exchange

    def receive_body(self, connection: Connection, body: RequestBody) -> None:
        """Takes what there is of a body without waiting: many clients send head and body in two pieces."""
        if not connection.received.data:
            connection.receive()
        if connection.received.data:
            feed_body(body, bytes(connection.received.read()))

    def admit_body(self, connection: Connection, exchange: Exchange) -> bool:
        """Asks how long the body may be; True if the application is to run without it, which refuses it then."""
        body = exchange.body
        body.limit = self.body_limit(exchange.environ)
        if body.is_refused:
            return True
        if exchange.is_continue_expected and body.received == 0:
            connection.enqueue(CONTINUE)
            connection.send()
        return False

    def run_application(self, connection: Connection, exchange: Exchange) -> None:
        """Runs the application, and sends what the socket takes of its response."""
        response, environ, body = exchange.response, exchange.environ, exchange.body
        connection.sent, connection.sending_since = 0, time.monotonic()
        environ["wsgi.input"] = body.open_input()
        if body.is_refused:
            environ[BODY_REFUSED] = True
        elif environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
            # The application sees the length of the body, and not how it was sent (RFC 9112, section 7.1.3).
            environ["CONTENT_LENGTH"] = str(body.size)
        if body.is_refused or self.is_stopping():
            response.force_close()
        chunks = self.application(environ, response.start_response)
        try:
            for chunk in chunks:
                response.write(chunk)
            response.close()
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        connection.send()
        connection.is_closing = response.should_close()


def feed_body(body: RequestBody, data: bytes) -> None:
    """Gives a body what was received; raises `RefusedError` if it is malformed or cannot be stored."""
    try:
        body.receive(data, time.monotonic())
    except MalformedChunks as error:
        raise RefusedError(Refusal(400, str(error))) from None
    except OSError as error:
        # No descriptor or no space is left for the temporary file.
        logger.warning("a body could not be stored: %s", error)
        raise RefusedError(NO_ROOM) from None


def check_head(request: Request) -> None:
    """Raises `RefusedError` for what gunicorn's parser lets pass, and a server of resources cannot answer."""
    if request.method == "CONNECT" or request.uri == "*":
        raise RefusedError(NO_TARGET)
    headers = dict(request.headers)
    if "HOST" not in headers and request.version >= (1, 1):
        raise RefusedError(NO_HOST)
    # gunicorn hands over the content as it is, compressed, when it is both compressed and chunked.
    if headers.get("TRANSFER-ENCODING", "chunked").lower() != "chunked":
        raise RefusedError(NOT_CHUNKED)


def refuse(connection: Connection, refusal: Refusal) -> None:
    """Queues the response of a refusal, after which the connection is closed."""
    log_refusal(refusal, connection.client)
    connection.is_closing = True
    connection.sent, connection.sending_since = 0, time.monotonic()
    connection.enqueue(encode_refusal(refusal))
    try:
        connection.send()
    except ConnectionError:
        connection.is_broken = True


def has_next_request(connection: socket.socket) -> bool:
    """Waits up to `KEEPALIVE_POLL_MS` for bytes of the client, or for its closing of the connection."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(KEEPALIVE_POLL_MS))
