"""Partners, who read the wire, and their entitlements: the filters for the articles that a partner may see.

An entitlement is never overwritten. Former ones stay, each with the sequence number from which it was in force: a
partner whose entitlement was cut must still receive the kill of an article that it could read before.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select, update

from newswire import wire
from newswire.accounts.slugs import check_new_slug, read_party_id
from newswire.store.articles import AnyRow
from newswire.store.tables import entitlement, partner
from newswire.visibility import FACETS

ENTITLEMENT_FILTERS = tuple(name for name in FACETS if name != "author")
"""The filters that an entitlement can have."""


def add_partner(connection: Connection, slug: str, name: str, limits: Mapping[str, Sequence[str]], now: int) -> None:
    """Adds a partner; `limits` is its entitlement, such as {"section": ["world"]}, or empty for all articles."""
    check_new_slug(connection, partner, slug)
    number = connection.execute(
        insert(partner).values(slug=slug, name=name, created_at=now).returning(partner.c.id)
    ).scalar_one()
    _add_entitlement(connection, number, limits, now)


def change_partner(
    connection: Connection, slug: str, name: str | None, limits: Mapping[str, Sequence[str]] | None, now: int
) -> None:
    """Changes the name or the entitlement of a partner; None keeps either. Raises `PartyError`."""
    number = read_party_id(connection, partner, slug)
    if name is not None:
        connection.execute(update(partner).where(partner.c.id == number).values(name=name))
        wire.bump_revision(connection)
    if limits is not None:
        _add_entitlement(connection, number, limits, now)


def list_partners(connection: Connection) -> list[tuple[str, str, Mapping[str, Sequence[str]]]]:
    """Slug, name and current entitlement of every partner, by slug."""
    rows = connection.execute(select(partner.c.id, partner.c.slug, partner.c.name).order_by(partner.c.slug)).all()
    return [(row.slug, row.name, list_entitlements(connection, row.id)[-1].filter) for row in rows]


def list_entitlements(connection: Connection, partner_id: int) -> Sequence[AnyRow]:
    """All entitlements of a partner (`since_seq`, `filter`, `id`), the current one last."""
    return connection.execute(
        select(entitlement.c.since_seq, entitlement.c.filter, entitlement.c.id)
        .where(entitlement.c.partner_id == partner_id)
        .order_by(entitlement.c.id)
    ).all()


def _add_entitlement(connection: Connection, partner_id: int, limits: Mapping[str, Sequence[str]], now: int) -> None:
    # The bump of the revision locks the head row. So no entry can be appended between reading the newest sequence
    # number and the commit, and the entitlement is in force from exactly `since_seq` on.
    wire.bump_revision(connection)
    connection.execute(
        insert(entitlement).values(
            partner_id=partner_id, since_seq=wire.read_head(connection).seq, filter=dict(limits), created_at=now
        )
    )
