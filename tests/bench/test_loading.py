"""The loader of `bench search` writes exactly what receiving the same articles would have written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from bench.corpus import article
from bench.loading import load
from bench.planting import plan
from bench.preparing import SENDERS, TOGETHER, identity, received
from newswire import wire
from newswire.accounts.publishers import add_publisher
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_draft
from newswire.store.database import Database
from newswire.store.migrate import upgrade
from newswire.store.tables import head, metadata
from tests.support.postgres import new_database

pytestmark = pytest.mark.slow

SIZE = TOGETHER + 50
SEARCH = {
    "sqlite": ("SELECT rowid, * FROM search_index ORDER BY rowid", "SELECT * FROM search_place ORDER BY position"),
    "postgresql": (
        "SELECT * FROM search_document ORDER BY number",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
    ),
}


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of another empty database on the engine of `database_url`."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/other.db"
    else:
        with new_database(request.getfixturevalue("postgres_url")) as url:
            yield url


@pytest.fixture
def received_url(other_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A wire that has received the corpus, each article under the id that the loader gives it."""
    upgrade(other_url)
    whole, database = plan(SIZE), Database(other_url)
    ids = iter([identity(index + 1, received(whole, index)) for index in range(SIZE)])
    monkeypatch.setattr("newswire.publishing.receive.uuid7", lambda: next(ids))
    with database.begin() as connection:
        for sender in SENDERS.values():
            add_publisher(connection, sender.slug, sender.name, sender.url, sender.language, 0)
    for first in range(0, SIZE, TOGETHER):
        moment = received(whole, first)
        with database.begin() as connection, publish_transaction(connection, moment) as transaction:
            for index in range(first, min(first + TOGETHER, SIZE)):
                sent = article(whole, index)
                publisher = SENDERS[sent.publisher]
                transaction.create(publisher, prepare_article(load_draft(sent.content, publisher), publisher))
    database.dispose()
    return other_url


def test_the_loader_leaves_what_receiving_leaves_in_every_table(database_url: str, received_url: str) -> None:
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    load({engine: database_url}, SIZE, lambda line: None)
    loaded, other = contents(database_url, engine), contents(received_url, engine)
    assert loaded.keys() == other.keys()
    for name, rows in other.items():
        assert loaded[name] == rows, name
    assert len(loaded["article"]) == len(loaded["entry"]) == SIZE


def contents(url: str, engine: str) -> dict[str, Any]:
    """Every table but for the name of the wire."""
    database = Database(url)
    with database.read() as connection:
        found: dict[str, Any] = {table.name: rows_of(connection, select(table)) for table in metadata.sorted_tables}
        found["head"] = rows_of(connection, select(head.c.seq, head.c.chain, head.c.revision))
        for query in SEARCH[engine]:
            found[query] = [tuple(row) for row in connection.execute(text(query))]
    database.dispose()
    return found


def rows_of(connection: Connection, query: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in connection.execute(query)), key=repr)


def test_a_loaded_wire_is_whole_and_receives_the_next_article(database_url: str) -> None:
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    load({engine: database_url}, SIZE, lambda line: None)
    database = Database(database_url)
    with database.read() as connection:
        assert wire.verify_log(connection) == wire.Verification(SIZE, None, None)
    with database.begin() as connection:
        sender = next(iter(SENDERS.values()))
        with publish_transaction(connection, 1_790_000_000_000) as transaction:
            outcome = transaction.create(
                sender, prepare_article(load_draft({"headline": "Cocoa rises"}, sender), sender)
            )
    assert (outcome.held.number, outcome.held.seq) == (SIZE + 1, SIZE + 1)
    database.dispose()
