"""Admission of request bodies: how many bytes the server may receive before the request is processed.

The server asks only for a body that has not arrived together with its head. The application checks all requests itself;
here it is only decided what is worth receiving. A request that is refused whatever is in its body is processed without.
"""

from collections.abc import Mapping
from typing import Any

from flask import Request

from newswire.accounts.callers import Caller
from newswire.api.auth import SIGNATURE, SIGNED
from newswire.api.context import SharedState
from newswire.api.limits.slots import address_party
from newswire.api.request.address import client_address
from newswire.api.request.bodies import BATCH_BYTES
from newswire.api.routes import ROUTES
from newswire.errors import Problem
from newswire.formats.strict_json import ARTICLE_BYTES
from newswire.timestamps import now
from newswire.wire import look_at_head

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
BATCH_PATH = "/v1/articles/batch"
SIGNED_OPERATIONS = frozenset((route.method, route.path) for route in ROUTES if route.signed)
OF_READERS = ("/v1/consumers", "/v1/feeds")
READER_BYTES = 100_000
"""The longest body of a request that a key without the scope `publish` may send."""
SIGNATURE_VARIABLE = "HTTP_" + SIGNATURE.upper().replace("-", "_")


def body_limit(state: SharedState, environ: Mapping[str, Any]) -> int:
    """The number of bytes that the body of this request may have; with 0 it is refused without its body.

    No body is received without a valid key or a signature, nor for a key whose quota is used up, nor for an address
    that guesses. It may look into the database, and wait for that. `state` is that of the process.
    """
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] not in WITH_BODY:
        return 0
    longest = BATCH_BYTES if path == BATCH_PATH else ARTICLE_BYTES
    if "HTTP_AUTHORIZATION" not in environ:
        return ARTICLE_BYTES if may_be_signed(state, environ) and not is_guessing(state, environ) else 0
    try:
        caller = find_caller_of(state, environ)
    except Problem as problem:
        # Whoever could not be looked up now will be when the body is there.
        return 0 if problem.status < 500 else longest
    scope = "read" if path.startswith(OF_READERS) else "publish"
    if scope not in caller.scopes or state.quotas.is_used_up(caller, scope, environ):
        return 0
    return READER_BYTES if scope == "read" else longest


def may_be_signed(state: SharedState, environ: Mapping[str, Any]) -> bool:
    """Whether the wire takes a signature for this operation, and one is sent that has the form of one."""
    operation = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    signature = environ.get(SIGNATURE_VARIABLE, "")
    return state.settings.secret is not None and operation in SIGNED_OPERATIONS and bool(SIGNED.fullmatch(signature))


def is_guessing(state: SharedState, environ: Mapping[str, Any]) -> bool:
    try:
        state.quotas.check_failures(client_address(environ, state.settings.trusted_proxies))
    except Problem:
        return True
    return False


def find_caller_of(state: SharedState, environ: Mapping[str, Any]) -> Caller:
    """The caller with the key of this request; raises what authentication and the wait for a slot raise."""
    head = look_at_head(state.database)
    known = state.authenticator.recall(environ["HTTP_AUTHORIZATION"], head, now())
    if known is not None:
        return known.caller
    client = client_address(environ, state.settings.trusted_proxies)
    slot = state.slots.take(state.slots.authentications, address_party(client), state.settings.wait_seconds)
    try:
        # The application counts the failure, when it authenticates the request once more.
        state.quotas.check_failures(client)
        return state.authenticator.identify_by_key(Request(dict(environ)), head).caller
    finally:
        slot.release()
