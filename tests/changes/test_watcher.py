"""The watcher: it wakes whoever waits, costs nothing while nobody does, and outlives its database."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from newswire.changes import watcher as watching
from newswire.changes.positions import LogPosition
from newswire.changes.rules import Reader
from newswire.changes.watcher import Watcher
from newswire.search.query import Query
from newswire.store.migrate import upgrade
from newswire.visibility import EVERYTHING, Filter, Visibility
from tests.support.postgres import new_database, temporary_postgres
from tests.support.ways_of_reading import answered, events
from tests.support.wire import Wire

EVERYONE = Reader(Visibility(EVERYTHING), Query())


@pytest.fixture
def watcher(wire: Wire) -> Iterator[Watcher]:
    found: Watcher = wire.app.config["NEWSWIRE"].feed.watcher
    yield found
    found.close()
    found.join()


def watchers() -> int:
    return sum(thread.name == "watcher" for thread in threading.enumerate())


def of_section(name: str) -> Reader:
    return Reader(Visibility(EVERYTHING), Query(filter=Filter.of({"section": [name]})))


def waited(watcher: Watcher, reader: Reader = EVERYONE, seconds: float = 10.0) -> float:
    """How long a reader at the head slept, in seconds."""
    assert watcher.head is not None
    began = time.monotonic()
    watcher.wait(position_at(watcher, watcher.head.seq), watcher.head.revision, seconds, reader)
    return time.monotonic() - began


def position_at(watcher: Watcher, seq: int) -> LogPosition:
    """The position of a reader that has read up to an entry of the log that the watcher knows, or beyond it."""
    assert watcher.head is not None
    return LogPosition(seq, watcher.head.chain if seq == watcher.head.seq else "of an entry that it does not know")


class Sleeper(threading.Thread):
    """A reader that waits at the position `after`; `passed` is what it was told, once it woke."""

    def __init__(self, watcher: Watcher, after: int, reader: Reader, seconds: float) -> None:
        super().__init__()
        assert watcher.head is not None
        self.arguments = (position_at(watcher, after), watcher.head.revision, seconds, reader)
        self.watcher = watcher
        self.began = time.monotonic()
        self.slept = 0.0
        self.passed = -1
        self.start()

    def run(self) -> None:
        self.passed = self.watcher.wait(*self.arguments).seq
        self.slept = time.monotonic() - self.began


def known(watcher: Watcher, seq: int) -> None:
    """Waits until the watcher has seen an entry."""
    deadline = time.monotonic() + 10
    while (watcher.head is None or watcher.head.seq < seq) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert watcher.head is not None
    assert watcher.head.seq == seq


def test_nobody_is_watched_for_until_somebody_waits(wire: Wire, watcher: Watcher) -> None:
    publisher = wire.as_publisher()
    publisher.publish()
    answered(publisher, "")
    assert (watchers(), watcher.head) == (0, None)
    with watcher.attended():
        known(watcher, 1)
        assert watchers() == 1
        with watcher.attended():
            assert watchers() == 1


def test_a_commit_wakes_those_whom_it_concerns_and_no_others(wire: Wire, watcher: Watcher) -> None:
    publisher = wire.as_publisher()
    with watcher.attended():
        publisher.publish()
        known(watcher, 1)
        later = threading.Timer(0.2, publisher.publish)
        later.start()
        assert 0.1 < waited(watcher) < 2
        later.join()
        known(watcher, 2)
        again = threading.Timer(0.1, publisher.publish)
        again.start()
        assert watcher.head is not None
        assert watcher.wait(position_at(watcher, 2), watcher.head.revision, 0.6, of_section("nowhere")).seq == 3
        again.join()


def test_all_who_wait_for_the_same_wake_together_and_those_who_wait_for_something_else_pass_it(
    wire: Wire, watcher: Watcher
) -> None:
    publisher = wire.as_publisher()
    with watcher.attended():
        known(watcher, 0)
        sport = [Sleeper(watcher, 0, of_section("sport"), 10) for _ in range(5)]
        brief = Sleeper(watcher, 0, of_section("sport"), 0.1)
        world = [Sleeper(watcher, 0, of_section("world"), 1.5) for _ in range(5)]
        brief.join()
        publisher.publish(section="sport")
        known(watcher, 1)
        late = Sleeper(watcher, 1, of_section("sport"), 1.0)
        for sleeper in (*sport, *world, late):
            sleeper.join()
    assert brief.passed == 0
    assert {sleeper.passed for sleeper in sport} == {0}
    assert max(sleeper.slept for sleeper in sport) < 5
    assert {sleeper.passed for sleeper in world} == {1}
    assert min(sleeper.slept for sleeper in (*world, late)) > 0.9
    assert late.passed == 1


def test_nobody_is_sent_back_behind_what_it_has_read(wire: Wire, watcher: Watcher) -> None:
    """A page out of the database may be newer than what the watcher knows."""
    publisher = wire.as_publisher()
    with watcher.attended():
        known(watcher, 0)
        ahead = Sleeper(watcher, 2, of_section("nowhere"), 0.5)
        publisher.publish()
        known(watcher, 1)
        ahead.join()
    assert ahead.passed == 2


def test_an_edit_of_a_party_wakes_everyone(wire: Wire, watcher: Watcher) -> None:
    wire.as_partner("first")
    with watcher.attended():
        known(watcher, 0)
        later = threading.Timer(0.2, wire.as_partner, ["second"])
        later.start()
        assert 0.1 < waited(watcher, of_section("nowhere")) < 2
        later.join()


def test_the_newest_entries_are_kept_and_no_more(wire: Wire, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_KEPT", 5)
    publisher = wire.as_publisher()
    with watcher.attended():
        known(watcher, 0)
        for number in range(8):
            publisher.publish(f"Story {number}")
            known(watcher, number + 1)
        kept = watcher.since(3)
        assert kept is not None
        assert [item.seq for item in kept[0]] == [4, 5, 6, 7, 8]
        assert watcher.since(2) is None
        assert watcher.since(9) is None
        publisher.post("/v1/articles/batch", json=[{"headline": f"Story {number}"} for number in range(6)])
        known(watcher, 14)
        assert watcher.since(8) is None
        assert watcher.since(14) == ([], watcher.head)


def test_a_killed_article_is_not_handed_out_by_who_lags(wire: Wire, watcher: Watcher) -> None:
    """What is kept in the process knows what became of its articles since."""
    publisher, partner = wire.as_publisher(), wire.as_partner()
    feed = wire.app.config["NEWSWIRE"].feed
    with watcher.attended():
        known(watcher, 0)
        article = publisher.publish()
        known(watcher, 1)
        publisher.delete(f"/v1/articles/{article['id']}")
        known(watcher, 2)
        stream = events(partner, "&after=0")
        found = [next(event for event in stream if event.data is not None).data for _ in range(2)]
        stream.close()
        items, _ = watcher.since(0) or ((), None)
        assert [watcher.standing(item).status for item in items] == ["canceled", "canceled"]
    assert [entry["article"] for entry in found] == [None, None]
    assert feed.watcher is watcher


def test_who_waits_goes_home_when_the_process_ends(wire: Wire, watcher: Watcher) -> None:
    partner = wire.as_partner()
    stream = events(partner, "&start=now")
    assert next(stream).id
    later = threading.Timer(0.3, watcher.close)
    later.start()
    began = time.monotonic()
    assert [event for event in stream if event.data is not None] == []
    assert time.monotonic() - began < 3
    later.join()
    watcher.join()
    assert watchers() == 0


@pytest.mark.slow
def test_a_stream_outlives_its_database() -> None:
    with temporary_postgres() as postgres, new_database(postgres.url) as url:
        upgrade(url)
        wire = Wire(url)
        publisher, partner = wire.as_publisher(), wire.as_partner()
        stream = events(partner, "")
        for number in range(1, 3):
            published(publisher, f"Story {number}")
            event: Any = next(event for event in stream if event.data is not None)
            assert event.data["seq"] == number
            if number == 1:
                postgres.restart()
        stream.close()
        wire.close()


def published(publisher: Any, headline: str) -> None:
    """Publishes; the first connections after a restart are those of the old server."""
    deadline = time.monotonic() + 30
    while publisher.post("/v1/articles", json={"headline": headline}).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
