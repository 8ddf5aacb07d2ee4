"""The log's contract: numbers in commit order, no gaps, nothing lost, and a chain that proves it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, update

from newswire import wire
from newswire.accounts.publishers import add_publisher
from newswire.article import EntryType, Publisher
from newswire.publishing.prepare import PreparedArticle, prepare_article
from newswire.publishing.receive import Outcome, publish_transaction
from newswire.schemas.article import load_draft
from newswire.store.database import Database
from newswire.store.tables import article, entry, head, version
from newswire.timestamps import now
from tests.support.databases import empty_database

WRITERS = 8


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.dispose()


def publisher_of(database: Database, slug: str = "reuters") -> Publisher:
    with database.begin() as connection:
        return add_publisher(connection, slug, slug, None, "en", now())


def prepared(headline: str, publisher: Publisher) -> PreparedArticle:
    return prepare_article(load_draft({"headline": headline}, publisher), publisher)


def publish(connection: Connection, publisher: Publisher, headline: str, external_id: str | None = None) -> Outcome:
    """One article in the caller's transaction; the log is written."""
    with publish_transaction(connection, now()) as transaction:
        article = prepared(headline, publisher)
        if external_id is None:
            outcome = transaction.create(publisher, article)
        else:
            outcome = transaction.upsert(publisher, external_id, article)
    return outcome


class Rollback(Exception):
    pass


def test_eight_writers_and_a_polling_reader_lose_nothing_and_see_no_gap(database: Database) -> None:
    publisher = publisher_of(database)
    written: list[str] = []
    finished = threading.Event()

    def write(writer: int) -> None:
        for number in range(15):
            headline = f"{writer}-{number}"
            try:
                with database.begin() as connection:
                    publish(connection, publisher, headline)
                    if number % 5 == 4:
                        raise Rollback
            except Rollback:
                continue
            written.append(headline)

    def read() -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        last_round = False
        while True:
            with database.read() as connection:
                rows = wire.read_entries(connection, seen[-1][0] if seen else 0, 7)
                seen += [(row.seq, row.digest) for row in rows]
            assert len(seen) <= WRITERS * 15, "it reads the same entries again and again"
            if last_round and not rows:
                return seen
            last_round = finished.is_set()

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reader = pool.submit(read)
        for future in [pool.submit(write, writer) for writer in range(WRITERS)]:
            future.result()
        finished.set()
        seen = reader.result()
    assert len(written) == WRITERS * 12
    assert [seq for seq, _ in seen] == list(range(1, len(written) + 1))
    with database.read() as connection:
        headlines = connection.scalars(select(func.count()).select_from(article)).one()
        assert headlines == len(written)
        assert wire.verify_log(connection) == wire.Verification(len(written), None, None)


def test_a_number_is_seen_only_after_every_smaller_one(database: Database) -> None:
    """A takes its place and waits, B publishes: whoever is first in the log is first for the reader."""
    publisher = publisher_of(database)
    taken, release = threading.Event(), threading.Event()

    def slow() -> None:
        with database.begin() as connection:
            publish(connection, publisher, "slow")
            taken.set()
            release.wait(10)

    def quick() -> None:
        with database.begin() as connection:
            publish(connection, publisher, "quick")

    first, second = threading.Thread(target=slow), threading.Thread(target=quick)
    first.start()
    assert taken.wait(10)
    second.start()
    second.join(0.3)
    with database.read() as connection:
        assert wire.read_entries(connection, 0, 10) == []
    release.set()
    first.join()
    second.join()
    with database.read() as connection:
        rows = wire.read_entries(connection, 0, 10)
    assert [(row.seq, row.number) for row in rows] == [(1, rows[0].number), (2, rows[1].number)]


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=6))
def test_any_run_of_commits_and_rollbacks_leaves_an_unbroken_chain(growing: Database, batches: list[list[str]]) -> None:
    publisher = Publisher(1, "p", "P", None, "en")
    with growing.read() as connection:
        before = wire.read_head(connection).seq
    expected = before
    for number, batch in enumerate(batches):
        keep = number % 3 != 2
        with growing.begin(keep=keep) as connection:
            with publish_transaction(connection, now()) as transaction:
                for name in batch:
                    transaction.upsert(publisher, name, prepared(f"{name}{now()}{number}", publisher))
            reached = wire.read_head(connection).seq
        if keep:
            expected = reached
    with growing.read() as connection:
        assert wire.read_head(connection).seq == expected
        assert wire.verify_log(connection) == wire.Verification(expected, None, None)


@pytest.fixture(scope="module")
def growing(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A SQLite wire that all examples of a property go on writing to."""
    with empty_database(request, "sqlite") as url:
        database = Database(url)
        publisher_of(database, "p")
        yield database
        database.dispose()


def filled(database: Database) -> None:
    publisher = publisher_of(database)
    for number in range(6):
        with database.begin() as connection:
            publish(connection, publisher, f"v{number}", "a" if number % 2 else None)


def test_verify_names_the_first_entry_that_was_tampered_with(database: Database) -> None:
    filled(database)
    tampering = {
        "altered": (4, update(version).where(version.c.digest == select(entry.c.digest).where(entry.c.seq == 4)
                                             .scalar_subquery()).values(rendered=b'"id":"x"')),
        "chain": (3, update(entry).where(entry.c.seq == 3).values(chain="0" * 64)),
        "missing": (5, delete(entry).where(entry.c.seq == 5)),
        "head": (6, update(head).values(chain="f" * 64)),
        "cut off": (6, delete(entry).where(entry.c.seq == 6)),
    }  # fmt: skip
    for broken, statement in tampering.values():
        with database.begin(keep=False) as connection:
            assert wire.verify_log(connection).broken is None
            connection.execute(statement)
            found = wire.verify_log(connection)
            assert (found.broken, found.reason is not None) == (broken, True)


def test_numbers_are_given_to_a_whole_batch_in_its_order(database: Database) -> None:
    publisher = publisher_of(database)
    with database.begin() as connection:
        with publish_transaction(connection, now()) as transaction:
            outcomes = [
                transaction.upsert(publisher, name, prepared(f"{name}{number}", publisher))
                for number, name in enumerate("cabcb")
            ]
        kinds = [row.type for row in wire.read_entries(connection, 0, 10)]
    assert [outcome.held.seq for outcome in outcomes] == [1, 2, 3, 4, 5]
    assert kinds == [*[EntryType.PUBLISHED] * 3, EntryType.UPDATED, EntryType.UPDATED]


def test_an_unfinished_transaction_costs_no_number(database: Database) -> None:
    publisher = publisher_of(database)
    with suppress(Rollback), database.begin() as connection:
        assert publish(connection, publisher, "lost").held.seq == 1
        raise Rollback
    with database.begin() as connection:
        assert publish(connection, publisher, "kept").held.seq == 1
        assert connection.scalar(select(func.count()).select_from(version)) == 1
