"""SQLite's index stays in few segments: the worker merges them, beside publishers and over kills; nothing is lost."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from newswire.cli.worker import ROUNDS
from newswire.search.index import tend_index
from newswire.search.sqlite.merging import Segment, is_whole_due, read_segments
from newswire.store.database import Database
from tests.support.command import Cli, waited
from tests.support.wire import Caller, Wire

WORDS = [f"{first}{last}" for first in ("har", "lad", "orch", "tun", "mead", "tim") for last in ("bour", "der", "ow")]
SEGMENTS_WITHOUT_A_WORKER = 32
"""What FTS5 itself leaves of some hundred publications: fewer than eight of each size, or sixteen of the smallest."""


@pytest.fixture
def wire(fresh_sqlite: str) -> Iterator[Wire]:
    with closing(Wire(fresh_sqlite)) as made:
        yield made


@pytest.fixture
def publisher(wire: Wire) -> Caller:
    return wire.as_publisher()


def publish_some(publisher: Caller, numbers: range) -> None:
    """One publication for each; every one has `harbour`, and every seventh `rare`."""
    for number in numbers:
        chance = random.Random(number)
        body = " ".join(chance.choices(WORDS, k=80)) + (" rare" if number % 7 == 0 else "")
        publisher.publish(f"Harbour {number}", body_text=body, external_id=f"e{number}")


def segments_of(database: Database) -> list[Segment]:
    with database.read() as connection:
        return read_segments(connection)


def has_other_segments(database: Database, before: list[Segment]) -> bool:
    return segments_of(database) != before


def merge_all(database: Database) -> None:
    before = None
    while (found := segments_of(database)) != before:
        before = found
        tend_index(database, 0.5)


def check_whole(wire: Wire, published: int) -> None:
    """FTS5 finds no fault in the index, and a search finds every article."""
    with wire.database.begin() as connection:
        assert wire.database.backend.find_damage(connection, thorough=True) is None
    partner = wire.as_partner(f"reader{published}")
    found = partner.get("/v1/articles?q=harbour&count=true&limit=1").get_json()["meta"]["count"]["value"]
    rare = partner.listed("q=rare&limit=100")
    assert found == published
    assert rare == [f"Harbour {number}" for number in reversed(range(published)) if number % 7 == 0][:100]


def test_segments_come_down_while_publishing_goes_on(wire: Wire, publisher: Caller) -> None:
    counts = []
    for start in range(0, 100, 5):
        publish_some(publisher, range(start, start + 5))
        tend_index(wire.database, 0.2)
        counts.append(len(segments_of(wire.database)))
    assert max(counts) <= 6
    assert sum(counts) / len(counts) <= 4
    check_whole(wire, 100)


def test_without_a_worker_there_is_a_bound(wire: Wire, publisher: Caller) -> None:
    publish_some(publisher, range(150))
    assert 4 < len(segments_of(wire.database)) <= SEGMENTS_WITHOUT_A_WORKER
    merge_all(wire.database)
    assert len(segments_of(wire.database)) <= 4
    check_whole(wire, 150)


def test_killed_and_removed_articles_are_not_found_after_a_merge(wire: Wire, publisher: Caller) -> None:
    publish_some(publisher, range(29))
    publisher.delete("/v1/publishers/reuters/articles/e7")
    publisher.put("/v1/publishers/reuters/articles/e14", json={"headline": "Changed", "body_text": "Another text."})
    assert len(segments_of(wire.database)) > 4
    merge_all(wire.database)
    assert len(segments_of(wire.database)) <= 4
    partner = wire.as_partner()
    assert partner.listed("q=rare&limit=100") == ["Harbour 28", "Harbour 21", "Harbour 0"]
    assert partner.listed("q=another") == ["Changed"]
    with wire.database.begin() as connection:
        assert wire.database.backend.find_damage(connection, thorough=True) is None


def test_nobody_is_waited_for_and_a_settled_index_is_not_written(
    wire: Wire, publisher: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    publish_some(publisher, range(12))
    before = segments_of(wire.database)
    other = Database(wire.database.url.render_as_string(hide_password=False))
    with caplog.at_level(logging.INFO), other.begin():
        began = time.monotonic()
        tend_index(wire.database, 0.1)
        assert time.monotonic() - began < 2
    assert segments_of(wire.database) == before
    assert [record.message for record in caplog.records if record.name.startswith("newswire")] == []
    merge_all(wire.database)
    assert len(segments_of(wire.database)) < len(before)
    with other.read() as connection:
        version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    tend_index(wire.database, 0.1)
    with other.read() as connection:
        assert connection.exec_driver_sql("PRAGMA data_version").scalar_one() == version
    other.dispose()


def test_a_worker_that_is_killed_while_it_merges_harms_nothing(wire: Wire, publisher: Caller) -> None:
    chance, published = random.Random(17), 0
    cli = Cli(wire.database.url.render_as_string(hide_password=False))

    def publish_more(count: int) -> None:
        nonlocal published
        publish_some(publisher, range(published, published + count))
        published += count

    for _ in range(3):
        # FTS5 itself merges sixteen of the smallest, so that there may be few after any number.
        while len(before := segments_of(wire.database)) < 7:
            publish_more(1)
        with cli.process("worker") as worker:
            try:
                waited(partial(has_other_segments, wire.database, before), "the worker merges")
                # It merges what is published meanwhile, until it is killed.
                publish_more(chance.randrange(4, 16))
                time.sleep(chance.random() * 0.02)
            finally:
                worker.kill()
    check_whole(wire, published)
    merge_all(wire.database)
    assert len(segments_of(wire.database)) <= 4
    assert len(wire.as_partner("again").listed("q=rare&limit=100")) == len(range(0, published, 7))


def test_a_merge_of_all_is_begun_when_it_is_worth_it() -> None:
    large = Segment(9, 1600)
    small = [Segment(number, 20) for number in range(1, 6)]
    assert not is_whole_due([large, *small])
    assert is_whole_due([large, *small, Segment(6, 10)])
    assert not is_whole_due(small[:4])
    assert not is_whole_due([])


def test_the_worker_has_the_round_beside_releases() -> None:
    [upkeep] = [item for item in ROUNDS if item.name == "index upkeep"]
    assert upkeep.every <= 0.25


def test_an_older_index_is_given_the_bound_by_the_upgrade(wire: Wire) -> None:
    with wire.database.read() as connection:
        asked = "SELECT v FROM search_index_config WHERE k = 'automerge'"
        assert connection.exec_driver_sql(asked).scalar_one() == 8
