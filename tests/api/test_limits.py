"""Limits as callers meet them: quotas of keys, guesses by address, shares of slots and streams, names of the wire."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import product

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from newswire.api.limits.quotas import FAILURES
from newswire.api.limits.slots import MOST_OF_ADDRESS, Slot
from newswire.api.request.address import client_address
from newswire.cli import main
from newswire.config import Settings, SettingsError
from newswire.quotas import Quota
from tests.support.cases import case
from tests.support.command import Cli
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

READ = {"read": Quota(5, 60)}
FAR = "203.0.113.7"


@pytest.fixture
def limited(fresh_sqlite: str) -> Iterator[Wire]:
    """A wire whose keys may read 5 times and publish 3 times in a minute."""
    with closing(Wire(fresh_sqlite, limits={"read": Quota(5, 60), "publish": Quota(3, 60)})) as wire:
        yield wire


def left_of(response: TestResponse, policy: str = "read") -> int:
    """What the RateLimit field says is left; checks the shape of both fields."""
    quota = {"read": 5, "publish": 3}[policy]
    assert response.headers.getlist("RateLimit-Policy") == [f'"{policy}";q={quota};w=60']
    [field] = response.headers.getlist("RateLimit")
    name, left, seconds = field.split(";")
    assert name == f'"{policy}"'
    assert 1 <= int(seconds.removeprefix("t=")) <= 60
    return int(left.removeprefix("r="))


def test_every_answer_under_a_quota_says_what_is_left(limited: Wire) -> None:
    partner = limited.as_partner()
    assert left_of(partner.get("/v1/articles")) == 4
    assert left_of(partner.get("/v1/articles?limit=1000")) == 3
    assert left_of(partner.get("/v1/articles/00000000-0000-0000-0000-000000000000")) == 2
    assert left_of(partner.get("/v1/changes", headers={"Accept": "application/x-ndjson"})) == 1
    assert left_of(partner.call("HEAD", "/v1/articles")) == 0
    refused = partner.get("/v1/articles")
    problem = problem_of(refused, "quota_exceeded")
    assert left_of(refused) == 0
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "5 requests in 60 s" in problem["detail"]


def test_a_page_from_the_cache_counts_too(limited: Wire) -> None:
    limited.as_publisher().publish()
    partner = limited.as_partner()
    found = [partner.get("/v1/articles") for _ in range(6)]
    assert [left_of(answer) for answer in found] == [4, 3, 2, 1, 0, 0]
    problem_of(found[5], "quota_exceeded")
    assert len({answer.data for answer in found[:5]}) == 1


def test_a_304_costs_nothing(limited: Wire) -> None:
    article = limited.as_publisher().publish()
    partner = limited.as_partner()
    for path in ("/v1/articles", f"/v1/articles/{article['id']}"):
        partner = limited.as_partner(path.rpartition("/")[2].replace("-", ""))
        tag = partner.get(path).headers["ETag"]
        for _ in range(10):
            unchanged = partner.get(path, headers={"If-None-Match": tag})
            assert unchanged.status_code == 304
            assert left_of(unchanged) == 4


def test_reading_and_publishing_are_counted_apart_and_keys_too(limited: Wire) -> None:
    publisher, other = limited.as_publisher(), limited.as_publisher()
    batch = [{"headline": f"Story {number}"} for number in range(10)]
    assert left_of(publisher.post("/v1/articles/batch", json=batch), "publish") == 2
    assert left_of(publisher.post("/v1/articles", json={"headline": ""}), "publish") == 1
    assert left_of(publisher.post("/v1/articles", json={"headline": "x"}), "publish") == 0
    problem_of(publisher.post("/v1/articles", json={"headline": "y"}), "quota_exceeded")
    assert left_of(publisher.get("/v1/articles")) == 4
    assert left_of(other.post("/v1/articles", json={"headline": "y"}), "publish") == 2
    # What no scope is needed for is under no quota.
    for path in ("/healthz", "/v1/problems", "/v1/openapi.json"):
        assert "RateLimit" not in publisher.get(path).headers


def test_what_a_key_says_goes_before_the_default(limited: Wire) -> None:
    publisher = limited.as_publisher(quotas={"read": Quota(1, 3600)})
    assert publisher.get("/v1/me").get_json()["limits"] == {
        "read": {"requests": 1, "seconds": 3600}, "publish": {"requests": 3, "seconds": 60},
    }  # fmt: skip
    refused = publisher.get("/v1/me")
    problem_of(refused, "quota_exceeded")
    assert refused.headers["RateLimit-Policy"] == '"read";q=1;w=3600'


def test_the_token_of_a_feed_is_counted_like_a_key(limited: Wire) -> None:
    token = limited.as_partner().post("/v1/feeds", json={"name": "all", "query": ""}).get_json()["token"]
    found = [limited.client.get(f"/v1/feeds/all.rss?token={token}") for _ in range(6)]
    assert [left_of(answer) for answer in found] == [4, 3, 2, 1, 0, 0]


def test_the_public_is_counted_by_address(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, limits=READ, public_read=True)) as wire:
        for address in (FAR, "203.0.113.8"):
            from_there = {"X-Forwarded-For": address}
            found = [wire.client.get("/v1/articles", headers=from_there) for _ in range(6)]
            assert [left_of(answer) for answer in found] == [4, 3, 2, 1, 0, 0]
        # The proxy itself is everybody.
        assert "RateLimit" not in wire.client.get("/v1/articles").headers


def test_a_key_gets_its_limits_when_it_is_made(sqlite_cli: Cli) -> None:
    sqlite_cli.must("partner", "add", "daily", "--name", "Daily")
    made = sqlite_cli.json("key", "create", "--partner", "daily", "--limit", "read=600/60s")
    assert made["limits"] == {"read": {"requests": 600, "seconds": 60}}
    sqlite_cli.must("key", "create", "--admin", "--limit", "read=6/60s", "--limit", "publish=2/1s")
    assert [key["limits"].get("publish") for key in sqlite_cli.json("key", "list")] == [
        None, {"requests": 2, "seconds": 1},
    ]  # fmt: skip
    assert "read=6/60s,publish=2/1s" in sqlite_cli.must("key", "list")
    assert "no scope publish" in sqlite_cli.refused("key", "create", "--partner", "daily", "--limit", "publish=1/1s")
    wrong = sqlite_cli.run("key", "create", "--admin", "--limit", "reed=1/1s")
    assert wrong.exit_code == 2
    assert "Did you mean read?" in wrong.stderr


def test_an_address_that_guesses_keys_is_looked_at_no_more(wire: Wire) -> None:
    partner, late = wire.as_partner(), wire.as_partner("late")
    assert partner.get("/v1/me", headers={"X-Forwarded-For": FAR}).status_code == 200
    guess = Caller(wire.client, "nw_guess")
    for _ in range(FAILURES.requests):
        problem_of(guess.get("/v1/me", headers={"X-Forwarded-For": FAR}), "unauthenticated")
    refused = guess.get("/v1/me", headers={"X-Forwarded-For": FAR})
    problem_of(refused, "quota_exceeded")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # A key that is known already is served, one that would have to be looked up is not, elsewhere it is.
    assert partner.get("/v1/me", headers={"X-Forwarded-For": FAR}).status_code == 200
    problem_of(late.get("/v1/me", headers={"X-Forwarded-For": FAR}), "quota_exceeded")
    assert late.get("/v1/me", headers={"X-Forwarded-For": "203.0.113.8"}).status_code == 200
    for _ in range(FAILURES.requests + 1):
        problem_of(guess.get("/v1/me"), "unauthenticated")


def test_guessed_signatures_and_tokens_count_as_well(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, secret="s" * 32)) as wire:
        wire.as_partner().post("/v1/feeds", json={"name": "all", "query": ""})
        headers = {"X-Superdesk-Signature": "sha1=" + "0" * 40, "X-Forwarded-For": FAR}
        for _ in range(FAILURES.requests // 2):
            problem_of(wire.client.post("/v1/articles", json={"headline": "x"}, headers=headers), "unauthenticated")
            guessed = wire.client.get("/v1/feeds/all.rss?token=nwf_x", headers={"X-Forwarded-For": FAR})
            problem_of(guessed, "unauthenticated")
        refused = wire.client.post("/v1/articles", json={"headline": "x"}, headers=headers)
        problem_of(refused, "quota_exceeded")


def test_the_address_of_a_client() -> None:
    table = [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        # What the client wrote itself stands before what the proxy saw.
        ("127.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("10.1.2.3", "198.51.100.1:4711", "198.51.100.1"),
        ("10.1.2.3", "127.0.0.1", None),
        ("10.1.2.3", "unknown", None),
        ("::ffff:10.1.2.3", "[2001:db8::1:2:3:4]:99", "2001:db8::/64"),
        ("2001:db8:0:1::7", "", "2001:db8:0:1::/64"),
        ("", "198.51.100.1", "198.51.100.1"),
        ("", "", None),
    ]
    for peer, forwarded, expected in table:
        with case(f"{peer} {forwarded}"):
            environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
            assert client_address(environ, "127.0.0.1, ::1,10.0.0.0/8") == expected


def test_a_forwarded_address_has_so_many_requests_at_once(wire: Wire) -> None:
    slots = wire.app.config["NEWSWIRE"].slots
    held = [slots.take_now(slots.addresses, FAR) for _ in range(MOST_OF_ADDRESS)]
    refused = wire.client.get("/v1/problems", headers={"X-Forwarded-For": FAR})
    problem_of(refused, "unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert wire.client.get("/v1/problems").status_code == 200
    held.pop().release()
    for _ in range(3):
        assert wire.client.get("/v1/problems", headers={"X-Forwarded-For": FAR}).status_code == 200


def occupied(wire: Wire, kind: str, *parties: str) -> list[Slot]:
    slots = wire.app.config["NEWSWIRE"].slots
    return [slots.take(getattr(slots, kind), party, 0) for party in parties]


def test_a_request_without_a_slot_is_refused_in_time_and_costs_nothing(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, threads=2, wait_seconds=1, limits=READ)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner()
        publisher.publish()
        assert partner.get("/v1/articles").status_code == 200
        held = occupied(wire, "readers", "partner:partner", "publisher:other")
        began = time.monotonic()
        refused = partner.get("/v1/changes")
        assert 1 <= time.monotonic() - began < 3
        problem_of(refused, "unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert left_of(refused) == 4
        # Writers, health, open pages and kept pages need no slot of a reader.
        publisher.publish()
        for path in ("/healthz", "/readyz", "/docs", "/v1/problems"):
            assert partner.get(path).status_code == 200
        for slot in held:
            slot.release()
        assert partner.get("/v1/articles").status_code == 200
        held = occupied(wire, "readers", "partner:partner", "publisher:other")
        assert partner.get("/v1/articles").status_code == 200
        for slot in held:
            slot.release()


def test_every_slot_comes_back(wire: Wire) -> None:
    slots, partner, publisher = wire.app.config["NEWSWIRE"].slots, wire.as_partner(), wire.as_publisher()
    publisher.publish()
    for path in ("/v1/articles", "/v1/articles?x=1", "/v1/changes?after=1&wait=1", "/v1/articles/nothing", "/v1/me"):
        partner.get(path, headers={"X-Forwarded-For": FAR})
        Caller(wire.client, "nw_unknown").get(path)
    partner.get("/v1/changes", headers={"Accept": "application/x-ndjson"}).close()
    partner.post("/v1/articles", json={})
    publisher.post("/v1/articles", data=b"{", content_type="application/json")
    for pool in (slots.readers, slots.writers, slots.authentications, slots.streams, slots.addresses):
        assert (pool.taken, pool.parties) == (0, {})


def test_a_party_has_its_share_of_the_streams(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, streams=4, streams_per_party=3)) as wire:
        one, two = wire.as_partner("one"), wire.as_partner("two")
        stream = {"Accept": "text/event-stream"}
        held = [one.get("/v1/changes", headers=stream, buffered=False) for _ in range(3)]
        refused = one.get("/v1/changes", headers=stream)
        assert "as many as one party may have" in problem_of(refused, "unavailable")["detail"]
        assert int(refused.headers["Retry-After"]) >= 5
        last = two.get("/v1/changes", headers=stream, buffered=False)
        assert last.status_code == 200
        assert "All 4 streams" in problem_of(two.get("/v1/changes", headers=stream), "unavailable")["detail"]
        for answer in (*held, last):
            answer.close()
        assert wire.app.config["NEWSWIRE"].slots.streams.taken == 0


def test_a_lock_that_is_held_is_waited_for_as_long_as_a_request_may(database_url: str) -> None:
    with closing(Wire(database_url, wait_seconds=1)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner()
        publisher.publish("Before")
        holder = wire.database.engine.connect()
        if wire.is_sqlite:
            file = sqlite3.connect(str(make_url(database_url).database), isolation_level=None)
            file.execute("BEGIN IMMEDIATE")
        else:
            holder.exec_driver_sql("SELECT seq FROM head FOR UPDATE")
        began = time.monotonic()
        refused = publisher.post("/v1/articles", json={"headline": "Held up"})
        seconds = time.monotonic() - began
        problem_of(refused, "unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert 0.7 <= seconds < 4
        assert partner.listed() == ["Before"]
        holder.rollback()
        holder.close()
        if wire.is_sqlite:
            file.close()
        publisher.publish("After")


def test_the_wire_answers_to_its_names_only(fresh_sqlite: str) -> None:
    settings = Settings.from_env({
        "NEWSWIRE_ALLOWED_HOSTS": "Wire.example.org, *.example.net,[::1]", "NEWSWIRE_BASE_URL": "https://news.example",
    })  # fmt: skip
    with closing(Wire(fresh_sqlite, allowed_hosts=settings.allowed_hosts, base_url=settings.base_url)) as wire:
        partner = wire.as_partner()
        for host in ("wire.example.org", "WIRE.example.org:8000", "a.b.example.net", "news.example:443", "[::1]:8000"):
            assert partner.get("/v1/articles", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "example.net", "wire.example.org.evil", "xwire.example.org", "127.0.0.1:8000"):
            problem = problem_of(partner.get("/v1/articles", headers={"Host": host}), "invalid_parameter")
            assert problem["errors"][0]["parameter"] == "Host"
            assert host.partition(":")[0] in problem["detail"]
            assert partner.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_name_that_is_not_ours_is_refused_everywhere_and_in_no_url(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, allowed_hosts=("wire.example.org",))) as wire:
        key = wire.as_partner().key
        ours, other = {"Host": "wire.example.org"}, {"Host": "evil.example"}
        for path in ("/v1/articles", "/v1/articles/", "/v1/openapi.json", "/docs", "/docs/assets/x.css", "/nowhere"):
            # Before authentication, and before a 404 or 405.
            for method, headers in product(("GET", "DELETE"), (other, other | {"Authorization": f"Bearer {key}"})):
                refused = wire.client.open(path, method=method, headers=headers)
                problem = problem_of(refused, "invalid_parameter")
                assert problem.get("type", "on a page") in ("/v1/problems#invalid_parameter", "on a page")
                assert "//evil.example" not in refused.text
                assert "evil.example" not in str(refused.headers)
        for path in ("/docs", "/v1/openapi.json"):
            assert wire.client.get(path, headers=ours).status_code == 200
        for path in ("/healthz", "/readyz"):
            assert wire.client.get(path, headers=other).status_code == 200


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("NEWSWIRE_LIMITS", "read=600", "looks like read=600/60s"),
        ("NEWSWIRE_LIMITS", "publsh=6/60s", "Did you mean publish?"),
        ("NEWSWIRE_ALLOWED_HOSTS", "https://wire.example.org", "must be names such as"),
        ("NEWSWIRE_ALLOWED_HOSTS", "wire.example.org:8000", "must be names such as"),
        ("NEWSWIRE_TRUSTED_PROXIES", "nginx", "must name addresses or networks"),
        ("NEWSWIRE_WAIT_SECONDS", "0", "whole number"),
        ("NEWSWIRE_STREAMS_PER_PARTY", "many", "whole number"),
    ],
)
def test_a_setting_of_limits_that_cannot_be_used_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace("?", r"\?")):
        Settings.from_env({name: text})


def test_an_address_that_others_can_reach_needs_a_name(fresh_sqlite: str) -> None:
    environment = {"NEWSWIRE_DATABASE_URL": fresh_sqlite}
    for host in ("0.0.0.0", "::"):
        refused = CliRunner().invoke(main, ["serve", "--host", host, "--port", "0"], env=environment)
        assert refused.exit_code == 2
        assert "NEWSWIRE_ALLOWED_HOSTS" in refused.stderr
        assert "NEWSWIRE_BASE_URL" in refused.stderr
