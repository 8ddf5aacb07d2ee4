"""The pipeline: the steps of every request, in order.

    PageCacheMiddleware       before Flask: responds from the page cache, else hands over the head and the caller
    (Flask's router)          has matched the path by now; its 404 or 405 is raised after the next step
    begin_request             creates the `RequestContext`, and checks the Host header
    make_view                 authentication, quota, scope, a slot, check of the address, content negotiation,
                              parameters; the view
    (respond_to_…)            turns an exception into a problem document
    finish_request            headers, compression, the page cache, the log line
    end_request               releases the slot

Each step is implemented in a module of its own and only called here. Flask's `g` carries the context from one of these
functions to the next, and nothing else; no other module reads it.
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
from newswire.api.cross_origin import allow_cross_origin
from newswire.api.limits.slots import address_party
from newswire.api.problems import NOTHING_HERE, defect_response, http_error_response, problem_response
from newswire.api.request.accept import negotiate_media_type
from newswire.api.request.hosts import ALLOWED_HOSTS, is_allowed_host
from newswire.api.request.urls import base_url_of
from newswire.api.responses import finish_response, is_open_to_shared_caches
from newswire.api.routes import Route
from newswire.api.schemas.parameters import is_utf8, load_parameters, sent_parameters, split_query
from newswire.article import UNCARRIABLE
from newswire.errors import Fault, Problem
from newswire.schemas.fields import printable_text
from newswire.timestamps import now
from newswire.wire import look_at_head

HOST = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
"""The WSGI variables that give the base of our own URLs, unless `NEWSWIRE_BASE_URL` is set."""

HEALTH = ("/healthz", "/readyz")


def install_pipeline(app: Flask, state: SharedState) -> None:
    """Registers the steps with Flask, and wraps it in the middleware of the page cache."""
    app.before_request(partial(begin_request, state))
    app.after_request(finish_request)
    app.teardown_request(end_request)
    app.register_error_handler(Problem, respond_to_problem)
    app.register_error_handler(HTTPException, respond_to_http_error)
    app.register_error_handler(Exception, respond_to_defect)
    app.wsgi_app = PageCacheMiddleware(app.wsgi_app, state)  # type: ignore[method-assign]


def begin_request(state: SharedState) -> None:
    """Creates the context of the request, and refuses a request under a name that is not ours.

    It runs at every address, also at those that are no `Route`, and before the 404 of an unknown one.
    """
    sent = request._get_current_object()  # type: ignore[attr-defined]
    environ = sent.environ
    cache = handed_over(environ)
    g.context = context = RequestContext(
        state=state,
        request=sent,
        request_id=request_id_of(environ.get("HTTP_X_REQUEST_ID", "")),
        began=cache.began or time.perf_counter(),
        base_url=state.settings.base_url or base_url_of(*map(environ.get, HOST)),
        query=split_query(environ.get("QUERY_STRING", "")),
        patience=state.settings.wait_seconds,
        page_cache=cache.page_cache,
        head_seen=cache.head,
        known_caller=cache.known_caller,
        flights=cache.flights,
        flight=cache.flight,
    )
    if cache.began:
        # The page cache may have waited for another request that makes the same page.
        context.patience -= time.perf_counter() - cache.looked_at
    # Last, because they may raise: by now `g` holds the context that a problem document is made with.
    check_host(context)
    if "HTTP_X_FORWARDED_FOR" in environ and (address := context.client_address) is not None:
        context.take_address(address)


def check_host(context: RequestContext) -> None:
    """Raises `invalid_parameter` for a Host that names no host, or is not a name of the wire."""
    if not context.base_url:
        detail = "The header Host is missing or names no host; send a host name or an address, with or without a port."
        raise Problem("invalid_parameter", detail, [Fault("invalid", detail, parameter="Host")])
    settings, environ = context.state.settings, context.request.environ
    # A probe of a container or a balancer asks for the address of the process, whatever the wire is called.
    if settings.allowed_hosts is None or environ["PATH_INFO"] in HEALTH:
        return
    host = environ.get("HTTP_HOST", "")
    if not is_allowed_host(host, settings.allowed_hosts, settings.base_url):
        # No URL of ours may be made of the refused name; the `type` of the problem would be one.
        context.base_url = settings.base_url or ""
        detail = f"The wire is not reached as {printable_text(host)[:100]!r}; its operator names it in {ALLOWED_HOSTS}."
        raise Problem("invalid_parameter", detail, [Fault("invalid", detail, parameter="Host")])


def make_view(route: Route) -> Callable[..., Response]:
    """The Flask view of a route: the steps that come before `route.view`, and the call of it."""
    schema, offered = route.parameters(), (*route.media, *route.streams)
    # An address with the suffix of a format answers in that format, whatever `Accept` says, and so do pages and health.
    is_strict = route.path.startswith("/v1") and not route.has_suffix

    @wraps(route.view)
    def view(**address: Any) -> Response:
        context: RequestContext = g.context
        # Authentication comes first: a caller without a key learns nothing else, such as what parameters there are.
        if route.scope is not None:
            authenticate_caller(context, route, address)
            reserve_request(context, route.scope)
            check_scope(context.caller, route.scope)
            take_work_slot(context, route)
        check_path(context, address)
        accept = context.request.environ.get("HTTP_ACCEPT")
        if accept is not None and (len(offered) > 1 or is_strict):
            context.media_type = negotiate_media_type(accept, offered, is_strict=is_strict)
        else:
            context.media_type = offered[0]
        context.parameters = load_parameters(schema, sent_parameters(context.request.query_string, context.query))
        response = route.view(context, **address)
        context.is_shared = route.tagged and is_open_to_shared_caches(context, response)
        if len(offered) > 1:
            context.vary = ("Accept",)
        return response

    return view


def authenticate_caller(context: RequestContext, route: Route, address: Mapping[str, Any]) -> None:
    """Authenticates by a feed's token or a signature, if the route accepts them and they are sent, else by key."""
    authenticator, sent = context.state.authenticator, context.request
    header = sent.environ.get("HTTP_AUTHORIZATION")
    if context.page_cache is None and header is not None:
        # The page cache handles GET only; other methods look at the head here, for the cache of callers.
        context.head_seen = look_at_head(context.database)
    if context.head_seen is None:
        context.database.refuse_if_silent()
    if route.token and (token := dict(context.query).get(TOKEN)) is not None:
        look_up_caller(context, partial(authenticator.identify_by_token, sent, address["feed"], token))
    elif route.signed and header is None and SIGNATURE in sent.headers:
        look_up_caller(context, partial(authenticator.identify_by_signature, sent))
    elif header is None:
        context.set_identity(authenticator.identify_by_key(sent, None))
    else:
        known = context.known_caller
        if context.page_cache is None:
            known = authenticator.recall(header, context.head_seen, now())
        if known is not None:
            context.set_identity(Authentication(known.caller, known.fingerprint))
        else:
            look_up_caller(context, partial(authenticator.identify_by_key, sent, context.head_seen))


