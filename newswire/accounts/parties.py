"""Publishers, partners with their entitlements, and keys: who may call, and as whom.

Only the SHA-256 of a key is stored. It needs no salt and no slow hash: a key holds 256
random bits, which nobody guesses. Every edit raises the head's revision.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from newswire import wire
from newswire.article import Publisher
from newswire.store.articles import AnyRow
from newswire.store.tables import api_key, entitlement, partner, publisher
from newswire.visibility import EVERYTHING, FACETS, Filter, Grant, Visibility

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?")
SCOPES = {"publisher": ("publish", "read"), "partner": ("read",), "admin": ("admin", "publish", "read")}
LIMITS = tuple(name for name in FACETS if name != "author")
USED_EVERY = 60_000


OWNERS = api_key.outerjoin(publisher).outerjoin(partner)
OWNED = select(*api_key.c, publisher.c.slug.label("publisher"), partner.c.slug.label("partner")).select_from(OWNERS)
BY_KEY = OWNED.where(api_key.c.digest == bindparam("digest"), api_key.c.nonce.is_(None))


class PartyError(Exception):
    """A publisher, partner or key cannot be made or found; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Caller:
    """Who a key is, or nobody in particular (`kind` public): its scopes and what it may see.

    `publisher` is set for a publisher's key only; `slug` and `name` are those of the party. `feed` is set
    where the caller came with a feed's token, which opens nothing else.
    """

    kind: str
    scopes: frozenset[str]
    visibility: Visibility
    slug: str | None = None
    name: str | None = None
    publisher: Publisher | None = None
    limits: Mapping[str, Sequence[str]] | None = None
    label: str | None = None
    expires_at: int | None = None
    key_id: int | None = None
    stale: bool = False
    feed: str | None = None

    @property
    def party(self) -> str:
        """Whose key it is; all keys of a party share what is kept for it."""
        return f"{self.kind}:{self.slug or ''}"


PUBLIC = Caller("public", frozenset({"read"}), Visibility(EVERYTHING))


def add_publisher(connection: Connection, slug: str, name: str, url: str | None, language: str, now: int) -> Publisher:
    """A new publisher; raises `PartyError` when the slug is taken or not one."""
    check_slug(connection, publisher, slug)
    values = {"slug": slug, "name": name, "url": url, "language": language}
    number = connection.execute(
        insert(publisher).values(**values, created_at=now).returning(publisher.c.id)
    ).scalar_one()
    wire.revise(connection)
    return Publisher(number, slug, name, url, language)


def set_publisher(connection: Connection, slug: str, changes: Mapping[str, Any]) -> Publisher:
    """Changes name, url or language from the next article on; stored versions keep what they said."""
    held = find_publisher(connection, slug)
    if held is None:
        raise PartyError(f"There is no publisher {slug!r}; see `newswire publisher list`.")
    if changes:
        connection.execute(update(publisher).where(publisher.c.slug == slug).values(**changes))
        wire.revise(connection)
    return held._replace(**changes)


def find_publisher(connection: Connection, slug: str) -> Publisher | None:
    row = connection.execute(select_publisher().where(publisher.c.slug == slug)).one_or_none()
    return Publisher(*row) if row else None


def publisher_by_id(connection: Connection, number: int) -> Publisher:
    return Publisher(*connection.execute(select_publisher().where(publisher.c.id == number)).one())


def publishers(connection: Connection) -> list[Publisher]:
    return [Publisher(*row) for row in connection.execute(select_publisher().order_by(publisher.c.slug))]


def select_publisher() -> Any:
    return select(publisher.c.id, publisher.c.slug, publisher.c.name, publisher.c.url, publisher.c.language)


def add_partner(connection: Connection, slug: str, name: str, limits: Mapping[str, Sequence[str]], now: int) -> None:
    """A new partner; `limits` are its entitlement, e.g. {"section": ["world"]}; empty: everything."""
    check_slug(connection, partner, slug)
    number = connection.execute(
        insert(partner).values(slug=slug, name=name, created_at=now).returning(partner.c.id)
    ).scalar_one()
    grant(connection, number, limits, now)


def set_partner(
    connection: Connection, slug: str, name: str | None, limits: Mapping[str, Sequence[str]] | None, now: int
) -> None:
    """Renames a partner or gives it another entitlement; the old one is kept as history."""
    number = connection.execute(select(partner.c.id).where(partner.c.slug == slug)).scalar_one_or_none()
    if number is None:
        raise PartyError(f"There is no partner {slug!r}; see `newswire partner list`.")
    if name is not None:
        connection.execute(update(partner).where(partner.c.id == number).values(name=name))
        wire.revise(connection)
    if limits is not None:
        grant(connection, number, limits, now)


