"""Where SQLite's search index keeps articles of one moment: in order of reception, and an update moves nobody."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from newswire.accounts.publishers import add_publisher
from newswire.article import Publisher
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_draft
from newswire.search.sqlite.index import search_place
from newswire.store.database import Database
from newswire.timestamps import now

NOON, LATER = "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"


class Desk:
    """A publisher on a fresh SQLite wire."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.begin() as connection:
            self.publisher: Publisher = add_publisher(connection, "gazette", "Gazette", None, "en", now())

    def send(self, external_id: str, headline: str, published_at: str) -> None:
        draft = load_draft({"headline": headline, "published_at": published_at}, self.publisher)
        with self.database.begin() as connection, publish_transaction(connection, now()) as transaction:
            transaction.upsert(self.publisher, external_id, prepare_article(draft, self.publisher, external_id))

    def places(self) -> dict[int, int]:
        """Articles by their number, in the order of the index, with their places."""
        with self.database.read() as connection:
            rows = connection.execute(select(search_place).order_by(search_place.c.position))
            return {row.number: row.position for row in rows}


@pytest.fixture
def desk(fresh_sqlite: str) -> Iterator[Desk]:
    database = Database(fresh_sqlite)
    made = Desk(database)
    for external_id in "abcd":
        made.send(external_id, f"first of {external_id}", NOON)
    yield made
    database.dispose()


def test_an_update_leaves_every_article_in_its_place(desk: Desk) -> None:
    before = desk.places()
    assert list(before) == [1, 2, 3, 4]
    desk.send("a", "second of a", NOON)
    desk.send("c", "second of c", NOON)
    assert desk.places() == before


def test_an_article_that_leaves_its_moment_and_comes_back_stands_before_those_received_later(desk: Desk) -> None:
    desk.send("b", "second of b", LATER)
    assert list(desk.places()) == [1, 3, 4, 2]
    desk.send("b", "third of b", NOON)
    assert list(desk.places()) == [1, 2, 3, 4]
