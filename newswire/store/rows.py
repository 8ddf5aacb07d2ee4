"""Reading and writing the rows of articles: locks, inserts that yield to a rival, versions."""

from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Row, Select, Table, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from newswire.store.tables import article, publisher, version

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row whose columns are read by name."""

HELD = (
    article.c.number, article.c.id, article.c.publisher_id, article.c.external_id, article.c.source_version,
    article.c.version, article.c.status, article.c.seq, article.c.created_at, article.c.published_at,
    article.c.embargoed_until, article.c.expires_at,
)  # fmt: skip


def insert_unless_there(
    connection: Connection, table: Table, values: dict[str, Any], returning: Column[Any]
) -> Any | None:
    """Inserts a row and returns one column of it; None when a unique one is there (once a rival has committed it)."""
    dialect_insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    return connection.execute(
        dialect_insert(table).on_conflict_do_nothing().returning(returning), values
    ).scalar_one_or_none()


def lock_by_external_id(connection: Connection, publisher_id: int, external_id: str) -> AnyRow | None:
    """The article's row, locked until the transaction ends (on SQLite every writer is alone anyway)."""
    query = select(*HELD).where(article.c.publisher_id == publisher_id, article.c.external_id == external_id)
    return locked(connection, query)


def lock_by_id(connection: Connection, article_id: str) -> AnyRow | None:
    return locked(connection, select(*HELD).where(article.c.id == article_id))


def locked(connection: Connection, query: Select[Any]) -> AnyRow | None:
    return connection.execute(query.with_for_update(of=article)).one_or_none()


def lock_publisher(connection: Connection, publisher_id: int) -> None:
    """One batch of a publisher at a time: two that name the same articles in another order would block each other."""
    connection.execute(
        select(publisher.c.id).where(publisher.c.id == publisher_id).with_for_update(key_share=True)
    ).one()


def current_version(connection: Connection, number: int, current: int) -> AnyRow:
    """Source, rendered JSON and body of one version."""
    return connection.execute(
        select(version.c.source, version.c.rendered, version.c.body).where(
            version.c.number == number, version.c.version == current
        )
    ).one()


def add_version(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(insert(version), values)


def change_article(connection: Connection, number: int, values: dict[str, Any]) -> None:
    connection.execute(update(article).where(article.c.number == number), values)


def owner_of(connection: Connection, article_id: str) -> int | None:
    """The publisher of an article."""
    owner: int | None = connection.scalar(select(article.c.publisher_id).where(article.c.id == article_id))
    return owner
