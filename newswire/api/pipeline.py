"""The steps of every request, in order, one line each.

    PageCacheMiddleware       in front of Flask: answers what the page cache holds, else hands over head and caller
    (Flask's router)          has matched the address by now; its 404 or 405 is raised after the next step
    begin_request             makes the `RequestContext` and takes a slot
    make_view                 who calls and with which scope, the address, the media type, the parameters; then the view
    (respond_to_…)            whatever was raised becomes a problem document
    finish_request            headers, compression, the page cache, the log line
    end_request               gives the slot back, after the answer was begun

Flask is used as it is, through its registration API. Its `g` holds the context between these functions, and nothing
else; no other module reads it.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from newswire.api.auth import SIGNATURE, TOKEN, Authentication, check_scope
from newswire.api.cache.middleware import PageCacheMiddleware, handed_over, offer_page
from newswire.api.context import RequestContext, SharedState, log_request, request_id_of
from newswire.api.problems import defect_response, http_error_response, problem_response
from newswire.api.request.urls import base_url_of
from newswire.api.responses import finish_response, negotiate_media_type
from newswire.api.routes import Route
from newswire.api.schemas.parameters import is_utf8, load_parameters, sent_parameters, split_query
from newswire.article import UNCARRIABLE
from newswire.errors import Fault, Problem
from newswire.wire import look_at_head

HOST = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
"""Where the WSGI environment tells the base of our own URLs, unless `NEWSWIRE_BASE_URL` does."""


def install_pipeline(app: Flask, state: SharedState) -> None:
    """Registers the steps with Flask, and puts the page cache in front of it."""
    app.before_request(partial(begin_request, state))
    app.after_request(finish_request)
    app.teardown_request(end_request)
    app.register_error_handler(Problem, respond_to_problem)
    app.register_error_handler(HTTPException, respond_to_http_error)
    app.register_error_handler(Exception, respond_to_defect)
    app.wsgi_app = PageCacheMiddleware(app.wsgi_app, state)  # type: ignore[method-assign]


def begin_request(state: SharedState) -> None:
    """Makes the context of the request, and waits for a slot."""
    sent = request._get_current_object()  # type: ignore[attr-defined]
    environ = sent.environ
    cache = handed_over(environ)
    g.context = context = RequestContext(
        state=state,
        request=sent,
        request_id=request_id_of(environ.get("HTTP_X_REQUEST_ID", "")),
        began=time.perf_counter(),
        base_url=state.settings.base_url or base_url_of(*map(environ.get, HOST)),
        query=split_query(environ.get("QUERY_STRING", "")),
        page_cache=cache.page_cache,
        head_seen=cache.head,
        known_caller=cache.known_caller,
    )
    context.take_slot()


def make_view(route: Route) -> Callable[..., Response]:
    """The view of a route behind the steps that come before it."""
    schema, offered = route.parameters(), (*route.media, *route.streams)

    @wraps(route.view)
    def view(**address: Any) -> Response:
        context: RequestContext = g.context
        if route.scope is not None:
            authenticate_caller(context, route, address)
            check_scope(context.caller, route.scope)
        check_address(context, address)
        if route.path.startswith("/v1"):
            context.media_type = negotiate_media_type(context.request, offered)
        context.parameters = load_parameters(schema, sent_parameters(context.request.query_string, context.query))
        response = route.view(context, **address)
        if len(offered) > 1:
            context.vary = ("Accept",)
        return response

    return view


def authenticate_caller(context: RequestContext, route: Route, address: Mapping[str, Any]) -> None:
    """Finds out who calls: by a feed's token or a signature where the route takes them, else by a key."""
    authenticator, sent = context.state.authenticator, context.request
    if route.token and (token := dict(context.query).get(TOKEN)) is not None:
        identity = authenticator.identify_by_token(sent, address["feed"], token)
    elif route.signed and SIGNATURE in sent.headers and "Authorization" not in sent.headers:
        identity = authenticator.identify_by_signature(sent)
    elif context.known_caller is not None:
        identity = Authentication(context.known_caller.caller, context.known_caller.fingerprint)
    else:
        if context.page_cache is None and "Authorization" in sent.headers:
            # A request that the page cache had nothing to do with: a POST, a HEAD.
            context.head_seen = look_at_head(context.database)
        identity = authenticator.identify_by_key(sent, context.head_seen)
    context.identified, context.fingerprint, context.signed_body = identity


def check_address(context: RequestContext, address: Mapping[str, Any]) -> None:
    """Raises a problem for an address that nothing here can have, whichever route it matches."""
    if not context.base_url:
        raise Problem("invalid_parameter", "The Host header names no host.",
                      [Fault("invalid", "Must be a host, with or without a port.", parameter="Host")])  # fmt: skip
    names = "".join(str(value) for name, value in address.items() if name != "external_id")
    path = context.request.environ["PATH_INFO"]
    # It is bytes as Latin-1 (PEP 3333); Flask shows what is not UTF-8 as U+FFFD, alike for all.
    if UNCARRIABLE.search(names) or not (path.isascii() or is_utf8(path.encode("latin-1"))):
        raise Problem("not_found", "There is nothing at this address.")


def respond_to_problem(problem: Problem) -> Response:
    return problem_response(g.context, problem)


def respond_to_http_error(error: HTTPException) -> Response:
    return http_error_response(g.context, error)


def respond_to_defect(error: Exception) -> Response:
    return defect_response(g.context, error)


def finish_request(response: Response) -> Response:
    """The steps after the view, in order: an answer is finished, then cached, then logged."""
    context: RequestContext = g.context
    sent = context.request
    finish_response(context, response)
    offer_page(context, response)
    log_request(context.request_id, sent.method, sent.path, response.status_code, context.began, context.identified)
    return response


def end_request(error: BaseException | None) -> None:
    """Gives the slot back, whatever happened; a request that waits for news has done so already."""
    if (context := g.get("context")) is not None:
        context.release_slot()
