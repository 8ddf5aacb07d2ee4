"""Polls that wait for the same page share it: one is made, whoever may have it gets it, and nobody else does."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from newswire.accounts.keys import create_key
from newswire.timestamps import format_instant, now
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

TWENTY = 20


class Poll(threading.Thread):
    """A poll that waits in a thread of its own."""

    def __init__(self, caller: Caller, path: str, **settings: Any) -> None:
        super().__init__()
        self.caller, self.path, self.settings = caller, path, settings
        self.began = time.monotonic()
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        self.response = self.caller.get(self.path, **self.settings)
        self.seconds = time.monotonic() - self.began

    def answer(self) -> TestResponse:
        self.join(30)
        assert not self.is_alive()
        return self.response

    def headlines(self) -> list[str]:
        answer = self.answer()
        assert answer.status_code == 200, answer.text
        return [entry["article"]["headline"] for entry in answer.get_json()["data"]]


@contextmanager
def dispatched(wire: Wire) -> Iterator[list[str]]:
    """The paths of the requests that Flask serves meanwhile: each of these makes its page itself."""
    paths: list[str] = []
    application = wire.app.full_dispatch_request

    def dispatch(*arguments: Any) -> Any:
        paths.append(arguments[0].request.path if arguments else "")
        return application(*arguments)

    wire.app.full_dispatch_request = dispatch  # type: ignore[method-assign]
    try:
        yield paths
    finally:
        wire.app.full_dispatch_request = application  # type: ignore[method-assign]


def waiting(wire: Wire) -> int:
    """How many polls wait now."""
    slots = wire.app.config["NEWSWIRE"].slots
    return int(slots.streams.taken)


def wait_for(wire: Wire, number: int) -> None:
    deadline = time.monotonic() + 10
    while waiting(wire) != number and time.monotonic() < deadline:
        time.sleep(0.005)
    assert waiting(wire) == number


def all_poll(wire: Wire, callers: Sequence[Caller], path: str) -> list[Poll]:
    """A poll of each caller, all of which wait when this returns."""
    before = waiting(wire)
    polls = [Poll(callers[0], path)]
    wait_for(wire, before + 1)
    polls += [Poll(caller, path) for caller in callers[1:]]
    wait_for(wire, before + len(callers))
    return polls


def known(caller: Caller) -> Caller:
    """The caller, whose key was looked up at the configuration of now."""
    assert caller.get("/v1/articles?limit=1").status_code == 200
    return caller


def test_twenty_polls_at_one_position_make_one_page_and_the_next_twenty_none(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    known(partner)
    with dispatched(wire) as paths:
        polls = all_poll(wire, [partner] * TWENTY, "/v1/changes?after=0&wait=20")
        article = publisher.publish("Cocoa")
        assert [poll.headlines() for poll in polls] == [["Cocoa"]] * TWENTY
        later = [partner.get("/v1/changes?after=0&wait=20") for _ in range(TWENTY)]
    assert {answer.data for answer in later} == {polls[0].response.data}
    assert len(paths) == 2, paths
    assert len({poll.response.headers["X-Request-Id"] for poll in polls}) == TWENTY
    assert waiting(wire) == 0
    assert json.loads(polls[1].response.data)["data"][0]["article_id"] == article["id"]


def test_partners_who_may_see_the_same_share_a_page_and_others_get_their_own(wire: Wire) -> None:
    publisher = wire.as_publisher()
    sport = [wire.as_partner(f"sport-{number}", section=["sport"]) for number in range(3)]
    world = [wire.as_partner(f"world-{number}", section=["world"]) for number in range(3)]
    for caller in (*sport, *world):
        known(caller)
    # The grants of a partner begin at an entry, and only those of the same access at the same entry are alike.
    polls = {section: all_poll(wire, callers, "/v1/changes?after=0&wait=1")
             for section, callers in (("sport", sport), ("world", world))}  # fmt: skip
    publisher.publish("Match", section="sport")
    assert [poll.headlines() for poll in polls["sport"]] == [["Match"]] * 3
    assert [poll.headlines() for poll in polls["world"]] == [[]] * 3
    assert min(poll.seconds for poll in polls["world"]) > 0.9
    assert waiting(wire) == 0


@pytest.mark.parametrize("path", ["/v1/changes?after=0&wait=20&limit=1", "/v1/changes?start=oldest&wait=20&limit=1"])
def test_a_page_after_a_wait_has_no_more_entries_than_asked_for(wire: Wire, path: str) -> None:
    publisher, partner = wire.as_publisher(), known(wire.as_partner())
    polls = all_poll(wire, [partner] * 2, path)
    batch = [{"headline": f"Cocoa {number}"} for number in range(3)]
    sent = publisher.post("/v1/articles/batch", json=batch)
    assert sent.status_code < 300, sent.text
    for poll in polls:
        assert poll.headlines() == ["Cocoa 0"]
        assert poll.response.get_json()["page"]["has_more"]


def test_who_begins_at_now_shares_no_position(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), known(wire.as_partner())
    path = "/v1/changes?start=now&wait=20"
    first = all_poll(wire, [partner], path)
    publisher.publish("First")
    assert first[0].headlines() == ["First"]
    second = all_poll(wire, [partner] * 2, path)
    publisher.publish("Second")
    assert [poll.headlines() for poll in second] == [["Second"]] * 2


@pytest.mark.slow
def test_a_revoked_key_and_a_narrowed_entitlement_end_what_was_shared(wire: Wire) -> None:
    publisher = wire.as_publisher()
    leader, revoked = wire.as_partner("leader"), wire.as_partner("revoked")
    narrowed = wire.as_partner("narrowed")
    for caller in (leader, revoked, narrowed):
        known(caller)
    polls = all_poll(wire, [leader, revoked, narrowed], "/v1/changes?after=0&wait=2")
    wire.set_partner("narrowed", section=["world"])
    wire.revoke(revoked.key)
    problem_of(polls[1].answer(), "unauthenticated")
    assert polls[1].seconds < 1.9
    publisher.publish("Match", section="sport")
    assert polls[0].headlines() == ["Match"]
    assert polls[2].headlines() == []


@pytest.mark.slow
def test_a_key_that_expires_while_it_waits_for_another_poll_is_401(wire: Wire) -> None:
    wire.as_publisher()
    leader = known(wire.as_partner("leader"))
    with wire.database.begin() as connection:
        key = create_key(connection, now=now(), partner_slug="leader", expires_at=now() + 1200)
    brief = known(Caller(wire.client, key))
    polls = all_poll(wire, [known(leader), brief], "/v1/changes?after=0&wait=2")
    problem_of(polls[1].answer(), "unauthenticated")
    assert polls[1].seconds < 1.9
    assert polls[0].headlines() == []


@pytest.mark.slow
def test_a_poll_waits_as_long_as_it_asked_whoever_it_waits_for(wire: Wire) -> None:
    partner = known(wire.as_partner())
    first = all_poll(wire, [partner], "/v1/changes?after=0&wait=2")
    time.sleep(1.0)
    second = Poll(partner, "/v1/changes?after=0&wait=2")
    assert first[0].headlines() == second.headlines() == []
    assert 1.9 < first[0].seconds < 3.5
    assert 1.9 < second.seconds < 3.5


@pytest.mark.slow
def test_a_kept_page_ends_when_an_article_of_it_expires_or_is_killed(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), known(wire.as_partner())
    polls = all_poll(wire, [partner] * 2, "/v1/changes?after=0&wait=20")
    publisher.publish("Brief", expires_at=format_instant(now() + 2000))
    assert [poll.headlines() for poll in polls] == [["Brief"]] * 2
    time.sleep(2.1)
    (entry,) = partner.get("/v1/changes?after=0&wait=20").get_json()["data"]
    assert entry["article"] is None
    article = publisher.publish("Wrong")
    path = "/v1/changes?after=1&wait=20"
    assert [entry["type"] for entry in partner.get(path).get_json()["data"]] == ["article.published"]
    assert publisher.delete(f"/v1/articles/{article['id']}?reason=Wrong").status_code == 200
    assert "article.canceled" in [entry["type"] for entry in partner.get(path).get_json()["data"]]


def test_a_leader_that_fails_leaves_the_others_to_themselves(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), known(wire.as_partner())
    with dispatched(wire) as paths:
        refused = [Poll(partner, "/v1/changes?after=0&wait=20&limit=0") for _ in range(5)]
        for poll in refused:
            problem_of(poll.answer(), "invalid_parameter")
        assert len(paths) >= 1
    publisher.publish("Cocoa")
    # What was joined to a refusal must not wait for anything that comes later.
    assert max(poll.seconds for poll in refused) < 5


def test_polls_that_find_no_room_are_refused_and_not_held(database_url: str) -> None:
    wire = Wire(database_url, streams=3, streams_per_party=3)
    try:
        publisher, partner = wire.as_publisher(), known(wire.as_partner())
        polls = all_poll(wire, [partner] * 3, "/v1/changes?after=0&wait=20")
        problem_of(partner.get("/v1/changes?after=0&wait=20"), "unavailable")
        publisher.publish("Cocoa")
        assert [poll.headlines() for poll in polls] == [["Cocoa"]] * 3
    finally:
        wire.close()


def test_a_wire_that_closes_lets_all_go(database_url: str) -> None:
    wire = Wire(database_url)
    partner = known(wire.as_partner())
    try:
        polls = all_poll(wire, [partner] * 5, "/v1/changes?after=0&wait=30")
        wire.app.config["NEWSWIRE"].feed.watcher.close()
        for poll in polls:
            assert poll.answer().status_code in (200, 503)
            assert poll.seconds < 10
            assert not poll.response.get_json().get("data")
    finally:
        wire.close()


@pytest.mark.slow
def test_every_poll_sees_every_entry_once_and_in_order_while_many_are_written(wire: Wire) -> None:
    publisher, partners = wire.as_publisher(), [known(wire.as_partner(f"p{number}")) for number in range(2)]
    total = 60
    seen: dict[int, list[int]] = {number: [] for number in range(8)}

    def follow(number: int) -> None:
        after = 0
        while after < total:
            page = partners[number % 2].get(f"/v1/changes?after={after}&wait=10").get_json()
            seen[number] += [entry["seq"] for entry in page["data"]]
            assert page["page"]["next_after"] >= after
            after = page["page"]["next_after"]

    threads = [threading.Thread(target=follow, args=(number,)) for number in seen]
    for thread in threads:
        thread.start()
    for number in range(total):
        publisher.publish(f"Cocoa {number}")
    for thread in threads:
        thread.join(60)
    assert seen == {number: [*range(1, total + 1)] for number in seen}
