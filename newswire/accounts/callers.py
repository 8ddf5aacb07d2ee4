"""Callers: who a key belongs to, and what that party may do and see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, select

from newswire.accounts.keys import SELECT_KEYS, hash_key, is_use_to_note
from newswire.accounts.partners import list_entitlements
from newswire.accounts.publishers import find_publisher
from newswire.article import Publisher
from newswire.store.tables import api_key, partner
from newswire.visibility import EVERYTHING, Filter, Grant, Visibility

# A signing key has a nonce; its row is a bearer key that nobody was given.
KEY_BY_DIGEST = SELECT_KEYS.where(api_key.c.digest == bindparam("digest"), api_key.c.nonce.is_(None))


@dataclass(frozen=True)
class Caller:
    """The party behind a key, or the public (`kind` public): its scopes and what it may see.

    `publisher` is set for a publisher's key only; `slug` and `name` are those of the party. `limits` is a partner's
    entitlement in force. `stale`: the use of the key is to be noted again. `feed` is set where the caller came with
    the token of a saved feed, which opens nothing else.
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

    @cached_property
    def party(self) -> str:
        """The party's name among all kinds of parties; its keys share the feeds and consumers stored under it."""
        return f"{self.kind}:{self.slug or ''}"


PUBLIC = Caller("public", frozenset({"read"}), Visibility(EVERYTHING))


def find_caller(connection: Connection, key: str, now: int) -> Caller | None:
    """The caller with this key; None when it is unknown, revoked or expired."""
    row = connection.execute(KEY_BY_DIGEST, {"digest": hash_key(key)}).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return party_caller(
        connection, "admin" if row.admin else "publisher" if row.publisher else "partner", row.publisher or row.partner,
        scopes=frozenset(row.scopes.split()), label=row.label, expires_at=row.expires_at, key_id=row.id,
        stale=is_use_to_note(row, now),
    )  # fmt: skip


def party_caller(connection: Connection, kind: str, slug: str | None, **settings: Any) -> Caller:
    """An existing party as a caller, with what it may see today; `settings` are the other fields of `Caller`."""
    if kind == "admin":
        return Caller("admin", visibility=Visibility(EVERYTHING, owner=True), **settings)
    if kind == "publisher":
        sender = find_publisher(connection, slug or "")
        assert sender is not None, "keys and feeds name a publisher that exists; none is ever deleted"
        own = Visibility((Grant(0, Filter.of({"publisher": [sender.slug]})),), owner=True)
        return Caller(kind, visibility=own, slug=slug, name=sender.name, publisher=sender, **settings)
    held = connection.execute(select(partner.c.id, partner.c.name).where(partner.c.slug == slug)).one()
    history = list_entitlements(connection, held.id)
    visibility = Visibility(tuple(Grant(item.since_seq, Filter.of(item.filter)) for item in history))
    return Caller(kind, visibility=visibility, slug=slug, name=held.name, limits=history[-1].filter, **settings)
