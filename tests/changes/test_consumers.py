"""Named consumers: positions that a party's programs store, and continue from."""

from typing import Any

import pytest

from newswire import wire as log
from tests.support.site import places_of, problem_of
from tests.support.ways_of_reading import answered
from tests.support.wire import Caller, Wire


def test_a_consumer_continues_where_it_acknowledged_and_moves_only_then(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(5):
        publisher.publish(f"Story {number}")
    made = partner.put("/v1/consumers/desk", json={"after": 2})
    assert made.status_code == 200
    own = {"name": "desk", "after": 2, "chain": publisher.changes()[1]["chain"], "lag": 3, "updated_at": None}
    assert {**made.get_json(), "updated_at": None} == own
    for _ in range(2):
        assert [entry["seq"] for entry in answered(partner, "consumer=desk")["data"]] == [3, 4, 5]
    partner.put("/v1/consumers/desk", json={"after": 5})
    chain = partner.get("/v1/wire").get_json()["chain"]
    assert answered(partner, "consumer=desk")["page"] == {"has_more": False, "next_after": 5, "next_chain": chain}
    publisher.publish("Story 5")
    assert partner.get("/v1/consumers/desk").get_json()["lag"] == 1
    # Back again, to read once more.
    partner.put("/v1/consumers/desk", json={"after": 0})
    assert len(answered(partner, "consumer=desk")["data"]) == 6


def test_all_keys_of_a_party_share_its_consumers_and_nobody_else_sees_them(wire: Wire) -> None:
    publisher, second = wire.as_publisher(), wire.as_publisher()
    partner, other, admin = wire.as_partner(), wire.as_partner("other"), wire.as_admin()
    publisher.publish()
    publisher.put("/v1/consumers/b", json={"after": 1})
    second.put("/v1/consumers/a", json={"after": 0})
    partner.put("/v1/consumers/b", json={"after": 0})
    for caller in (publisher, second):
        found = caller.get("/v1/consumers").get_json()["data"]
        assert [(item["name"], item["after"], item["lag"]) for item in found] == [("a", 0, 1), ("b", 1, 0)]
    for caller in (other, admin):
        assert caller.get("/v1/consumers").get_json() == {"data": []}
        problem_of(caller.get("/v1/consumers/b"), "not_found")
        problem_of(caller.delete("/v1/consumers/b"), "not_found")
        problem_of(caller.get("/v1/changes?consumer=b"), "not_found")
    gone = partner.delete("/v1/consumers/b")
    assert (gone.status_code, gone.data) == (204, b"")
    problem_of(partner.get("/v1/changes?consumer=b"), "not_found")
    assert second.get("/v1/consumers/b").status_code == 200


def test_what_cannot_be_a_position_is_refused(wire: Wire) -> None:
    partner = wire.as_partner()
    problem_of(partner.put("/v1/consumers/desk", json={"after": 1}), "cursor_ahead")
    wrong: list[Any] = [{}, {"after": None}, {"after": -1}, {"after": "1"}, {"after": True}, {"after": 0, "a": 1}, []]
    for body in wrong:
        problem = problem_of(partner.put("/v1/consumers/desk", json=body), "validation_failed")
        assert places_of(problem) <= {"/after", "/a", ""}
    problem_of(partner.put("/v1/consumers/desk", data=b"after=1"), "unsupported_media_type")
    problem_of(partner.put("/v1/consumers/desk", data=b"{", content_type="application/json"), "malformed_json")
    assert partner.get("/v1/consumers").get_json() == {"data": []}


@pytest.mark.parametrize("name", ["Desk", "-desk", "desk%20one", "d" * 101, "d%C3%A9sk"])
def test_a_name_is_short_and_plain(shared_partner: Caller, name: str) -> None:
    partner = shared_partner
    problem = problem_of(partner.put(f"/v1/consumers/{name}", json={"after": 0}), "invalid_parameter")
    assert places_of(problem) == {"name"}
    for good in ("a", "0", "desk.one_two-3", "d" * 100):
        assert partner.put(f"/v1/consumers/{good}", json={"after": 0}).status_code == 200


def test_a_party_has_a_hundred_consumers_at_most(wire: Wire) -> None:
    partner = wire.as_partner()
    for number in range(100):
        assert partner.put(f"/v1/consumers/c{number}", json={"after": 0}).status_code == 200
    problem_of(partner.put("/v1/consumers/another", json={"after": 0}), "validation_failed")
    assert partner.put("/v1/consumers/c7", json={"after": 0}).status_code == 200
    assert partner.delete("/v1/consumers/c7").status_code == 204
    assert partner.put("/v1/consumers/another", json={"after": 0}).status_code == 200


def test_nobody_in_particular_has_no_consumer(database_url: str) -> None:
    wire = Wire(database_url, public_read=True)
    for method in ("PUT", "DELETE"):
        problem_of(wire.client.open("/v1/consumers/desk", method=method, json={"after": 0}), "unauthenticated")
    assert wire.client.get("/v1/consumers").get_json() == {"data": []}
    wire.close()


def test_the_wire_says_where_it_stands(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["none"])
    stands = partner.get("/v1/wire").get_json()
    assert (stands["head"], stands["chain"]) == (0, "0" * 64)
    publisher.publish()
    later = partner.get("/v1/wire").get_json()
    entry = publisher.changes()[0]
    assert later == {"wire": stands["wire"], "head": 1, "chain": entry["chain"]}
    assert answered(partner, "")["wire"] == stands["wire"]


def test_a_consumer_of_the_wire_before_a_restore_is_told_until_it_stores_its_position_anew(wire: Wire) -> None:
    wire.as_publisher().publish()
    partner = wire.as_partner()
    partner.put("/v1/consumers/desk", json={"after": 1})
    with wire.database.begin() as connection:
        connection.execute(log.new_wire_statement())
    refused = partner.get("/v1/changes?consumer=desk")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "wire_changed")
    partner.put("/v1/consumers/desk", json={"after": 0})
    assert len(partner.get("/v1/changes?consumer=desk").get_json()["data"]) == 1
