"""Signing keys: a publisher authenticates a request by an HMAC over its body, as the HTTP push of Superdesk does.

Both sides must know the secret, so a hash of it would not do. It is not stored at all: it is derived from the setting
NEWSWIRE_SECRET and the nonce of the key, so that a copy of the database is not enough to sign. Superdesk uses SHA-1,
which is not broken within an HMAC (RFC 6194).
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, or_, select, update

from newswire.accounts.callers import Caller, party_caller
from newswire.accounts.keys import create_key, hash_key, is_use_to_note, quotas_in
from newswire.quotas import Quota
from newswire.store.articles import AnyRow
from newswire.store.tables import api_key, publisher

SCOPE = "publish"
PREFIX = "nws_"


def derive_signing_secret(master: str, nonce: str) -> str:
    """The secret of the key with this nonce: HMAC-SHA256 in hexadecimal."""
    message = f"newswire signing key\n{nonce}".encode()
    return PREFIX + hmac.new(master.encode("utf-8", "surrogateescape"), message, hashlib.sha256).hexdigest()


def create_signing_key(
    connection: Connection, *, now: int, master: str, publisher_slug: str, expires_at: int | None, label: str | None,
    quotas: Mapping[str, Quota] | None = None,
) -> tuple[str, int]:  # fmt: skip
    """Creates a signing key of a publisher; returns its secret, for the only time, and its number.

    It is listed and revoked like any key. Its row is created with a bearer key, which is thrown away.
    """
    unused = create_key(
        connection, now=now, publisher_slug=publisher_slug, scopes=[SCOPE], expires_at=expires_at, label=label,
        quotas=quotas,
    )  # fmt: skip
    nonce = secrets.token_urlsafe(24)
    secret = derive_signing_secret(master, nonce)
    query = update(api_key).where(api_key.c.digest == hash_key(unused))
    number = connection.execute(query.values(nonce=nonce, hint=secret[:8]).returning(api_key.c.id)).scalar_one()
    return secret, number


def list_signing_keys(connection: Connection, now: int) -> Sequence[AnyRow]:
    """The rows of all valid signing keys, each with the slug of its publisher."""
    in_use = select(*api_key.c, publisher.c.slug).join(publisher).where(
        api_key.c.nonce.is_not(None), api_key.c.revoked_at.is_(None),
        or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now),
    )  # fmt: skip
    return connection.execute(in_use.order_by(api_key.c.id)).all()


def find_key_of_signature(keys: Sequence[AnyRow], master: str, signature: str, body: bytes) -> AnyRow | None:
    """The row among `keys` whose key made `signature` over `body`, or None. Hashes the body once for each key."""
    for row in keys:
        digest = hmac.new(derive_signing_secret(master, row.nonce).encode(), body, hashlib.sha1).hexdigest()
        # In constant time: the duration must not tell how much of a forged signature is right.
        if hmac.compare_digest(f"sha1={digest}", signature):
            return row
    return None


def signing_key_caller(connection: Connection, row: AnyRow, now: int) -> Caller:
    """The caller that the signing key in `row` authenticates: its publisher."""
    return party_caller(
        connection, "publisher", row.slug, scopes=frozenset({SCOPE}), label=row.label, expires_at=row.expires_at,
        key_id=row.id, stale=is_use_to_note(row, now), quotas=quotas_in(row),
    )  # fmt: skip
