"""The wire finds out by itself that its database has lost entries, takes a new id, once, and never without need."""

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from newswire import wire as log
from newswire.changes.forks import HistoryMemory
from newswire.store.database import Database
from newswire.store.sqlite.backend import FILE_SECONDS
from newswire.timestamps import now
from tests.changes.test_positions import publish
from tests.support.command import Cli
from tests.support.forks import saved_copy
from tests.support.site import problem_of
from tests.support.ways_of_reading import EVENTS, answered, events
from tests.support.wire import Caller, Wire


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


def wire_id(caller: Caller) -> str:
    found: str = caller.get("/v1/wire").get_json()["wire"]
    return found


def looked(memory: HistoryMemory) -> log.Head:
    """The head as `memory` sees it; the first looks after a failover may find broken connections."""
    for _ in range(20):
        if (head := memory.look()) is not None:
            return head
    raise AssertionError("the database does not come back")


def answers_again(wire: Wire, path: str) -> Any:
    """What `path` answers, once the connections that a failover has broken are found out."""
    for _ in range(20):
        if (response := wire.client.get(path)).status_code == 200:
            return response.get_json()
        problem_of(response, "unavailable")
    raise AssertionError(response.text)


def forks_found(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]


@pytest.mark.parametrize("written_anew", [0, 1, 5, 9], ids=["shorter", "shorter still", "as long", "longer"])
def test_a_wire_that_went_back_takes_a_new_id_and_says_so(
    wire: Wire, written_anew: int, caplog: pytest.LogCaptureFixture
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publish(publisher, 10, "kept")
    partner.put("/v1/consumers/desk", json={"after": 10})
    former, kept = wire_id(partner), partner.changes()[-1]
    with saved_copy(wire.url) as copy:
        publish(publisher, 5, "lost")
        lost = partner.changes()[-1]
        assert (wire.client.get("/readyz").get_json()["warning"], forks_found(caplog)) == (None, [])
        copy.put_back()
    if written_anew:
        with closing(Wire(wire.url)) as other:
            # A process that has seen nothing: what it writes goes under the former id.
            publish(Caller(other.client, publisher.key), written_anew, "anew")
            assert wire_id(Caller(other.client, partner.key)) == former
    ready = answers_again(wire, "/readyz")
    new = wire_id(partner)
    assert new != former
    assert "lost entries" in ready["warning"]
    assert [former in said and new in said and "entry 15" in said for said in forks_found(caplog)] == [True]
    for query, code in (
        (f"after=15&wire={former}", "wire_changed"),
        (f"after=10&wire={former}", "wire_changed"),
        (f"after=15&wire={former}&chain={lost['chain']}", "wire_forked"),
        (f"after=15&wire={former}&chain={lost['chain'][:16]}", "wire_forked"),
    ):
        problem_of(partner.get(f"/v1/changes?{query}"), code)
    problem_of(partner.get("/v1/changes", headers=EVENTS | {"Last-Event-ID": f"{former}:10"}), "wire_changed")
    page = answered(partner, f"after=10&wire={former}&chain={kept['chain']}")
    assert (page["wire"], len(page["data"])) == (new, written_anew)
    assert len(answered(partner, "consumer=desk")["data"]) == written_anew
    publish(publisher, 1, "later")
    assert wire_id(partner) == new
    assert len(forks_found(caplog)) == 1


def test_of_many_processes_one_renews_the_id(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Wire(database.url.render_as_string(hide_password=False))) as wire:
        publisher = wire.as_publisher()
        publish(publisher, 3, "kept")
        others = [Database(wire.url) for _ in range(4)]
        memories = [HistoryMemory(each) for each in others for _ in range(2)]
        with saved_copy(wire.url) as copy:
            publish(publisher, 2, "lost")
            before = {looked(memory) for memory in memories}
            assert len(before) == 1
            copy.put_back()
        start = threading.Barrier(len(memories))

        def find(memory: HistoryMemory) -> None:
            start.wait()
            looked(memory)

        threads = [threading.Thread(target=find, args=(memory,)) for memory in memories]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = {looked(memory) for memory in memories}
        assert len(after) == 1
        assert after.pop().wire != before.pop().wire
        with others[0].read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM former_wire").scalar() == 1
        assert len(forks_found(caplog)) == 1
        for each in others:
            each.dispose()


def test_a_head_that_was_read_before_another_proves_nothing(wire: Wire) -> None:
    publisher, memory = wire.as_publisher(), HistoryMemory(wire.database)
    heads = []
    for number in range(4):
        publish(publisher, 1, str(number))
        heads.append(log.look_at_head(wire.database))
    for head in (heads[3], heads[1], heads[3], heads[0], heads[2], heads[3]):
        assert memory.admit(head) == head
    assert looked(memory) == heads[3]


def test_an_edit_and_a_publication_are_no_fork(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    publisher, memory = wire.as_publisher(), HistoryMemory(wire.database)
    ids = set()
    for number in range(3):
        ids.add(looked(memory).wire)
        wire.as_partner(f"partner-{number}")
        ids.add(looked(memory).wire)
        publish(publisher, number, str(number)) if number else None
    assert (len(ids), forks_found(caplog)) == (1, [])


def test_a_wire_with_another_id_is_taken_as_it_is(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """`newswire restore`, `move` and `wire renew` give a new id themselves, also under a server that runs."""
    publisher, memory = wire.as_publisher(), HistoryMemory(wire.database)
    with saved_copy(wire.url) as copy:
        publish(publisher, 2, "lost")
        looked(memory)
        copy.put_back()
    looked(HistoryMemory(wire.database))
    with closing(Wire(wire.url)) as other, other.database.begin() as connection:
        connection.execute(log.new_wire_statement())
    found = looked(memory)
    publish(publisher, 5, "anew")
    assert (looked(memory).wire, forks_found(caplog)) == (found.wire, [])


def test_a_renewal_that_was_lost_itself_is_made_again(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publish(publisher, 3, "kept")
    with saved_copy(wire.url) as copy:
        publish(publisher, 2, "lost")
        ids = [wire_id(partner)]
        for _ in range(2):
            copy.put_back()
            answers_again(wire, "/readyz")
            ids.append(wire_id(partner))
    assert len(set(ids)) == 3
    assert len(forks_found(caplog)) == 2


def test_a_renewal_needs_the_entry_to_be_missing(wire: Wire) -> None:
    publish(wire.as_publisher(), 3, "kept")
    with wire.database.begin() as connection:
        head = log.read_head(connection)
        assert log.renew_wire(connection, head, "fork", now()) is None
        assert log.renew_wire(connection, head._replace(wire="another"), "renewed", now()) is None
        new = log.renew_wire(connection, head._replace(chain="another"), "fork", now())
        assert log.read_head(connection).wire == new != head.wire
        assert log.renew_wire(connection, head._replace(chain="another"), "fork", now()) is None


def test_a_file_that_replaces_the_database_is_noticed(fresh_sqlite: str, caplog: pytest.LogCaptureFixture) -> None:
    file = Path(str(make_url(fresh_sqlite).database))
    with closing(Wire(fresh_sqlite)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner()
        publish(publisher, 3, "kept")
        former = wire_id(partner)
        with saved_copy(fresh_sqlite) as copy:
            publish(publisher, 2, "lost")
            assert answered(partner, "")["head"] == 5
            shutil.copyfile(copy.name, f"{file}.new")
        for suffix in ("-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        os.replace(f"{file}.new", file)
        time.sleep(FILE_SECONDS)
        found = partner.get("/v1/wire").get_json()
        assert (found["head"], found["wire"] != former, len(forks_found(caplog))) == (3, True, 1)
        publish(publisher, 4, "anew")
        assert answered(partner, "")["head"] == 7


def test_an_open_stream_of_who_has_read_nothing_lost_is_taken_up_under_the_new_id(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publish(publisher, 3, "kept")
    former = wire_id(partner)
    with saved_copy(wire.url) as copy:
        publish(publisher, 2, "lost")
        answered(partner, "")
        stream = events(partner, "&after=2")
        last = next(event for event in stream if event.data is not None and event.data["seq"] == 3)
        copy.put_back()
        stream.close()
    publish(publisher, 1, "anew")
    answers_again(wire, "/readyz")
    again = events(partner, "&after=2", {"Last-Event-ID": str(last.id)})
    found = [next(again).id, next(event for event in again if event.data is not None)]
    again.close()
    assert str(last.id).startswith(former)
    assert str(found[0]).split(":")[1:] == str(last.id).split(":")[1:]
    assert not str(found[0]).startswith(former)


def test_the_id_is_renewed_by_hand(cli: Cli) -> None:
    before = cli.json("stats")
    found = cli.json("wire", "renew")
    assert found == {"former": before["wire"], "wire": cli.json("stats")["wire"], "head": 0, "chain": "0" * 64}
    assert found["former"] != found["wire"]
    said = cli.must("wire", "renew")
    assert said == f"The wire {found['wire']} is {cli.json('stats')['wire']} from now on; it stands at 0.\n"
    assert json.loads(cli.must("verify", "--json"))["whole"]
