"""Signing keys: who publishes, known by an HMAC over what is sent, as a Superdesk's HTTP push makes it.

A secret has to be known to both sides, so it cannot be stored as a hash. It is not stored at all:
it is derived from the setting NEWSWIRE_SECRET and the key's nonce, and whoever has the database
alone can sign nothing. SHA-1 is what a Superdesk can send; as an HMAC it is not broken (RFC 6194).
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, or_, select, update

from newswire.accounts import parties
from newswire.accounts.parties import USED_EVERY, Caller
from newswire.store.articles import AnyRow
from newswire.store.tables import api_key, publisher

SCOPE = "publish"
PREFIX = "nws_"


def signing_secret(master: str, nonce: str) -> str:
    """The secret of the key with this nonce: HMAC-SHA256 in hexadecimal."""
    message = f"newswire signing key\n{nonce}".encode()
    return PREFIX + hmac.new(master.encode("utf-8", "surrogateescape"), message, hashlib.sha256).hexdigest()


def create_signing_key(
    connection: Connection, *, now: int, master: str, publisher_slug: str, expires_at: int | None, label: str | None
) -> tuple[str, int]:
    """A new signing key of a publisher: its secret, which is shown this once, and its number.

    It is listed and revoked as any key. The bearer key that its row is made with is thrown away.
    """
    unused = parties.create_key(
        connection, now=now, publisher_slug=publisher_slug, scopes=[SCOPE], expires_at=expires_at, label=label
    )
    nonce = secrets.token_urlsafe(24)
    secret = signing_secret(master, nonce)
    query = update(api_key).where(api_key.c.digest == parties.hashed(unused))
    number = connection.execute(query.values(nonce=nonce, hint=secret[:8]).returning(api_key.c.id)).scalar_one()
    return secret, number


def signing_keys(connection: Connection, now: int) -> Sequence[AnyRow]:
    """The signing keys in use, each with the slug of its publisher."""
    in_use = select(*api_key.c, publisher.c.slug).join(publisher).where(
        api_key.c.nonce.is_not(None), api_key.c.revoked_at.is_(None),
        or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now),
    )  # fmt: skip
    return connection.execute(in_use.order_by(api_key.c.id)).all()


def key_of_signature(keys: Sequence[AnyRow], master: str, signature: str, body: bytes) -> AnyRow | None:
    """The key among `keys` that made a `signature` over `body`; None for nobody's. It takes a hash of it for each."""
    for row in keys:
        digest = hmac.new(signing_secret(master, row.nonce).encode(), body, hashlib.sha1).hexdigest()
        if hmac.compare_digest(f"sha1={digest}", signature):
            return row
    return None


def caller_of_key(connection: Connection, row: AnyRow, now: int) -> Caller:
    """The publisher whose signing key this is."""
    return parties.caller_as(
        connection, "publisher", row.slug, scopes=frozenset({SCOPE}), label=row.label, expires_at=row.expires_at,
        key_id=row.id, stale=row.last_used_at is None or row.last_used_at < now - USED_EVERY,
    )  # fmt: skip
