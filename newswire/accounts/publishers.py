"""Publishers, who send articles, each with a base URL and a language for articles that name none.

Every edit bumps the head's revision, which invalidates the caches of callers and pages.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, update

from newswire import wire
from newswire.accounts.slugs import PartyError, check_new_slug
from newswire.article import Publisher
from newswire.search.vocabulary import select_publishers, subject_map_of
from newswire.store.articles import AnyRow
from newswire.store.tables import publisher


def add_publisher(connection: Connection, slug: str, name: str, url: str | None, language: str, now: int) -> Publisher:
    """Adds a publisher; raises `PartyError` if the slug is taken or malformed."""
    check_new_slug(connection, publisher, slug)
    values = {"slug": slug, "name": name, "url": url, "language": language, "created_at": now}
    number = connection.execute(insert(publisher).values(**values).returning(publisher.c.id)).scalar_one()
    wire.bump_revision(connection)
    return read_publisher(connection, number)


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
    row = connection.execute(select_publishers().where(publisher.c.slug == slug)).one_or_none()
    return None if row is None else _publisher_of(connection, row)


def read_publisher(connection: Connection, number: int) -> Publisher:
    """The publisher with this number, which an article or a key refers to."""
    return _publisher_of(connection, connection.execute(select_publishers().where(publisher.c.id == number)).one())


def list_publishers(connection: Connection) -> list[Publisher]:
    """All publishers, by slug."""
    rows = connection.execute(select_publishers().order_by(publisher.c.slug)).all()
    return [_publisher_of(connection, row) for row in rows]


def _publisher_of(connection: Connection, row: AnyRow) -> Publisher:
    subjects = subject_map_of(connection, row.map, row.digest)
    return Publisher(row.id, row.slug, row.name, row.url, row.language, row.mapping, subjects)
