"""The Flask application: the steps around every view, and what partners ask for all day without the router.

To match an address and what Flask does around it takes longer than to find an article. What is asked for and how
it is answered is the same either way. Of what Flask can do around a view, signals, sessions and steps of blueprints
are left out, of which there are none here.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

LISTS = {"/v1/articles": "list_articles", "/v1/changes": "list_changes"}
ARTICLE = re.compile(r"/v1/articles/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
FOUND = "newswire.view"
WHOLE = frozenset({200, 201})
"""Statuses whose answers have a body, which Werkzeug takes from others."""


class NoSession(SessionInterface):
    """Nobody is remembered from one request to the next."""

    NONE = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self.NONE


def sent(response: Response, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The response for WSGI. What is there as a whole goes as it is, and Werkzeug has nothing to correct."""
    body: Iterable[Any] = response.response
    headers = [*response.headers]
    is_whole = isinstance(body, list) and any(name == "Content-Length" for name, _ in headers)
    if not is_whole or response.status_code not in WHOLE or environ["REQUEST_METHOD"] == "HEAD":
        return response(environ, start_response)
    start_response(response.status, headers)
    return body


class Application(Flask):
    """Flask; none of the views is a coroutine.

    `before` are the steps before a view, and `after` those that its answer goes through, in their order; `leave`
    comes when the answer is on its way.
    """

    session_interface = NoSession()

    def __init__(
        self,
        before: Iterable[Callable[[], None]],
        after: Iterable[Callable[[Response], Response]],
        leave: Callable[[], None],
    ) -> None:
        super().__init__("newswire", static_folder=None)
        self.before, self.after, self.leave = tuple(before), tuple(after), leave

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        context = self.request_context(environ)
        context.push()
        try:
            try:
                response = self.full_dispatch_request()
            except Exception as error:
                response = self.handle_exception(error)
            return sent(response, environ, start_response)
        finally:
            context.pop()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is not None and request.method == "GET" and (found := self._found(request.environ["PATH_INFO"])):
            request.environ[FOUND] = found
            return None
        return super().create_url_adapter(request)

    def full_dispatch_request(self) -> Response:
        self._got_first_request = True
        try:
            for begin in self.before:
                begin()
            answer = self.dispatch_request()
        except Exception as error:
            answer = self.handle_user_exception(error)
        response = self.make_response(answer)
        for finish in self.after:
            response = finish(response)
        return response

    def dispatch_request(self) -> Any:
        found = request.environ.get(FOUND)
        if found is None:
            return super().dispatch_request()
        view, address = found
        return view(**address)

    def do_teardown_request(self, exc: Any = None) -> None:
        self.leave()

    def do_teardown_appcontext(self, exc: Any = None) -> None:
        pass

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def _found(self, path: str) -> tuple[Callable[..., Any], dict[str, str]] | None:
        if path in LISTS:
            return self.view_functions[LISTS[path]], {}
        article = ARTICLE.fullmatch(path)
        return article and (self.view_functions["read_article"], {"article_id": article[1]})
