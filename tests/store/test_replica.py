"""A streaming PostgreSQL replica shows a prefix of the wire: every way of reading is right there, however it lags."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, make_url

from newswire.store.migrate import upgrade
from tests.support.postgres import connect, new_database, replica_of, temporary_postgres
from tests.support.site import problem_of
from tests.support.ways_of_reading import WAYS, acknowledge, answered, events, paged
from tests.support.wire import Caller, Wire

pytestmark = pytest.mark.slow
WAIT_SECONDS = 30.0


class Pair:
    """A primary that is written to, and a replica that is read."""

    def __init__(self, primary: URL, replica_server: URL) -> None:
        self.primary, self.replica_server = primary, replica_server
        self.replica = replica_server.set(database=primary.database)
        self.written, self.read = Wire(rendered(primary)), Wire(rendered(self.replica))
        self.publisher = self.written.as_publisher()

    def partner(self, slug: str = "partner", **limits: list[str]) -> Caller:
        """A partner who reads from the replica, which knows its key already."""
        key = self.written.as_partner(slug, **limits).key
        self.catch_up()
        return Caller(self.read.client, key)

    def publish(self, name: str, section: str = "world") -> None:
        sent = {"headline": f"Story {name}", "section": section}
        response = self.publisher.put(f"/v1/publishers/reuters/articles/{name}", json=sent)
        assert response.status_code in (200, 201), response.text

    def pause(self) -> None:
        """From now on the replica shows nothing new."""
        self.catch_up()
        asked(self.replica, "SELECT pg_wal_replay_pause()")
        waited(lambda: asked(self.replica, "SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        asked(self.replica, "SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Waits until the replica has everything."""
        stands = asked(self.primary, "SELECT pg_current_wal_lsn()::text")
        # Asked in the server's own database: that of the test may be still to come.
        waited(lambda: asked(self.replica_server, f"SELECT pg_last_wal_replay_lsn() >= '{stands}'"))

    def close(self) -> None:
        self.read.close()
        self.written.close()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str]]:
    with temporary_postgres() as primary, replica_of(primary) as replica:
        yield primary.url, replica.url


@pytest.fixture
def pair(servers: tuple[str, str]) -> Iterator[Pair]:
    primary, replica = servers
    with new_database(primary) as url:
        upgrade(url)
        with closing(Pair(make_url(url), make_url(replica))) as made:
            made.catch_up()
            yield made


def rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def asked(url: URL, statement: str) -> Any:
    """The one value that a statement gives, on a connection of its own."""
    with closing(connect(url)) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def waited(condition: Any) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def numbers(entries: list[dict[str, Any]]) -> list[int]:
    return [entry["seq"] for entry in entries]


def test_the_second_server_is_a_replica_that_takes_no_writes(pair: Pair) -> None:
    assert asked(pair.replica, "SELECT pg_is_in_recovery()") is True
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asked(pair.replica, "UPDATE head SET seq = 7 RETURNING seq")


# A consumer stores its position where it reads, and a replica stores nothing: it has a test of its own.
@pytest.mark.parametrize("name", [name for name in WAYS if name != "consumer"])
def test_a_replica_that_lags_shows_a_prefix_and_later_everything_once(pair: Pair, name: str) -> None:
    way, partner = WAYS[name], pair.partner()
    for number in range(5):
        pair.publish(str(number))
    pair.pause()
    for number in range(5, 9):
        pair.publish(str(number))
    found, after = way(partner, "", 0, 5)
    assert (numbers(found), after) == ([1, 2, 3, 4, 5], 5)
    end = {"has_more": False, "next_after": 5, "next_chain": found[-1]["chain"]}
    assert answered(partner, "after=5") | {"wire": None} == {"data": [], "page": end, "head": 5, "wire": None}
    pair.resume()
    pair.catch_up()
    rest, after = way(partner, "", after, 9)
    assert (numbers(rest), after) == ([6, 7, 8, 9], 9)
    assert found + rest == paged(partner, "", 0)[0] == paged(Caller(pair.written.client, partner.key), "", 0)[0]


def test_a_consumer_may_read_from_the_replica_and_store_its_position_at_the_primary(pair: Pair) -> None:
    partner = pair.partner()
    home = Caller(pair.written.client, partner.key)
    for number in range(4):
        pair.publish(str(number))
    acknowledge(home, 2)
    pair.pause()
    acknowledge(home, 3)
    assert numbers(answered(partner, "consumer=desk")["data"]) == [3, 4]
    pair.resume()
    pair.catch_up()
    assert numbers(answered(partner, "consumer=desk")["data"]) == [4]


def test_who_has_read_further_elsewhere_is_told_so_and_goes_on_later(pair: Pair) -> None:
    partner = pair.partner()
    pair.publish("a")
    pair.pause()
    pair.publish("b")
    wire_id = answered(partner, "")["wire"]
    assert problem_of(partner.get(f"/v1/changes?after=2&wire={wire_id}"), "cursor_ahead")["head"] == 1
    pair.resume()
    pair.catch_up()
    assert answered(partner, f"after=2&wire={wire_id}")["data"] == []


def test_a_waiting_poll_and_an_open_stream_are_told_as_soon_as_the_replica_knows(pair: Pair) -> None:
    partner = pair.partner(section=["sport"])
    stream = events(partner, "&start=now")
    assert next(stream).id
    pair.pause()
    pair.publish("a")
    pair.publish("b", "sport")
    later = threading.Timer(0.5, pair.resume)
    later.start()
    began = time.monotonic()
    page = answered(partner, "after=0&wait=20")
    waited_for = time.monotonic() - began
    later.join()
    assert (numbers(page["data"]), page["head"]) == ([2], 2)
    assert 0.4 < waited_for < 5
    assert next(event for event in stream if event.data is not None).data["seq"] == 2
    pair.publish("c", "sport")
    assert next(event for event in stream if event.data is not None).data["seq"] == 3
    stream.close()


def test_what_a_replica_cannot_do_is_said(pair: Pair) -> None:
    partner, publisher = pair.partner(), Caller(pair.read.client, pair.publisher.key)
    assert partner.get("/v1/consumers").get_json() == {"data": []}
    for refused in (
        partner.put("/v1/consumers/desk", json={"after": 0}),
        publisher.post("/v1/articles", json={"headline": "Cocoa rises"}),
    ):
        assert "replica" in problem_of(refused, "unavailable")["detail"]
