"""Slugs, the names of publishers and partners in URLs and commands, and the error of all account commands."""

import re

from sqlalchemy import Connection, Table, select

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?")


class PartyError(Exception):
    """A publisher, partner or key cannot be created or found; the text is one sentence for the operator."""


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


def _find_id(connection: Connection, table: Table, slug: str) -> int | None:
    number: int | None = connection.execute(select(table.c.id).where(table.c.slug == slug)).scalar_one_or_none()
    return number
