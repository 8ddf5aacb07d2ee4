"""A publishing transaction writes the log by itself, once, at the end of its block, and nobody can forget it."""

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from newswire import wire
from newswire.accounts.publishers import add_publisher
from newswire.article import EntryType, Publisher
from newswire.errors import Problem
from newswire.publishing.draft import Kill
from newswire.publishing.prepare import PreparedArticle, prepare_article
from newswire.publishing.receive import BatchReceiver, Outcome, publish_transaction
from newswire.schemas.article import load_draft
from newswire.store.database import Database
from newswire.timestamps import now

NEWSWIRE = Path(wire.__file__).parent


class Interrupted(Exception):
    pass


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def publisher(database: Database) -> Publisher:
    with database.begin() as connection:
        return add_publisher(connection, "p", "P", None, "en", now())


def rising(publisher: Publisher) -> PreparedArticle:
    return prepare_article(load_draft({"headline": "Cocoa rises"}, publisher), publisher)


def kinds_of(database: Database) -> list[str]:
    with database.read() as connection:
        assert wire.verify_log(connection).broken is None
        return [row.type for row in wire.read_entries(connection, 0, 100)]


def test_the_log_is_written_at_the_end_of_the_block(database: Database, publisher: Publisher) -> None:
    with database.begin() as connection:
        with publish_transaction(connection, now()) as transaction:
            outcome = transaction.create(publisher, rising(publisher))
            within = (outcome.held.seq, wire.read_head(connection).seq)
        after = (outcome.held.seq, wire.read_head(connection).seq)
    assert (within, after) == ((None, 0), (1, 1))
    assert kinds_of(database) == [EntryType.PUBLISHED]


def test_a_block_that_raises_writes_no_log(database: Database, publisher: Publisher) -> None:
    with database.begin() as connection:
        with suppress(Interrupted), publish_transaction(connection, now()) as transaction:
            transaction.create(publisher, rising(publisher))
            raise Interrupted
        assert wire.read_head(connection).seq == 0


def test_nothing_can_be_published_after_the_log_was_written(database: Database, publisher: Publisher) -> None:
    with database.begin(keep=False) as connection:
        with publish_transaction(connection, now()) as transaction:
            transaction.create(publisher, rising(publisher))
        with pytest.raises(RuntimeError, match="log of this transaction is written"):
            transaction.create(publisher, rising(publisher))


def test_only_the_context_manager_makes_a_transaction() -> None:
    makers = {
        path.relative_to(NEWSWIRE).as_posix()
        for path in NEWSWIRE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("PublishTransaction")
    }
    assert makers == {"publishing/receive.py"}


def test_what_became_of_each_article_of_a_batch_is_told(database: Database, publisher: Publisher) -> None:
    def draft(headline: str, external_id: str = "a", **fields: object) -> object:
        loaded = load_draft({"headline": headline, "external_id": external_id, **fields}, publisher)
        return prepare_article(loaded, publisher)

    batch = [
        draft("One"), draft("One"), draft("Two", source_version=2), draft("Three", source_version=1),
        Problem("malformed_json", "It is no JSON."), Kill("b", None), draft("Late", "b"), Kill("b", None),
        prepare_article(load_draft({"headline": "Nameless"}, publisher), publisher),
    ]  # fmt: skip
    with database.begin() as connection, publish_transaction(connection, now()) as transaction:
        receiver = BatchReceiver(transaction, publisher, batch)  # type: ignore[arg-type]
        results = [receiver.receive(sent) for sent in batch]  # type: ignore[arg-type]
    told = [(each.created, each.changed) if isinstance(each, Outcome) else each.code for each in results]
    assert told == [
        (True, True), (False, False), (False, True), "stale_version",
        "malformed_json", (True, True), "article_canceled", (False, False),
        (True, True),
    ]  # fmt: skip
    assert kinds_of(database) == [EntryType.PUBLISHED, EntryType.UPDATED, EntryType.PUBLISHED]
