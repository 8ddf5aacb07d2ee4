"""Feed tokens and the keys of their party: a token that ended with a revoked key stays dead, whatever comes later."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import count
from time import sleep
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from newswire import wire as log
from newswire.accounts.callers import find_caller
from newswire.accounts.keys import create_key, revoke_key
from newswire.accounts.publishers import add_publisher
from newswire.accounts.saved_feeds import change_feed, create_feed, find_token_caller, new_token, renew_token
from newswire.accounts.signing_keys import create_signing_key
from newswire.store.tables import api_key
from newswire.timestamps import now
from tests.support.cases import few_or_many
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

NUMBERS = count()


def with_token(caller: Caller, name: str = "desk") -> str:
    """The token of a new feed."""
    response = caller.post("/v1/feeds", json={"name": name, "query": ""})
    assert response.status_code == 201, response.text
    token: str = response.get_json()["token"]
    return token


def opens(wire: Wire, token: str, name: str = "desk") -> bool:
    """Whether the token opens every document of the feed; it opens all or none."""
    found = [wire.client.get(f"/v1/feeds/{name}.{suffix}?token={token}") for suffix in ("rss", "atom", "json")]
    if found[0].status_code == 200:
        assert {each.status_code for each in found} == {200}
        return True
    for each in found:
        problem_of(each, "unauthenticated")
        assert "WWW-Authenticate" in each.headers
    return False


def another_key(wire: Wire, kind: str, **fields: Any) -> Caller:
    """A new key of the party `kind` that `Wire` has made."""
    party: dict[str, Any] = {"publisher": {"publisher_slug": "reuters"}, "partner": {"partner_slug": "partner"}}
    with wire.database.begin() as connection:
        return Caller(wire.client, create_key(connection, now=now(), **party.get(kind, {}), **fields))


@pytest.mark.parametrize("kind", ["publisher", "partner", "admin"])
def test_a_token_whose_last_key_was_revoked_does_not_come_back_with_a_new_key(wire: Wire, kind: str) -> None:
    first = getattr(wire, f"as_{kind}")()
    bystander = wire.as_partner("bystander")
    tokens = {name: with_token(first, name) for name in ("a", "b")}
    other = with_token(bystander)
    wire.revoke(first.key)
    assert not any(opens(wire, token, name) for name, token in tokens.items())
    second = another_key(wire, kind)
    assert not any(opens(wire, token, name) for name, token in tokens.items())
    found = second.get("/v1/feeds").get_json()["data"]
    assert [(feed["name"], feed["has_token"]) for feed in found] == [("a", False), ("b", False)]
    assert second.get("/v1/feeds/a.rss").status_code == 200
    renewed = second.post("/v1/feeds/a/token")
    assert renewed.status_code == 201
    assert opens(wire, renewed.get_json()["token"], "a")
    assert second.get("/v1/feeds/a").get_json()["has_token"] is True
    assert not any(opens(wire, token, name) for name, token in tokens.items())
    assert opens(wire, other)


def test_a_token_lives_on_while_another_key_may_read(wire: Wire) -> None:
    first = wire.as_publisher()
    token = with_token(first)
    second = another_key(wire, "publisher")
    wire.revoke(first.key)
    assert opens(wire, token)
    with wire.database.begin() as connection:
        create_signing_key(
            connection, now=now(), master="x" * 32, publisher_slug="reuters", expires_at=None, label=None
        )
    another_key(wire, "publisher", scopes=["publish"])
    wire.revoke(second.key)
    assert not opens(wire, token)
    another_key(wire, "publisher")
    assert not opens(wire, token)


def test_a_token_waits_for_a_new_key_when_the_last_one_expires(wire: Wire) -> None:
    first = wire.as_partner()
    token = with_token(first)
    let_expire(wire, first.key)
    problem_of(first.get("/v1/feeds"), "unauthenticated")
    assert not opens(wire, token)
    second = another_key(wire, "partner")
    assert opens(wire, token)
    wire.revoke(second.key)
    another_key(wire, "partner")
    assert not opens(wire, token), "the one that has expired does not count"


def let_expire(wire: Wire, key: str) -> None:
    """Sets the end of a key to a moment ago: to wait for one would make the test depend on the machine."""
    with wire.database.begin() as connection:
        number = number_of(connection, key)
        connection.execute(update(api_key).where(api_key.c.id == number).values(expires_at=now() - 1))
        log.bump_revision(connection)


def test_a_dead_token_opens_nothing_of_a_public_wire(database_url: str) -> None:
    wire = Wire(database_url, public_read=True)
    partner = wire.as_partner()
    token = with_token(partner)
    assert opens(wire, token)
    wire.revoke(partner.key)
    assert not opens(wire, token)
    wire.close()


class SlowBody(BytesIO):
    """The body of a client that sends it only after something else has happened."""

    def __init__(self, content: bytes, before: Callable[[], None]) -> None:
        super().__init__(content)
        self.before: Callable[[], None] | None = before

    def _wait(self) -> None:
        if (before := self.before) is not None:
            self.before = None
            before()

    def read(self, size: int | None = -1, /) -> bytes:
        self._wait()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._wait()
        return super().readinto(buffer)


def test_who_sends_the_body_after_the_revocation_gets_no_token(wire: Wire) -> None:
    """Also where another key keeps the tokens of the party alive: the operator must know what he has revoked."""
    first, second = wire.as_publisher(), wire.as_publisher()
    content = json.dumps({"name": "desk", "query": ""}).encode()
    body = SlowBody(content, lambda: wire.revoke(first.key))
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    problem_of(first.post("/v1/feeds", input_stream=body, headers=headers), "unauthenticated")
    assert second.get("/v1/feeds").get_json() == {"data": []}


@pytest.mark.parametrize("is_new", [True, False])
def test_a_token_that_is_created_while_its_key_is_revoked_is_refused(wire: Wire, is_new: bool) -> None:
    """The request has been authenticated and waits for the head row, which the transaction of the revocation holds."""
    partner = wire.as_partner()
    with_token(partner)
    with ThreadPoolExecutor(1) as pool:
        with wire.database.begin() as connection:
            log.bump_revision(connection)
            address, content = ("/v1/feeds", {"name": "b", "query": ""}) if is_new else ("/v1/feeds/desk/token", None)
            waiting = pool.submit(Caller(wire.app.test_client(), partner.key).post, address, json=content)
            sleep(0.3)
            assert not waiting.done()
            revoke_key(connection, number_of(connection, partner.key), now())
        # On a busy machine it may have waited too long for the lock.
        assert waiting.result().status_code in (401, 503)
    found = another_key(wire, "partner").get("/v1/feeds").get_json()["data"]
    assert [(feed["name"], feed["has_token"]) for feed in found] == [("desk", False)]


def number_of(connection: Connection, key: str, moment: int | None = None) -> int:
    caller = find_caller(connection, key, moment or now())
    assert caller is not None
    assert caller.key_id is not None
    return caller.key_id


class Party:
    """A publisher with one feed, next to a model of the rule: which of its tokens is alive, and which keys may read."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.moment, self.slug = connection, 1_000_000, f"party-{next(NUMBERS)}"
        add_publisher(connection, self.slug, "Party", None, "en", self.moment)
        self.keys: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.alive: str | None = None

    def can_read(self) -> bool:
        return any(
            key["reads"] and not key["revoked"] and (key["ends"] is None or key["ends"] > self.moment)
            for key in self.keys
        )

    def create(self, scope: str | None, length: int | None) -> None:
        ends = None if length is None else self.moment + length
        key = create_key(
            self.connection, now=self.moment, publisher_slug=self.slug, scopes=[scope] if scope else (), expires_at=ends
        )
        number = number_of(self.connection, key, self.moment)
        self.keys.append({"key": key, "number": number, "reads": scope != "publish", "ends": ends, "revoked": False})

    def revoke(self, which: int) -> None:
        if which < len(self.keys) and not self.keys[which]["revoked"]:
            self.keys[which]["revoked"] = True
            revoke_key(self.connection, self.keys[which]["number"], self.moment)
            if not self.can_read():
                self.alive = None

    def renew(self, which: int) -> None:
        caller = find_caller(self.connection, self.keys[which]["key"], self.moment) if which < len(self.keys) else None
        if caller is not None and "read" in caller.scopes:
            self.alive = new_token()
            if self.tokens:
                renew_token(self.connection, caller, "desk", self.alive, self.moment)
            else:
                create_feed(self.connection, caller, "desk", None, {}, self.alive, self.moment)
            self.tokens.append(self.alive)

    def forget(self) -> None:
        if self.tokens:
            change_feed(self.connection, f"publisher:{self.slug}", "desk", {"token": None}, self.moment)
            self.alive = None

    def wait(self, length: int) -> None:
        self.moment += length

    def check(self) -> None:
        for token in self.tokens:
            answers = find_token_caller(self.connection, token, self.moment) is not None
            assert answers == (token == self.alive and self.can_read())


STEP = st.one_of(
    st.tuples(st.just("create"), st.sampled_from([None, "read", "publish"]), st.none() | st.integers(1, 6)),
    st.tuples(st.sampled_from(["revoke", "renew"]), st.integers(0, 5)),
    st.tuples(st.just("forget")),
    st.tuples(st.just("wait"), st.integers(1, 4)),
)


@few_or_many(20, 80)
def test_a_token_answers_until_a_revocation_leaves_its_party_without_a_reading_key(wire: Wire, examples: int) -> None:
    @settings(max_examples=examples)
    @given(steps=st.lists(STEP, max_size=14))
    def holds(steps: list[tuple[Any, ...]]) -> None:
        with wire.database.begin(keep=False) as connection:
            party = Party(connection)
            for name, *values in (("create", None, None), ("renew", 0), *steps):
                getattr(party, name)(*values)
                party.check()

    holds()
