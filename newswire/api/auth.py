"""Authentication: who calls, by a key, a feed's token or a signature; and which publisher a caller may write for.

A key comes in `Authorization`: as Bearer, or as the password of HTTP Basic. The route table says which scope each
operation needs.
"""

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
from newswire.accounts.keys import USE_NOTED_EVERY, note_key_use
from newswire.accounts.publishers import find_publisher, read_publisher
from newswire.accounts.signing_keys import find_key_of_signature, list_signing_keys, signing_key_caller
from newswire.api.request.bodies import JSON_TYPES, read_up_to
from newswire.article import UNCARRIABLE, Publisher
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
PUBLIC_FINGERPRINT = "public"


class KnownCaller(NamedTuple):
    """A caller out of the cache; `fingerprint` stands for what it may see, `asked_at` is in monotonic seconds."""

    caller: Caller
    fingerprint: str
    asked_at: float


class Authentication(NamedTuple):
    """Who calls. `fingerprint` is None where no answer may be shared; `signed_body` is what a signature was over."""

    caller: Caller
    fingerprint: str | None = None
    signed_body: bytes | None = None


class Authenticator:
    """Finds out who calls, with a cache of callers by the hash of their Authorization header.

    An edit of any key, party or entitlement raises the configuration revision, which empties the cache.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self._known: PerHead[dict[bytes, KnownCaller]] = PerHead(revision_of)
        self._lock = threading.Lock()

    def recall(self, header: str, head: Head | None, moment: int) -> KnownCaller | None:
        """The caller with this Authorization header, if it is in the cache and its key has not expired.

        It is read anew now and then, because the use of a key is noted when it is read.
        """
        known = None if head is None else self._known.get(head)
        found = None if known is None else known.get(hash_header(header))
        if found is None or time.monotonic() - found.asked_at > USE_NOTED_EVERY / 1000:
            return None
        expires_at = found.caller.expires_at
        return found if expires_at is None or expires_at > moment else None

    def remember(self, header: str, caller: Caller, head: Head) -> KnownCaller:
        """Caches a caller that was read in the same snapshot as `head`."""
        found = KnownCaller(caller, caller.visibility.fingerprint, time.monotonic())
        with self._lock:
            known = self._known.get(head)
            if known is None or len(known) >= MOST_KNOWN:
                known = self._known.put(head, {})
            known[hash_header(header)] = found
        return found

    def identify_by_key(self, request: Request, head: Head | None) -> Authentication:
        """The caller whose key is in `Authorization`; without one it is anybody, where the wire is open to read."""
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
                raise unauthenticated_problem("The key is unknown, revoked or expired.")
            known = self.remember(header, caller, head)
            self._note_use(caller, moment)
        return Authentication(known.caller, known.fingerprint)

    def identify_by_token(self, request: Request, feed: str, token: str) -> Authentication:
        """The party whose saved feed this is, for whoever has the feed's token: readers that cannot send headers."""
        if request.headers.get("Authorization") is not None:
            raise unauthenticated_problem("Send Authorization, or the token of the feed, not both.")
        with self.database.read() as connection:
            caller = saved_feeds.find_token_caller(connection, token, now())
        if caller is None or caller.feed != feed:
            raise unauthenticated_problem("The token is unknown or revoked, or that of another feed.")
        return Authentication(caller)

    def identify_by_signature(self, request: Request) -> Authentication:
        """The publisher with whose secret the body is signed. The body has to be read for that."""
        master, moment = self.settings.secret, now()
        if master is None:
            raise unauthenticated_problem("This wire knows no signatures: its operator has not set NEWSWIRE_SECRET.")
        given = request.headers[SIGNATURE]
        if not SIGNED.fullmatch(given):
            raise unauthenticated_problem(f"{SIGNATURE} must be sha1= and 40 hexadecimal digits.")
        # The type is not signed: what was signed as a document must not be told to be a text.
        if request.mimetype not in SIGNED_TYPES:
            raise Problem("unsupported_media_type", f"What is signed must be {' or '.join(SIGNED_TYPES)}.")
        with self.database.read() as connection:
            keys = list_signing_keys(connection, moment)
        body = read_up_to(request, ARTICLE_BYTES)
        key = find_key_of_signature(keys, master, given, body)
        if key is None:
            raise unauthenticated_problem("The signature is not one that a signing key in use gives this very body.")
        with self.database.read() as connection:
            caller = signing_key_caller(connection, key, moment)
        self._note_use(caller, moment)
        return Authentication(caller, signed_body=body)

    def _note_use(self, caller: Caller, moment: int) -> None:
        if caller.stale and caller.key_id is not None:
            # Reading waits for nobody: while somebody else writes, and on a replica, the use is noted another time.
            with suppress(Problem, DBAPIError), self.database.begin(patient=False) as connection:
                note_key_use(connection, caller.key_id, moment)


def access_checker(request: Request, feed: LiveWire) -> Callable[[], Access | None]:
    """A function for streams: what the caller of this request may see by now, None when it may read no longer."""
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
    """The key in the Authorization header, or None when there is none."""
    header: str = request.environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    authorization = request.authorization
    if scheme.lower() == "basic" and authorization is not None:
        return authorization.password or None
    return None


def hash_header(header: str) -> bytes:
    return hashlib.blake2b(header.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def check_scope(caller: Caller, scope: str) -> None:
    """Raises `insufficient_scope`, or `unauthenticated` where a key would help."""
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
    """The publisher whose key this is."""
    if caller.publisher is None:
        raise Problem(
            "insufficient_scope",
            "This key belongs to no publisher; use a publisher's key, or PUT /v1/publishers/{publisher}/articles/{id}.",
        )
    return caller.publisher


def named_publisher(database: Database, caller: Caller, slug: str) -> Publisher:
    """The publisher in the address: the caller's own, or any for an admin; else `not_found`."""
    own = caller.publisher
    if own is not None and own.slug == slug:
        return own
    with database.read() as connection:
        found = find_publisher(connection, slug) if caller.kind == "admin" else None
    if found is None:
        raise Problem("not_found", "There is no such publisher, or it is not yours.")
    return found


def publisher_of_article(database: Database, caller: Caller, article_id: str) -> Publisher:
    """The publisher of an article that the caller may change; else `not_found`."""
    own = caller.publisher
    with database.read() as connection:
        owner = articles.owner_of(connection, article_id)
        if owner is None or (own is not None and own.id != owner) or (own is None and caller.kind != "admin"):
            raise Problem("not_found", "There is no such article, or it is not yours.")
        return own or read_publisher(connection, owner)


def check_external_id(external_id: str) -> None:
    """Raises `validation_failed` for an external_id in the address that no article can have."""
    if (
        not 1 <= len(external_id) <= 250
        or UNCARRIABLE.search(external_id)
        or external_id != " ".join(external_id.split())
    ):
        detail = (
            "The external_id in the address must have 1 to 250 characters that XML can carry, and no blanks but"
            " single ones between them."
        )
        raise Problem("validation_failed", detail, [Fault("invalid", detail, parameter="external_id")])