def grant(connection: Connection, partner_id: int, limits: Mapping[str, Sequence[str]], now: int) -> None:
    """A new entitlement from here on. Revising first locks the head: no entry can come between."""
    wire.revise(connection)
    connection.execute(
        insert(entitlement).values(
            partner_id=partner_id,
            since_seq=wire.position(connection).seq,
            filter=dict(limits),
            created_at=now,
        )
    )


def partners(connection: Connection) -> list[tuple[str, str, Mapping[str, Sequence[str]]]]:
    """Slug, name and entitlement in force of every partner."""
    rows = connection.execute(select(partner.c.id, partner.c.slug, partner.c.name).order_by(partner.c.slug)).all()
    return [(row.slug, row.name, grants(connection, row.id)[-1].filter) for row in rows]


def grants(connection: Connection, partner_id: int) -> Sequence[AnyRow]:
    return connection.execute(
        select(entitlement.c.since_seq, entitlement.c.filter)
        .where(entitlement.c.partner_id == partner_id)
        .order_by(entitlement.c.id)
    ).all()


def check_slug(connection: Connection, table: Any, slug: str) -> None:
    if not SLUG.fullmatch(slug):
        raise PartyError(f"{slug!r} is not a slug: lower-case letters, digits and hyphens, at most 100.")
    if connection.execute(select(table.c.id).where(table.c.slug == slug)).one_or_none():
        raise PartyError(f"There is a {table.name} {slug!r} already.")


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
    """A new key of a publisher, of a partner, or (neither given) of an admin; shown this once only."""
    party = "publisher" if publisher_slug else "partner" if partner_slug else "admin"
    if excess := set(scopes) - set(SCOPES[party]):
        raise PartyError(f"A {party}'s key cannot have the scope {', '.join(sorted(excess))}.")
    key = "nw_" + secrets.token_urlsafe(32)
    connection.execute(
        insert(api_key).values(
            digest=hashed(key), hint=key[:8], admin=party == "admin",
            publisher_id=party_id(connection, publisher, publisher_slug),
            partner_id=party_id(connection, partner, partner_slug),
            scopes=" ".join(scopes or SCOPES[party]), label=label, created_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    wire.revise(connection)
    return key


def party_id(connection: Connection, table: Any, slug: str | None) -> int | None:
    if slug is None:
        return None
    number: int | None = connection.execute(select(table.c.id).where(table.c.slug == slug)).scalar_one_or_none()
    if number is None:
        raise PartyError(f"There is no {table.name} {slug!r}; see `newswire {table.name} list`.")
    return number


def revoke_key(connection: Connection, number: int, now: int) -> None:
    """From the next request on the key opens nothing."""
    query = update(api_key).where(api_key.c.id == number, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    if connection.execute(query).rowcount != 1:
        raise PartyError(f"There is no key {number} in use; see `newswire key list`.")
    wire.revise(connection)


def keys(connection: Connection) -> Sequence[AnyRow]:
    """Every key with the slug of its party; never the key itself."""
    return connection.execute(OWNED.order_by(api_key.c.id)).all()


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def caller_of(connection: Connection, key: str, now: int) -> Caller | None:
    """Whose key this is; None when it is unknown, revoked or expired."""
    row = connection.execute(BY_KEY, {"digest": hashed(key)}).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return caller_as(
        connection, "admin" if row.admin else "publisher" if row.publisher else "partner", row.publisher or row.partner,
        scopes=frozenset(row.scopes.split()), label=row.label, expires_at=row.expires_at, key_id=row.id,
        stale=row.last_used_at is None or row.last_used_at < now - USED_EVERY,
    )  # fmt: skip


def caller_as(connection: Connection, kind: str, slug: str | None, **settings: Any) -> Caller:
    """A party as a caller, with what it may see today; `settings` are the rest of a `Caller`."""
    if kind == "admin":
        return Caller("admin", visibility=Visibility(EVERYTHING, owner=True), **settings)
    if kind == "publisher":
        sender = Publisher(*connection.execute(select_publisher().where(publisher.c.slug == slug)).one())
        own = Visibility((Grant(0, Filter.of({"publisher": [sender.slug]})),), owner=True)
        return Caller(kind, visibility=own, slug=slug, name=sender.name, publisher=sender, **settings)
    held = connection.execute(select(partner.c.id, partner.c.name).where(partner.c.slug == slug)).one()
    history = grants(connection, held.id)
    visibility = Visibility(tuple(Grant(item.since_seq, Filter.of(item.filter)) for item in history))
    return Caller(kind, visibility=visibility, slug=slug, name=held.name, limits=history[-1].filter, **settings)


def note_use(connection: Connection, number: int, now: int) -> None:
    """Remembers when a key was last used; at most once a minute is asked for, so that reading stays reading."""
    connection.execute(update(api_key).where(api_key.c.id == number).values(last_used_at=now))
