"""Positions name their history: whoever has read what the wire has lost is told so, by every way of reading."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from newswire import wire as log
from newswire.store.tables import consumer
from newswire.timestamps import now
from tests.support.cases import case
from tests.support.forks import saved_copy
from tests.support.site import problem_of
from tests.support.ways_of_reading import EVENTS, LINES, answered, events
from tests.support.wire import Caller, Wire

KEPT, LOST = 10, 15
ZEROS = "0" * 64


class Fork:
    """A wire that was read up to entry 15, went back to entry 10, and gave the numbers from 11 out again, to 16.

    `before` are the entries as they were read; the process that serves the wire now has seen none of them.
    """

    def __init__(self, database_url: str) -> None:
        with closing(Wire(database_url)) as wire:
            publisher, partner = wire.as_publisher(), wire.as_partner()
            publish(publisher, KEPT, "kept")
            partner.put("/v1/consumers/early", json={"after": 3})
            partner.post("/v1/feeds", json={"name": "all", "query": {}})
            self.id = answered(partner, "")["wire"]
        with saved_copy(database_url) as copy:
            with closing(Wire(database_url)) as wire:
                publish(Caller(wire.client, publisher.key), LOST - KEPT, "lost")
                self.before = Caller(wire.client, partner.key).changes()
            copy.put_back()
        self.wire = Wire(database_url)
        self.publisher, self.partner = (Caller(self.wire.client, each.key) for each in (publisher, partner))

    def chain(self, seq: int) -> str:
        """The chain value of an entry as it was read."""
        chain: str = self.before[seq - 1]["chain"] if seq else ZEROS
        return chain

    def write_anew(self) -> None:
        publish(self.publisher, 6, "anew")
        self.after = self.partner.changes()


def publish(publisher: Caller, count: int, name: str) -> None:
    """Publishes a batch. Connections that a failover has broken are found out by the first requests after it."""
    for _ in range(20):
        response = publisher.post(
            "/v1/articles/batch", json=[{"headline": f"{name} {number}"} for number in range(count)]
        )
        if response.status_code == 200:
            return
        problem_of(response, "unavailable")
    raise AssertionError(response.text)


@pytest.fixture
def fork(database_url: str) -> Iterator[Fork]:
    made = Fork(database_url)
    yield made
    made.wire.close()


def ways_to_ask(fork: Fork, seq: int, chain: str) -> dict[str, Any]:
    """The responses to a position with its chain value, by way of asking."""
    get, query = fork.partner.get, f"after={seq}&wire={fork.id}&chain={chain}"
    event = {"Last-Event-ID": f"{fork.id}:{seq}:{chain}"}
    return {
        "page": get(f"/v1/changes?{query}"),
        "without the wire": get(f"/v1/changes?after={seq}&chain={chain}"),
        "long poll": get(f"/v1/changes?{query}&wait=1"),
        "with words": get(f"/v1/changes?{query}&q=anew"),
        "saved feed": get(f"/v1/feeds/all/changes?{query}"),
        "ndjson": get(f"/v1/changes?{query}", headers=LINES),
        "event stream": get("/v1/changes", headers=EVENTS | event),
        "event stream by parameter": get(f"/v1/changes?{query}", headers=EVENTS),
        "acknowledgement": fork.partner.put("/v1/consumers/late", json={"after": seq, "chain": chain}),
    }


def test_who_has_read_the_lost_entries_is_told_by_every_way_of_reading(fork: Fork) -> None:
    for name, response in ways_to_ask(fork, LOST, fork.chain(LOST)).items():
        with case(name):
            assert problem_of(response, "cursor_ahead")["head"] == KEPT
    fork.write_anew()
    for seq in (KEPT + 1, LOST):
        for chain in (fork.chain(seq), fork.chain(seq)[:16], fork.chain(seq).upper()):
            for name, response in ways_to_ask(fork, seq, chain).items():
                with case((seq, chain, name)):
                    problem = problem_of(response, "wire_forked")
                    assert (problem["seq"], problem["chain"]) == (seq, fork.after[seq - 1]["chain"])
    assert fork.partner.get("/v1/consumers/late").status_code == 404


def test_who_has_read_none_of_them_goes_on(fork: Fork) -> None:
    fork.write_anew()
    for seq in (0, 3, KEPT):
        for chain in (fork.chain(seq), fork.chain(seq)[:16]):
            page = answered(fork.partner, f"after={seq}&wire={fork.id}&chain={chain}")
            assert page["data"] == fork.after[seq:]
            assert page["page"]["next_chain"] == fork.after[-1]["chain"]
    assert answered(fork.partner, "consumer=early")["data"] == fork.after[3:]


def test_a_position_without_a_chain_value_is_taken_as_before(fork: Fork) -> None:
    fork.write_anew()
    assert answered(fork.partner, f"after={LOST}&wire={fork.id}")["data"] == fork.after[LOST:]
    stream = events(fork.partner, "", {"Last-Event-ID": f"{fork.id}:{LOST}"})
    assert next(event for event in stream if event.data is not None).data["seq"] == LOST + 1
    stream.close()


def test_under_a_former_id_the_chain_value_decides(fork: Fork) -> None:
    fork.write_anew()
    for name in ("desk", "old"):
        fork.partner.put(f"/v1/consumers/{name}", json={"after": 12})
    with fork.wire.database.begin() as connection:
        # As an earlier release stored it.
        connection.execute(update(consumer).where(consumer.c.name == "old").values(chain=None))
        new = log.renew_wire(connection, log.read_head(connection), "renewed", now())
    for seq in (0, 3, KEPT):
        page = answered(fork.partner, f"after={seq}&wire={fork.id}&chain={fork.chain(seq)}")
        assert (page["data"], page["wire"]) == (fork.after[seq:], new)
    for response in ways_to_ask(fork, LOST, fork.chain(LOST)).values():
        problem_of(response, "wire_forked")
    beyond = fork.partner.get(f"/v1/changes?after=99&wire={fork.id}&chain={'1' * 16}")
    assert problem_of(beyond, "wire_forked")["chain"] is None
    for query in (
        f"after=3&wire={fork.id}",
        f"start=now&wire={fork.id}",
        "consumer=old",
        f"after=0&wire=x&chain={ZEROS}",
    ):
        with case(query):
            problem_of(fork.partner.get(f"/v1/changes?{query}"), "wire_changed")
    assert answered(fork.partner, "consumer=desk")["data"] == fork.after[12:]
    # Its last acknowledgement may be among what was lost: who sends the id that it knows is told.
    problem_of(fork.partner.get(f"/v1/changes?consumer=desk&wire={fork.id}"), "wire_changed")
    assert answered(fork.partner, f"consumer=desk&wire={new}")["data"] == fork.after[12:]
    stream = events(fork.partner, "", {"Last-Event-ID": f"{fork.id}:3:{fork.chain(3)[:16]}"})
    opening = next(stream)
    assert opening.id == f"{new}:3:{fork.chain(3)[:16]}"
    stream.close()


def test_every_page_names_the_chain_value_of_its_end(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["world"])
    assert answered(partner, "")["page"]["next_chain"] == ZEROS
    for section in ("world", "sport", "world", "sport"):
        publisher.publish(section=section)
    chains = [ZEROS, *(entry["chain"] for entry in wire.as_admin().changes())]
    for query in (
        "", "after=1", "after=2&limit=1", "after=3", "after=4", "after=4&wait=1", "section=none", "start=now",
        "start=oldest&limit=1", "start=now-1h", "start=2100-01-01", "q=nothing", "after=1&q=cocoa",
    ):  # fmt: skip
        with case(query):
            page = answered(partner, query)["page"]
            assert page["next_chain"] == chains[page["next_after"]]


@given(
    st.one_of(
        st.text("0123456789abcdefABCDEF", max_size=70).filter(lambda text: len(text) not in (16, 64)),
        st.sampled_from(["g" * 16, "0" * 15 + "%0A", "0" * 16 + "%0A", "%20" + "0" * 16, "０" * 16, "0" * 63 + "g"]),
    )
)
def test_a_malformed_chain_value_is_refused(shared_wire: Wire, shared_partner: Caller, chain: str) -> None:
    problem = problem_of(shared_partner.get(f"/v1/changes?after=0&chain={chain}"), "invalid_parameter")
    assert problem["errors"][0]["parameter"] == "chain"


def test_a_chain_value_belongs_to_a_number(shared_partner: Caller) -> None:
    for query in ("", "start=now&", "start=oldest&", "consumer=desk&"):
        with case(query):
            problem = problem_of(shared_partner.get(f"/v1/changes?{query}chain={ZEROS}"), "invalid_parameter")
            assert problem["errors"][0]["parameter"] == "chain"
    assert shared_partner.get(f"/v1/changes?after=0&chain={ZEROS}").status_code == 200
    assert shared_partner.get(f"/v1/changes?after=0&chain={ZEROS[:16]}").status_code == 200
    problem_of(shared_partner.get(f"/v1/changes?after=0&chain={'1' * 16}"), "wire_forked")
    problem_of(shared_partner.get(f"/v1/changes?after={2**63 - 1}&chain={'1' * 16}"), "cursor_ahead")
    for sent in ({"after": 0, "chain": "12"}, {"after": 0, "chain": 12}, {"chain": ZEROS}):
        problem_of(shared_partner.put("/v1/consumers/desk", json=sent), "validation_failed")


@pytest.mark.parametrize("id", ["", "1", ":1", "w:", "w:x", "w:1:", "w:1:12", "w:1:" + "g" * 16, "w:" + "1" * 20])
def test_a_malformed_event_id_is_refused(shared_partner: Caller, id: str) -> None:
    problem_of(shared_partner.get("/v1/changes", headers=EVENTS | {"Last-Event-ID": id}), "invalid_parameter")


def test_an_open_stream_ends_with_the_problem_when_the_wire_goes_back_under_it(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publish(publisher, 3, "kept")
    with saved_copy(wire.url) as copy:
        publish(publisher, 2, "lost")
        streams = [events(partner, query) for query in ("", "&q=kept&start=now", "&section=none&start=now")]
        opening = [next(stream) for stream in streams]
        assert [event.id and event.id.split(":")[1] for event in opening] == ["0", "5", "5"]
        seen = [next(event for event in streams[0] if event.data is not None).data["seq"] for _ in range(5)]
        assert seen == [1, 2, 3, 4, 5]
        copy.put_back()
    publish(publisher, 4, "anew")
    for stream in streams:
        rest = [event for event in stream if event.data is not None]
        assert [event.data["seq"] for event in rest if event.type != "error" and event.data["seq"] > 3] == []
        assert [(event.type, event.data["status"]) for event in rest[-1:]] == [("error", 409)]
        assert rest[-1].data["code"] in ("wire_forked", "cursor_ahead")


def test_an_export_ends_with_the_problem_when_the_wire_goes_back_under_it(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publish(publisher, 50, "kept")
    with saved_copy(wire.url) as copy:
        publish(publisher, 400, "lost")
        lines = partner.get("/v1/changes", headers=LINES).iter_encoded()
        first = next(lines)
        copy.put_back()
    publish(publisher, 500, "anew")
    *entries, last = [json.loads(line) for line in (first + b"".join(lines)).splitlines()]
    assert all("lost" in entry["article"]["headline"] for entry in entries if entry["seq"] > 50)
    assert (last["status"], last["code"]) == (409, "wire_forked")