def look_up_caller(context: RequestContext, identify: Callable[[], Authentication]) -> None:
    """Authenticates by a look into the database: with a slot for that, and not for an address that guesses keys."""
    quotas, client = context.state.quotas, context.client_address
    slot = context.take_slot(context.state.slots.authentications, address_party(client))
    try:
        quotas.check_failures(client)
        context.set_identity(identify())
    except Problem as problem:
        if problem.code == "unauthenticated":
            quotas.note_failure(client)
        raise
    finally:
        context.release_slot(slot)


def reserve_request(context: RequestContext, scope: str) -> None:
    """Counts the request under the quota of its key; raises `quota_exceeded`."""
    state, caller = context.state, context.caller
    if not caller.quotas and state.settings.limits is None:
        return
    context.reservation = reservation = state.quotas.reserve(caller, scope, context.request.environ)
    if reservation is not None and not reservation.is_granted:
        raise reservation.refusal(time.monotonic())


def take_work_slot(context: RequestContext, route: Route) -> None:
    """Waits for a slot of a reader or a writer; a request that gets none costs nothing of its quota."""
    slots = context.state.slots
    try:
        context.take_slot(slots.readers if route.method == "GET" else slots.writers, context.party)
    except Problem:
        context.is_free = True
        raise


def check_path(context: RequestContext, address: Mapping[str, Any]) -> None:
    """Raises `not_found` for a path that is not UTF-8 or not fit for XML."""
    names = "".join(str(value) for name, value in address.items() if name != "external_id")
    path = context.request.environ["PATH_INFO"]
    # PEP 3333 gives the path as bytes decoded as Latin-1. Flask replaces what is not UTF-8 by U+FFFD, so that two
    # different paths would look the same to a view.
    if UNCARRIABLE.search(names) or not (path.isascii() or is_utf8(path.encode("latin-1"))):
        raise Problem("not_found", NOTHING_HERE)


def respond_to_problem(problem: Problem) -> Response:
    return problem_response(g.context, problem)


def respond_to_http_error(error: HTTPException) -> Response:
    return http_error_response(g.context, error)


def respond_to_defect(error: Exception) -> Response:
    return defect_response(g.context, error)


def finish_request(response: Response) -> Response:
    """Finishes a response, caches it and logs the request."""
    context: RequestContext = g.context
    sent = context.request
    # The cache stores finished responses: on a hit no header is computed and nothing is compressed again.
    finish_response(context, response)
    offer_page(context, response)
    # After it was cached, because a cached page is counted anew each time, and sent to scripts of several sites.
    add_quota_headers(context, response)
    if origins := context.state.settings.cors_origins:
        allow_cross_origin(origins, sent.environ, response)
    log_request(context.request_id, sent.method, sent.path, response.status_code, context.began, context.identified)
    return response


def add_quota_headers(context: RequestContext, response: Response) -> None:
    """Adds the RateLimit fields, and gives a request back that was answered with 304 or found no slot."""
    reservation = context.reservation
    if reservation is None:
        return
    is_free = reservation.is_granted and (response.status_code == 304 or context.is_free)
    if is_free:
        context.state.quotas.give_back(reservation)
    if not context.is_shared:
        response.headers.extend(reservation.headers(time.monotonic(), given_back=is_free))


def end_request(error: BaseException | None) -> None:
    """Releases the slots, also after an exception; a long poll has released its own already."""
    if (context := g.get("context")) is not None:
        context.release_slots()
