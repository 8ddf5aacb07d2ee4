"""Publishers, who send articles, each with a base URL and a language for articles that name none.

Every edit bumps the head's revision, which invalidates the caches of callers and pages.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from newswire import wire
from newswire.accounts.slugs import PartyError, check_new_slug
from newswire.article import Publisher
from newswire.store.tables import publisher


def add_publisher(connection: Connection, slug: str, name: str, url: str | None, language: str, now: int) -> Publisher:
    """Adds a publisher; raises `PartyError` if the slug is taken or malformed."""
    check_new_slug(connection, publisher, slug)
    values = {"slug": slug, "name": name, "url": url, "language": language, "created_at": now}
    number = connection.execute(insert(publisher).values(**values).returning(publisher.c.id)).scalar_one()
    wire.bump_revision(connection)
    return Publisher(number, slug, name, url, language)


def change_publisher(connection: Connection, slug: str, changes: Mapping[str, Any]) -> Publisher:
    """Changes name, url or language, for articles received from now on; stored versions do not change."""
    stored = find_publisher(connection, slug)
    if stored is None:
        raise PartyError(f"There is no publisher {slug!r}; see `newswire publisher list`.")
    if changes:
        connection.execute(update(publisher).where(publisher.c.slug == slug).values(**changes))
        wire.bump_revision(connection)
    return stored._replace(**changes)


def find_publisher(connection: Connection, slug: str) -> Publisher | None:
    """The publisher with this slug, or None."""
    row = connection.execute(_select_publishers().where(publisher.c.slug == slug)).one_or_none()
    return Publisher(*row) if row else None


def read_publisher(connection: Connection, number: int) -> Publisher:
    """The publisher with this number, which an article or a key refers to."""
    return Publisher(*connection.execute(_select_publishers().where(publisher.c.id == number)).one())


def list_publishers(connection: Connection) -> list[Publisher]:
    """All publishers, by slug."""
    return [Publisher(*row) for row in connection.execute(_select_publishers().order_by(publisher.c.slug))]


def _select_publishers() -> Select[Any]:
    return select(*(publisher.c[name] for name in Publisher._fields))
