"""API keys: creating, listing and revoking them, and storing when each was last used.

Only the SHA-256 of a key is stored. It needs no salt and no slow hash, because a key has 256 random bits, too many to
guess. Every edit bumps the head's revision, which invalidates the cache of callers.

The tokens of saved feeds depend on the keys of their party. While it has no key that may read, its tokens are refused;
where a revocation leaves it so, they are deleted, because a new key must not bring back a token that has leaked.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from newswire import wire
from newswire.accounts.slugs import PartyError, party_name, read_party_id
from newswire.errors import Problem
from newswire.quotas import Quota, format_quotas, parse_quotas
from newswire.store.articles import AnyRow
from newswire.store.tables import api_key, feed, partner, publisher

SCOPES = {"publisher": ("publish", "read"), "partner": ("read",), "admin": ("admin", "publish", "read")}
"""The scopes that a key of each kind of party can have, and has unless fewer are requested."""
USE_NOTED_EVERY = 60_000
"""Milliseconds between two updates of `last_used_at`: reading must not cost a write for each request."""
UNKNOWN_KEY = "The key is unknown, revoked or expired; ask the operator of this wire for another."

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
    quotas: Mapping[str, Quota] | None = None,
) -> str:
    """Creates a key of a publisher, of a partner or (without either) of an admin; returns it, for the only time.

    Raises `PartyError` for a scope that such a key cannot have, a quota of such a scope, and a party that does not
    exist.
    """
    kind = "publisher" if publisher_slug else "partner" if partner_slug else "admin"
    # Scopes can only be reduced: a partner's key can never publish.
    if excess := set(scopes) - set(SCOPES[kind]):
        raise PartyError(f"A {kind}'s key cannot have the scope {', '.join(sorted(excess))}.")
    if idle := set(quotas or ()) - set(scopes or SCOPES[kind]):
        raise PartyError(f"The key has no scope {', '.join(sorted(idle))} that could be limited.")
    key = "nw_" + secrets.token_urlsafe(32)
    connection.execute(
        insert(api_key).values(
            digest=hash_key(key), hint=key[:8], admin=kind == "admin",
            publisher_id=None if publisher_slug is None else read_party_id(connection, publisher, publisher_slug),
            partner_id=None if partner_slug is None else read_party_id(connection, partner, partner_slug),
            scopes=" ".join(scopes or SCOPES[kind]), label=label, created_at=now, expires_at=expires_at,
            limits=format_quotas(quotas) if quotas else None,
        )
    )  # fmt: skip
    wire.bump_revision(connection)
    return key


def revoke_key(connection: Connection, number: int, now: int) -> tuple[str, int]:
    """Revokes a key, from the next request on; returns its party, and how many feed tokens were deleted with it.

    All tokens of the party are, if it has no key left that may read. Raises `PartyError` if the key is unknown or
    revoked already.
    """
    # First, because it locks the head row: a token is created under the same lock, so it is either deleted here or
    # refused by `check_key_in_use`.
    wire.bump_revision(connection)
    query = update(api_key).where(api_key.c.id == number, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    if connection.execute(query).rowcount != 1:
        raise PartyError(f"There is no key {number} in use; see `newswire key list`.")
    row = connection.execute(SELECT_KEYS.where(api_key.c.id == number)).one()
    kind = "admin" if row.admin else "publisher" if row.publisher else "partner"
    party = party_name(kind, row.publisher or row.partner)
    if has_reading_key(connection, kind, row.publisher or row.partner, now):
        return party, 0
    tokens = update(feed).where(feed.c.party == party, feed.c.token.is_not(None)).values(token=None, updated_at=now)
    return party, connection.execute(tokens).rowcount


def has_reading_key(connection: Connection, kind: str, slug: str | None, now: int) -> bool:
    """Whether a party has a bearer key in use with the scope `read`."""
    owner = {"publisher": publisher.c.slug == slug, "partner": partner.c.slug == slug}.get(kind, api_key.c.admin)
    scopes = connection.scalars(
        select(api_key.c.scopes).select_from(KEYS_WITH_OWNERS).where(owner, api_key.c.nonce.is_(None), *_is_in_use(now))
    )
    return any("read" in each.split() for each in scopes)


def check_key_in_use(connection: Connection, number: int | None, now: int) -> None:
    """Raises `unauthenticated` if a key was revoked or has expired since its request was authenticated.

    Whatever could outlive the key calls it in the transaction that stores it, after `bump_revision`: between the two
    the client may have taken its time to send the body.
    """
    query = select(api_key.c.id).where(api_key.c.id == number, *_is_in_use(now))
    if connection.execute(query).one_or_none() is None:
        raise Problem("unauthenticated", UNKNOWN_KEY)


def _is_in_use(now: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return api_key.c.revoked_at.is_(None), or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now)


def list_keys(connection: Connection) -> Sequence[AnyRow]:
    """The rows of all keys, each with the slug of its party; the keys themselves are not stored."""
    return connection.execute(SELECT_KEYS.order_by(api_key.c.id)).all()


def quotas_in(row: AnyRow) -> dict[str, Quota]:
    """The quotas of the key in this row by scope; those that it leaves open are the default ones."""
    return parse_quotas([row.limits]) if row.limits else {}


def hash_key(key: str) -> str:
    """The SHA-256 of a key or token in hexadecimal, the form in which it is stored."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def is_use_to_note(row: AnyRow, now: int) -> bool:
    """Whether `last_used_at` of the key in this row is older than `USE_NOTED_EVERY`."""
    return row.last_used_at is None or bool(row.last_used_at < now - USE_NOTED_EVERY)


def note_key_use(connection: Connection, number: int, now: int) -> None:
    """Stores when a key was last used. Call it only if `Caller.stale`, so that reads rarely write."""
    connection.execute(update(api_key).where(api_key.c.id == number).values(last_used_at=now))
