"""Slugs and party names, by which URLs, commands and tables name a party, and the error of all account commands."""

import re

from sqlalchemy import Connection, Table, select

from newswire.store.tables import partner, publisher

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?")


class PartyError(Exception):
    """A publisher, partner, key or feed cannot be created or found; the text is one sentence for the operator."""


def check_new_slug(connection: Connection, table: Table, slug: str) -> None:
    """Raises `PartyError` if `slug` is malformed, or taken in `table` (publisher or partner)."""
    if not SLUG.fullmatch(slug):
        raise PartyError(f"{slug!r} is not a slug: lower-case letters, digits and hyphens, at most 100.")
    if _find_id(connection, table, slug) is not None:
        raise PartyError(f"There is a {table.name} {slug!r} already.")


def read_party_id(connection: Connection, table: Table, slug: str) -> int:
    """The id of a publisher or partner; raises `PartyError` if there is none with this slug."""
    number = _find_id(connection, table, slug)
    if number is None:
        raise PartyError(f"There is no {table.name} {slug!r}; see `newswire {table.name} list`.")
    return number


def party_name(kind: str, slug: str | None) -> str:
    """The name of a party in the tables of feeds and consumers, such as `partner:courier`, or `admin:`."""
    return f"{kind}:{slug or ''}"


def read_party(connection: Connection, written: str) -> str:
    """The `party_name` of the party that an operator means by `partner:SLUG`, `publisher:SLUG`, `admin` or SLUG.

    A bare slug may be that of a publisher and of a partner. Raises `PartyError` then, and for a party that does not
    exist.
    """
    if written in ("admin", "admin:"):
        return party_name("admin", None)
    kind, _, slug = written.rpartition(":")
    found = [
        party_name(table.name, slug)
        for table in (publisher, partner)
        if kind in ("", table.name) and _find_id(connection, table, slug) is not None
    ]
    if len(found) == 2:
        raise PartyError(f"{written!r} is a publisher and a partner; say {found[0]} or {found[1]}.")
    if not found:
        raise PartyError(
            f"There is no party {written!r}; name it as partner:SLUG, publisher:SLUG or admin, or see `newswire"
            " partner list` and `newswire publisher list`."
        )
    return found[0]


def _find_id(connection: Connection, table: Table, slug: str) -> int | None:
    number: int | None = connection.execute(select(table.c.id).where(table.c.slug == slug)).scalar_one_or_none()
    return number
