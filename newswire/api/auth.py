"""Authentication of requests by key, feed token or signature, and the publisher that a caller may write for.

A key comes in `Authorization`: as Bearer, or as the password of HTTP Basic. The route table names the scope that an
operation needs. Keys, parties and their entitlements are stored and read in `accounts`.
"""

import base64
import hashlib
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from flask import Request
from sqlalchemy.exc import DBAPIError

from newswire import wire
from newswire.accounts import saved_feeds
from newswire.accounts.callers import PUBLIC, Caller, find_caller
from newswire.accounts.keys import UNKNOWN_KEY, USE_NOTED_EVERY, note_key_use
from newswire.accounts.publishers import find_publisher, read_publisher
from newswire.accounts.signing_keys import find_key_of_signature, list_signing_keys, signing_key_caller
from newswire.api.request.bodies import JSON_TYPES, read_up_to
from newswire.article import UNCARRIABLE, ArticleState, Publisher
from newswire.changes.follow import Access, LiveWire
from newswire.config import Settings
from newswire.errors import Fault, Problem
from newswire.formats.ninjs.document import NINJS_TYPE
from newswire.formats.strict_json import ARTICLE_BYTES
from newswire.store import articles
from newswire.store.database import Database
from newswire.timestamps import now
from newswire.wire import Head, PerHead, revision_of

TOKEN = "token"
SIGNATURE = "x-superdesk-signature"
SIGNED = re.compile("sha1=[0-9a-f]{40}")
SIGNED_TYPES = (*JSON_TYPES, NINJS_TYPE)
MOST_KNOWN = 10_000
"""Callers in the cache; when it is full it is emptied, which costs each of them one query."""
PUBLIC_FINGERPRINT = "public"


class KnownCaller(NamedTuple):
    """A cached caller. `fingerprint` is a hash of what it may see; `read_at` is in seconds of the monotonic clock."""

    caller: Caller
    fingerprint: str
    read_at: float


class Authentication(NamedTuple):
    """The result of authentication. Without a `fingerprint` no response may be cached; `signed_body` is a body that
    had to be read for its signature."""

    caller: Caller
    fingerprint: str | None = None
    signed_body: bytes | None = None


class Authenticator:
    """Authenticates requests, with a cache of callers by the hash of their Authorization header.

    The cache holds the callers of one configuration revision. An edit of any key, party or entitlement raises the
    revision, so that no edit has to invalidate an entry.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self._known: PerHead[dict[bytes, KnownCaller]] = PerHead(revision_of)
        self._lock = threading.Lock()

    def recall(self, header: str, head: Head | None, moment: int) -> KnownCaller | None:
        """The cached caller with this Authorization header, unless its key has expired at `moment` (milliseconds).

        An entry older than `USE_NOTED_EVERY` is read again, because the use of a key is noted only when it is read.
        """
        callers = None if head is None else self._known.get(head)
        known = None if callers is None else callers.get(hash_header(header))
        if known is None or time.monotonic() - known.read_at > USE_NOTED_EVERY / 1000:
            return None
        expires_at = known.caller.expires_at
        return known if expires_at is None or expires_at > moment else None

    def remember(self, header: str, caller: Caller, head: Head) -> KnownCaller:
        """Caches a caller that was read in the same snapshot as `head`."""
        known = KnownCaller(caller, caller.visibility.fingerprint, time.monotonic())
        # Without the lock two threads could each put a new dictionary, and one of the two callers would be lost.
        with self._lock:
            callers = self._known.get(head)
            if callers is None or len(callers) >= MOST_KNOWN:
                callers = self._known.put(head, {})
            callers[hash_header(header)] = known
        return known

    def identify_by_key(self, request: Request, head: Head | None) -> Authentication:
        """The caller whose key is in `Authorization`; without that header the public, if `public_read` is set."""
        header = request.environ.get("HTTP_AUTHORIZATION")
        if header is None:
            if self.settings.public_read:
                return Authentication(PUBLIC, PUBLIC_FINGERPRINT)
            raise unauthenticated_problem("This needs a key: send Authorization: Bearer KEY.")
        key = key_in(request)
        if key is None:
            raise unauthenticated_problem("Authorization must be Bearer KEY, or Basic with the key as password.")
        moment = now()
        known = self.recall(header, head, moment)
        if known is None:
            with self.database.read() as connection:
                caller = find_caller(connection, key, moment)
                head = wire.read_head(connection)
            if caller is None:
                raise unauthenticated_problem(UNKNOWN_KEY)
            known = self.remember(header, caller, head)
            self._note_use(caller, moment)
        return Authentication(known.caller, known.fingerprint)

    def identify_by_token(self, request: Request, feed: str, token: str) -> Authentication:
        """The owner of a saved feed, by the feed's token: for feed readers, which cannot send headers."""
        if request.headers.get("Authorization") is not None:
            raise unauthenticated_problem("Send Authorization, or the token of the feed, not both.")
        with self.database.read() as connection:
            caller = saved_feeds.find_token_caller(connection, token, now())
        if caller is None or caller.feed != feed:
            raise unauthenticated_problem("The token is unknown or revoked, or that of another feed.")
        return Authentication(caller)

    def identify_by_signature(self, request: Request) -> Authentication:
        """The publisher with whose secret the body is signed; reads the body, up to `ARTICLE_BYTES`."""
        master = self.settings.secret
        if master is None:
            raise unauthenticated_problem("This wire knows no signatures: its operator has not set NEWSWIRE_SECRET.")
        signature = request.headers[SIGNATURE]
        if not SIGNED.fullmatch(signature):
            raise unauthenticated_problem(f"{SIGNATURE} must be sha1= and 40 hexadecimal digits.")
        # The signature does not cover the Content-Type: a signed JSON body could be replayed as a text.
        if request.mimetype not in SIGNED_TYPES:
            raise Problem("unsupported_media_type", f"What is signed must be {' or '.join(SIGNED_TYPES)}.")
        with self.database.read() as connection:
            moment = now()
            keys = list_signing_keys(connection, moment)
        # No connection is held while the client sends its body.
        body = read_up_to(request, ARTICLE_BYTES)
        key = find_key_of_signature(keys, master, signature, body)
        if key is None:
            raise unauthenticated_problem("The signature is not one that a signing key in use gives this very body.")
        with self.database.read() as connection:
            caller = signing_key_caller(connection, key, moment)
        self._note_use(caller, moment)
        return Authentication(caller, signed_body=body)

    def _note_use(self, caller: Caller, moment: int) -> None:
        if caller.stale and caller.key_id is not None:
            # A read must not wait for a writer, nor fail on a read-only replica: then a later request notes the use.
            with suppress(Problem, DBAPIError), self.database.begin(wait=0.0) as connection:
                note_key_use(connection, caller.key_id, moment)


