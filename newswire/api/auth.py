"""Who is calling: a key in `Authorization` (Bearer, or Basic with the key as password), and its scopes.

Where articles are posted, also whoever signs what he sends (`signing`).

Every route declares in the route table which scope it needs; `require` runs before its view.
"""

import re
from collections.abc import Callable
from contextlib import suppress

from flask import g, request
from sqlalchemy.exc import DBAPIError

from newswire import wire
from newswire.accounts import saved_feeds
from newswire.accounts.callers import PUBLIC, Caller, find_caller
from newswire.accounts.keys import note_key_use
from newswire.accounts.signing_keys import find_key_of_signature, list_signing_keys, signing_key_caller
from newswire.api.cache.callers import KNOWN
from newswire.api.request.bodies import JSON_TYPES, NINJS_TYPES, read_up_to
from newswire.api.request.urls import pairs
from newswire.api.state import database, settings, state
from newswire.changes.follow import Access
from newswire.errors import Problem
from newswire.formats.strict_json import ARTICLE_BYTES
from newswire.timestamps import now

TOKEN = "token"
SIGNATURE = "x-superdesk-signature"
SIGNED = re.compile("sha1=[0-9a-f]{40}")
SIGNED_TYPES = (*JSON_TYPES, *NINJS_TYPES)


def require(scope: str, feed: str | None = None, *, signed: bool = False) -> Caller:
    """The caller, when it may do what needs `scope`; raises `unauthenticated` or `insufficient_scope`.

    `feed` is the name of the saved feed at this address, which its token opens too. With `signed` a signature
    serves where there is no key.
    """
    if feed is not None and (token := dict(pairs()).get(TOKEN)) is not None:
        caller = bearer_of_token(feed, token)
    elif signed and SIGNATURE in request.headers and "Authorization" not in request.headers:
        caller = signer()
    else:
        caller = identify()
    g.caller = caller
    if scope not in caller.scopes:
        if caller.kind == "public":
            raise unauthenticated("This needs a key: send Authorization: Bearer KEY.")
        raise Problem("insufficient_scope", f"This needs a key with the scope {scope}.")
    return caller


def identify() -> Caller:
    environ = request.environ
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        if settings().public_read:
            return PUBLIC
        raise unauthenticated("This needs a key: send Authorization: Bearer KEY.")
    key = key_of(header)
    if key is None:
        raise unauthenticated("Authorization must be Bearer KEY, or Basic with the key as password.")
    moment = now()
    known = environ.get(KNOWN) or state().callers.known(header, state().looked(), moment)
    if known is None:
        with database().read() as connection:
            caller = find_caller(connection, key, moment)
            head = wire.position(connection)
        if caller is None:
            raise unauthenticated("The key is unknown, revoked or expired.")
        known = state().callers.learn(header, caller, head)
        note_use(caller, moment)
    g.visibility = known.visibility
    return known.caller


def note_use(caller: Caller, moment: int) -> None:
    if caller.stale and caller.key_id is not None:
        # Reading waits for nobody: a wire that is being written to, or a replica, notes the use another time.
        with suppress(Problem, DBAPIError), database().begin(patient=False) as connection:
            note_key_use(connection, caller.key_id, moment)


def signer() -> Caller:
    """The publisher with whose secret the body is signed. It has to be read for that, and is kept for the view."""
    master, moment = settings().secret, now()
    if master is None:
        raise unauthenticated("This wire knows no signatures: its operator has not set NEWSWIRE_SECRET.")
    given = request.headers[SIGNATURE]
    if not SIGNED.fullmatch(given):
        raise unauthenticated(f"{SIGNATURE} must be sha1= and 40 hexadecimal digits.")
    # The type is not signed: what was signed as a document must not be told to be a text.
    if request.mimetype not in SIGNED_TYPES:
        raise Problem("unsupported_media_type", f"What is signed must be {' or '.join(SIGNED_TYPES)}.")
    with database().read() as connection:
        keys = list_signing_keys(connection, moment)
    g.signed = read_up_to(ARTICLE_BYTES)
    key = find_key_of_signature(keys, master, given, g.signed)
    if key is None:
        raise unauthenticated("The signature is not one that a signing key in use gives this very body.")
    with database().read() as connection:
        caller = signing_key_caller(connection, key, moment)
    note_use(caller, moment)
    return caller


def bearer_of_token(feed: str, token: str) -> Caller:
    """The party whose feed this is, to whoever has its token. A token is for readers that cannot send headers."""
    if request.headers.get("Authorization") is not None:
        raise unauthenticated("Send Authorization, or the token of the feed, not both.")
    with database().read() as connection:
        caller = saved_feeds.find_token_caller(connection, token, now())
    if caller is None or caller.feed != feed:
        raise unauthenticated("The token is unknown or revoked, or that of another feed.")
    return caller


def asking_again() -> Callable[[], Access | None]:
    """A question for streams: what the caller of this request may see now, or None when it may read no longer."""
    header = request.headers.get("Authorization")
    key = None if header is None else key_of(header)
    if key is None:
        return lambda: Access(PUBLIC.visibility, None)
    feed = state().feed

    def ask() -> Access | None:
        with feed.read() as connection:
            caller = find_caller(connection, key, now())
        if caller is None or "read" not in caller.scopes:
            return None
        return Access(caller.visibility, caller.expires_at)

    return ask


def key_of(header: str) -> str | None:
    """The key in an Authorization header, or None when there is none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    authorization = request.authorization
    if scheme.lower() == "basic" and authorization is not None:
        return authorization.password or None
    return None


def unauthenticated(detail: str) -> Problem:
    return Problem("unauthenticated", detail)
