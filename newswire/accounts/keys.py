"""API keys: creating, listing and revoking them, and storing when each was last used.

Only the SHA-256 of a key is stored. It needs no salt and no slow hash, because a key has 256 random bits, too many to
guess. Every edit bumps the head's revision, which invalidates the cache of callers.
"""

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from newswire import wire
from newswire.accounts.slugs import PartyError, read_party_id
from newswire.store.articles import AnyRow
from newswire.store.tables import api_key, partner, publisher

SCOPES = {"publisher": ("publish", "read"), "partner": ("read",), "admin": ("admin", "publish", "read")}
"""The scopes that a key of each kind of party can have, and has unless fewer are requested."""
USE_NOTED_EVERY = 60_000
"""Milliseconds between two updates of `last_used_at`: reading must not cost a write for each request."""

KEYS_WITH_OWNERS = api_key.outerjoin(publisher).outerjoin(partner)
SELECT_KEYS = select(
    *api_key.c, publisher.c.slug.label("publisher"), partner.c.slug.label("partner")
).select_from(KEYS_WITH_OWNERS)  # fmt: skip


def create_key(
    connection: Connection,
    *,
    now: int,
    publisher_slug: str | None = None,
    partner_slug: str | None = None,
    scopes: Sequence[str] = (),
    expires_at: int | None = None,
    label: str | None = None,
) -> str:
    """Creates a key of a publisher, of a partner or (without either) of an admin; returns it, for the only time.

    Raises `PartyError` for a scope that such a key cannot have, and for a party that does not exist.
    """
    kind = "publisher" if publisher_slug else "partner" if partner_slug else "admin"
    # Scopes can only be reduced: a partner's key can never publish.
    if excess := set(scopes) - set(SCOPES[kind]):
        raise PartyError(f"A {kind}'s key cannot have the scope {', '.join(sorted(excess))}.")
    key = "nw_" + secrets.token_urlsafe(32)
    connection.execute(
        insert(api_key).values(
            digest=hash_key(key), hint=key[:8], admin=kind == "admin",
            publisher_id=None if publisher_slug is None else read_party_id(connection, publisher, publisher_slug),
            partner_id=None if partner_slug is None else read_party_id(connection, partner, partner_slug),
            scopes=" ".join(scopes or SCOPES[kind]), label=label, created_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    wire.bump_revision(connection)
    return key


def revoke_key(connection: Connection, number: int, now: int) -> None:
    """Revokes a key, from the next request on; raises `PartyError` if it is unknown or revoked already."""
    query = update(api_key).where(api_key.c.id == number, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    if connection.execute(query).rowcount != 1:
        raise PartyError(f"There is no key {number} in use; see `newswire key list`.")
    wire.bump_revision(connection)


def list_keys(connection: Connection) -> Sequence[AnyRow]:
    """The rows of all keys, each with the slug of its party; the keys themselves are not stored."""
    return connection.execute(SELECT_KEYS.order_by(api_key.c.id)).all()


def hash_key(key: str) -> str:
    """The SHA-256 of a key or token in hexadecimal, the form in which it is stored."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def is_use_to_note(row: AnyRow, now: int) -> bool:
    """Whether `last_used_at` of the key in this row is older than `USE_NOTED_EVERY`."""
    return row.last_used_at is None or bool(row.last_used_at < now - USE_NOTED_EVERY)


def note_key_use(connection: Connection, number: int, now: int) -> None:
    """Stores when a key was last used. Call it only if `Caller.stale`, so that reads rarely write."""
    connection.execute(update(api_key).where(api_key.c.id == number).values(last_used_at=now))
