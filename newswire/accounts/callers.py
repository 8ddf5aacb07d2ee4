"""Callers: the look-up of the party behind a key, with its scopes and its visibility.

Tokens of saved feeds are in `saved_feeds`, signatures in `signing_keys`; the cache of callers is in `newswire.api`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, select

from newswire.accounts.keys import SELECT_KEYS, hash_key, is_use_to_note, quotas_in
from newswire.accounts.partners import list_entitlements
from newswire.accounts.publishers import find_publisher
from newswire.accounts.slugs import party_name
from newswire.article import Publisher
from newswire.quotas import Quota
from newswire.store.tables import api_key, partner
from newswire.visibility import EVERYTHING, Filter, Grant, Visibility

# A row with a nonce is a signing key. Its digest is that of a bearer key that was thrown away, so it must not match.
KEY_BY_DIGEST = SELECT_KEYS.where(api_key.c.digest == bindparam("digest"), api_key.c.nonce.is_(None))


@dataclass(frozen=True)
class Caller:
    """The party behind a key, or the public (`kind` public), with its scopes and its visibility.

    `kind` is admin, publisher, partner or public; `slug` and `name` are those of the party. `publisher` is set for a
    publisher only. `limits` is the current entitlement of a partner. `stale`: `note_key_use` has to be called again.
    `feed` is the name of the saved feed whose token was sent, which gives access to nothing else. `quotas` are those of
    the key, by scope.
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
    quotas: Mapping[str, Quota] = field(default_factory=dict)

    @cached_property
    def party(self) -> str:
        """The key under which feeds and consumers of the party are stored, such as `partner:gazette`."""
        return party_name(self.kind, self.slug)

    @cached_property
    def key_name(self) -> str | None:
        """A name for the key, or the token of a feed, under which its requests are counted; None for the public."""
        if self.feed is not None:
            return f"feed {self.feed} of {self.party}"
        return None if self.key_id is None else f"key {self.key_id}"


PUBLIC = Caller("public", frozenset({"read"}), Visibility(EVERYTHING))


def find_caller(connection: Connection, key: str, now: int) -> Caller | None:
    """The caller that a key authenticates; None if the key is unknown, revoked or expired."""
    row = connection.execute(KEY_BY_DIGEST, {"digest": hash_key(key)}).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return party_caller(
        connection, "admin" if row.admin else "publisher" if row.publisher else "partner", row.publisher or row.partner,
        scopes=frozenset(row.scopes.split()), label=row.label, expires_at=row.expires_at, key_id=row.id,
        stale=is_use_to_note(row, now), quotas=quotas_in(row),
    )  # fmt: skip


def party_caller(connection: Connection, kind: str, slug: str | None, **settings: Any) -> Caller:
    """An existing party as a caller, with its current visibility; `settings` are the other fields of `Caller`."""
    if kind == "admin":
        return Caller("admin", visibility=Visibility(EVERYTHING, owner=True), **settings)
    if kind == "publisher":
        sender = find_publisher(connection, slug or "")
        assert sender is not None, "keys and feeds name a publisher that exists; none is ever deleted"
        own = Visibility((Grant(0, Filter.of({"publisher": [sender.slug]})),), owner=True)
        return Caller(kind, visibility=own, slug=slug, name=sender.name, publisher=sender, **settings)
    row = connection.execute(select(partner.c.id, partner.c.name).where(partner.c.slug == slug)).one()
    # The former entitlements count too: the kill of an article must reach a partner that could see it then.
    history = list_entitlements(connection, row.id)
    visibility = Visibility(tuple(Grant(item.since_seq, Filter.of(item.filter), item.id) for item in history))
    return Caller(kind, visibility=visibility, slug=slug, name=row.name, limits=history[-1].filter, **settings)
