"""A wire from before there were lists of names gets them by its migration."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, column, insert, select, table

from newswire.store.database import Database
from newswire.store.migrate import configuration, upgrade
from tests.reading.test_directory import LISTS, everything
from tests.support.postgres import new_database
from tests.support.wire import Wire

TABLES = ("head", "publisher", "article", "version", "entry", "stemming_language")


@pytest.fixture
def older_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the first schema, on the same engine."""
    if database_url.startswith("sqlite"):
        yield of_the_first_schema(f"sqlite:///{tmp_path / 'older.db'}")
    else:
        with new_database(request.getfixturevalue("postgres_url"), "template0") as url:
            yield of_the_first_schema(url)


def of_the_first_schema(url: str) -> str:
    database = Database(url)
    command.upgrade(configuration(database), "0001")
    database.dispose()
    return url


def copied(source: Connection, target: Connection) -> None:
    """What the source holds goes to the target, but for what the first schema did not know."""
    known = MetaData()
    known.reflect(target, only=TABLES)
    target.execute(known.tables["head"].delete())
    for name in TABLES:
        copy(source, target, known.tables[name])
    if target.dialect.name == "sqlite":
        copy(source, target, table("search_place", column("position"), column("number")))
        fields = [row.name for row in target.exec_driver_sql("PRAGMA table_info(search_index)")]
        copy(source, target, table("search_index", column("rowid"), *map(column, fields)))


def copy(source: Connection, target: Connection, into: Any) -> None:
    columns: list[Any] = [column(each.name) for each in into.columns]
    rows: list[dict[str, Any]] = [
        row._asdict() for row in source.execute(select(*columns).select_from(table(into.name)))
    ]
    for row in rows:
        if "terms" in row:
            row["terms"] = " ".join(name for name in row["terms"].split() if not name.startswith("profile_"))
    target.execute(insert(into), rows)


@pytest.mark.slow
def test_the_migration_makes_the_lists_of_the_articles_that_are_there(wire: Wire, older_url: str) -> None:
    publisher = wire.as_publisher()
    batch: list[dict[str, Any]] = [{"keywords": [f"word {number}"]} for number in range(510)]
    batch += [
        {"section": "World", "authors": [{"name": "Ann", "bio": "first", "role": "Writer"}], "external_id": "a"},
        {"section": "Sport", "authors": [{"name": "ann", "url": "https://ann.example/"}], "keywords": ["World"]},
        {"section": "Gone", "authors": [{"name": "Bob", "bio": "gone"}], "external_id": "killed"},
        {"section": "Secret", "embargoed_until": "2199-01-01T00:00:00Z"},
    ]
    publisher.post("/v1/articles/batch", json=[{"headline": "x", **fields} for fields in batch])
    publisher.put("/v1/publishers/reuters/articles/a", json={"headline": "y", **batch[510], "section": "Europe"})
    publisher.delete("/v1/publishers/reuters/articles/killed")
    older = Database(older_url)
    with wire.database.read() as source, older.begin() as target:
        copied(source, target)
    older.dispose()
    upgrade(older_url)
    migrated = Wire(older_url)
    now_there, expected = migrated.as_partner(), wire.as_partner()
    for path in LISTS:
        found = everything(now_there, f"/v1/{path}?limit=100")
        assert found == everything(expected, f"/v1/{path}?limit=100")
        assert found
    (ann,) = everything(now_there, "/v1/authors")
    assert (ann["bio"], ann["role"], ann["url"]) == ("first", "Writer", "https://ann.example/")
    migrated.close()