def access_checker(request: Request, feed: LiveWire) -> Callable[[], Access | None]:
    """A function for streams that reads the caller's `Access` anew; it returns None once the caller may not read."""
    key = key_in(request)
    if key is None:
        return lambda: Access(PUBLIC.visibility, None)

    def check() -> Access | None:
        with feed.read() as connection:
            caller = find_caller(connection, key, now())
        if caller is None or "read" not in caller.scopes:
            return None
        return Access(caller.visibility, caller.expires_at)

    return check


def key_in(request: Request) -> str | None:
    """The key in the Authorization header, or None without one."""
    header: str = request.environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    return basic_password(rest) if scheme.lower() == "basic" else None


def basic_password(encoded: str) -> str | None:
    """The password in the credentials of HTTP Basic (RFC 7617), or None where they cannot be read or hold none."""
    try:
        # For a string with a character beyond ASCII `b64decode` raises a bare ValueError.
        credentials = base64.b64decode(encoded.strip()).decode()
    except ValueError:
        return None
    return credentials.partition(":")[2] or None


def hash_header(header: str) -> bytes:
    return hashlib.blake2b(header.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def check_scope(caller: Caller, scope: str) -> None:
    """Raises `insufficient_scope`, or `unauthenticated` for a caller who has sent no key."""
    if scope not in caller.scopes:
        if caller.kind == "public":
            raise unauthenticated_problem("This needs a key: send Authorization: Bearer KEY.")
        raise Problem("insufficient_scope", f"This needs a key with the scope {scope}.")


def unauthenticated_problem(detail: str) -> Problem:
    return Problem("unauthenticated", detail)


def party_of_key(caller: Caller, owned: str) -> str:
    """The party that `owned` (a consumer, a feed) belongs to; raises `unauthenticated` for a caller without a key."""
    if caller.kind == "public":
        raise unauthenticated_problem(f"{owned} belongs to a key: send Authorization: Bearer KEY.")
    return caller.party


def publisher_of_key(caller: Caller) -> Publisher:
    """The publisher that the caller's key belongs to; raises `insufficient_scope` for other keys."""
    if caller.publisher is None:
        raise Problem(
            "insufficient_scope",
            "This key belongs to no publisher; use a publisher's key, or PUT /v1/publishers/{publisher}/articles/{id}.",
        )
    return caller.publisher


def named_publisher(database: Database, caller: Caller, slug: str) -> Publisher:
    """The publisher named in the path: the caller's own, or any for an admin. Raises `not_found`."""
    own = caller.publisher
    if own is not None and own.slug == slug:
        return own
    with database.read() as connection:
        found = find_publisher(connection, slug) if caller.kind == "admin" else None
    if found is None:
        raise Problem("not_found", "There is no such publisher, or it is not yours; GET /v1/me names yours.")
    return found


def find_own_article(database: Database, caller: Caller, article_id: str) -> tuple[Publisher, ArticleState]:
    """An article, not locked, and its publisher, if the caller may change it: its own, or any for an admin.

    Raises `not_found`.
    """
    own = caller.publisher
    with database.read() as connection:
        found = articles.find_by_id(connection, article_id)
        owner = found and found.publisher_id
        if found is None or (own is not None and own.id != owner) or (own is None and caller.kind != "admin"):
            raise Problem("not_found", "There is no such article, or it is not yours.")
        return own or read_publisher(connection, found.publisher_id), found


def is_external_id(text: str) -> bool:
    """Whether an article can have this external_id."""
    return 1 <= len(text) <= 250 and not UNCARRIABLE.search(text) and text == " ".join(text.split())


def check_external_id(external_id: str) -> None:
    """Raises `validation_failed` for an external_id in the path that no article can have."""
    if not is_external_id(external_id):
        detail = (
            "The external_id in the address must have 1 to 250 characters that XML can carry, and no blanks but"
            " single ones between them."
        )
        raise Problem("validation_failed", detail, [Fault("invalid", detail, parameter="external_id")])
