"""Pages that are kept: the same request again is answered without work, and never with yesterday's answer."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from werkzeug.test import TestResponse

from newswire.accounts.keys import create_key
from newswire.api.cache.middleware import PageCacheMiddleware
from newswire.api.cache.pages import PageCache
from newswire.api.views import feeds
from newswire.errors import Problem
from newswire.reading import lists
from newswire.timestamps import format_instant, now
from newswire.wire import Head
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

VARYING = {"X-Request-Id", "Date"}
NUMBERS = count()


def kept(wire: Wire) -> PageCache:
    middleware: Any = wire.app.wsgi_app
    assert isinstance(middleware, PageCacheMiddleware)
    return middleware.pages


def twice(wire: Wire, caller: Caller, path: str, **settings: Any) -> TestResponse:
    """The answer to a request that is asked twice, and the second time without Flask."""
    first = caller.get(path, **settings)
    handed_on = wire.app.full_dispatch_request
    wire.app.full_dispatch_request = None  # type: ignore[method-assign,assignment]
    try:
        second = caller.get(path, **settings)
    finally:
        wire.app.full_dispatch_request = handed_on  # type: ignore[method-assign]
    assert (first.status_code, first.data) == (second.status_code, second.data)
    told = [{name: value for name, value in each.headers if name not in VARYING} for each in (first, second)]
    assert told[0] == told[1]
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    return second


@pytest.fixture(scope="module")
def cocoa(shared_wire: Wire, shared_publisher: Caller) -> Wire:
    """A wire with three articles, which nobody changes."""
    for number in range(3):
        fields = {"section": "world", "authors": [{"name": "Jane"}], "body_text": "It rises. " * 99}
        shared_publisher.publish(f"Cocoa {number}", **fields)
    return shared_wire


@pytest.mark.parametrize("path", [
    "/v1/articles", "/v1/articles?limit=1&include=body", "/v1/articles?q=cocoa&count=true", "/v1/articles.atom",
    "/v1/articles?q=cocoa&sort=relevance", "/v1/sections", "/v1/authors?q=jane",
    "/v1/changes?after=1", "/v1/changes?start=now&section=world",
])  # fmt: skip
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_the_same_request_again_gets_the_same_answer_without_work(cocoa: Wire, path: str, encoding: str) -> None:
    # Nothing is kept any more once there is another partner.
    partner = cocoa.as_partner(f"partner-{next(NUMBERS)}")
    found = twice(cocoa, partner, path, headers={"Accept-Encoding": encoding})
    assert found.status_code == 200
    if (tag := found.headers.get("ETag")) is None:
        assert "changes" in path
        return
    for held in (tag, f"W/{tag}", f'"x", {tag}', tag.replace('.gz"', '"'), "*"):
        unchanged = partner.get(path, headers={"If-None-Match": held, "Accept-Encoding": encoding})
        assert (unchanged.status_code, unchanged.data) == (304, b"")
        assert unchanged.headers["Vary"] == found.headers["Vary"]
    other = partner.get(path, headers={"If-None-Match": '"x"', "Accept-Encoding": encoding})
    assert (other.status_code, other.data) == (200, found.data)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_who_only_ever_asks_whether_a_page_has_changed_is_answered_without_work(wire: Wire, encoding: str) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Cocoa", body_text="It rises. " * 99)
    accepted = {"Accept-Encoding": encoding}
    whole = partner.get("/v1/articles", headers=accepted)
    kept(wire).move_to(Head("another", 0, "", 0, 0))
    held = {"If-None-Match": whole.headers["ETag"]}
    assert twice(wire, partner, "/v1/articles", headers=accepted | held).status_code == 304
    for other in ({}, {"If-None-Match": '"x"'}, {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}):
        kept(wire).move_to(Head("another", 0, "", 0, 0))
        assert partner.get("/v1/articles", headers=accepted | held).status_code == 304
        found = partner.get("/v1/articles", headers=accepted | other)
        assert (found.status_code, found.data) == (200, whole.data)
        assert twice(wire, partner, "/v1/articles", headers=accepted).status_code == 200
    publisher.publish("Coffee")
    assert partner.get("/v1/articles", headers=accepted | held).status_code == 200


def test_a_page_is_as_fresh_as_the_wire_whatever_happens_between_two_requests(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("First", section="world")

    def listed() -> list[str]:
        return [each["headline"] for each in twice(wire, partner, "/v1/articles").get_json()["data"]]

    assert listed() == ["First"]
    publisher.publish("Second", section="arts")
    assert listed() == ["Second", "First"]
    address = f"/v1/articles/{article['id']}"
    publisher.patch(address, json={"headline": "Changed"}, headers={"If-Match": "*"})
    assert listed() == ["Second", "Changed"]
    wire.set_partner("partner", section=["arts"])
    assert listed() == ["Second"]
    wire.set_partner("partner", section=["world"])
    assert listed() == ["Changed"]
    publisher.delete(address)
    assert listed() == []
    wire.revoke(partner.key)
    problem_of(partner.get("/v1/articles"), "unauthenticated")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_ends_when_an_article_on_it_or_the_key_of_its_reader_expires(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    ends = now() + 2000
    with wire.database.begin() as connection:
        key = create_key(connection, now=now(), partner_slug="partner", expires_at=ends)
    caller = Caller(partner.client, key)
    publisher.publish("Soon gone", expires_at=format_instant(ends))
    first = twice(wire, caller, "/v1/articles")
    assert len(first.get_json()["data"]) == 1
    assert twice(wire, partner, "/v1/articles").data == first.data
    time.sleep(max(0, ends + 1 - now()) / 1000)
    problem_of(caller.get("/v1/articles"), "unauthenticated")
    again = partner.get("/v1/articles", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_json()["data"]) == (200, [])


def test_nobody_gets_the_page_of_another(wire: Wire) -> None:
    publisher, stranger = wire.as_publisher(), wire.as_publisher("other")
    publisher.publish("In the world", section="world")
    publisher.publish("Of the arts", section="arts")
    publisher.publish("Later", embargoed_until="2199-01-01T00:00:00Z", section="arts")
    world, arts = wire.as_partner("world", section=["world"]), wire.as_partner("arts", section=["arts"])
    again = wire.as_partner("again", section=["arts"])
    for _ in range(3):
        assert world.listed() == ["In the world"]
        assert arts.listed() == again.listed() == ["Of the arts"]
        assert publisher.listed() == ["Of the arts", "In the world"]
        assert publisher.listed("status=withheld") == ["Later"]
        assert stranger.listed() == []
        problem_of(wire.client.get("/v1/articles"), "unauthenticated")
        problem_of(wire.client.get("/v1/articles", headers={"Authorization": "Bearer x"}), "unauthenticated")


def test_what_an_owner_sees_of_its_own_is_not_kept(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish("Mine")
    for caller in (publisher, wire.as_admin()):
        assert caller.listed() == ["Mine"]
    assert not kept(wire)._pages


def test_what_is_kept_stays_within_its_memory_and_belongs_to_one_head(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire.api.cache.pages.MOST_BYTES", 20_000)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Long", body_text="Cocoa rises again. " * 100)
    for number in range(30):
        partner.get(f"/v1/articles?include=body&_={number}", headers={"Accept-Encoding": "identity"})
    pages = kept(wire)
    assert 2 <= len(pages._pages) < 30
    assert pages._size == sum(page.size for page in pages._pages.values()) <= 20_000
    publisher.publish("Next")
    partner.get("/v1/articles")
    assert len(pages._pages) == 1


def test_whoever_says_another_host_gets_its_addresses(wire: Wire) -> None:
    wire.as_publisher().publish("x")
    partner = wire.as_partner()
    for host in ("a.example", "b.example", "a.example"):
        page = partner.get("/v1/articles", headers={"Host": host}).get_json()
        assert page["data"][0]["links"]["self"].startswith(f"http://{host}/")


def test_the_open_wire_keeps_pages_for_everybody(database_url: str) -> None:
    wire = Wire(database_url, public_read=True)
    publisher = wire.as_publisher()
    publisher.publish("Open to all")
    nobody = Caller(wire.client, "")
    nobody.call = lambda method, path, **settings: wire.client.open(path, method=method, **settings)  # type: ignore[method-assign]
    found = twice(wire, nobody, "/v1/articles")
    assert "public" in found.headers["Cache-Control"]
    publisher.publish("More")
    assert len(twice(wire, nobody, "/v1/articles").get_json()["data"]) == 2
    wire.close()


def test_the_wire_is_kept_only_where_nothing_but_the_head_moves_it(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(3):
        publisher.publish(f"Story {number}")
    partner.put("/v1/consumers/desk", json={"after": 1})

    def numbers(query: str) -> list[int]:
        return [entry["seq"] for entry in partner.get(f"/v1/changes?{query}").get_json()["data"]]

    for _ in range(2):
        assert numbers("consumer=desk") == [2, 3]
    partner.put("/v1/consumers/desk", json={"after": 2})
    assert numbers("consumer=desk") == [3]
    for _ in range(2):
        assert numbers("after=2") == [3]
    publisher.publish("Story 3")
    assert numbers("after=2") == [3, 4]


def test_partners_who_may_see_the_same_have_feeds_of_their_own(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish("World story", section="world")
    publisher.publish("Sports story", section="sport")
    one, other = wire.as_partner("one"), wire.as_partner("other")
    one.post("/v1/feeds", json={"name": "desk", "title": "Secret project", "query": "section=world"})
    for form in ("/articles", ".rss", ".atom", ".json", "/changes"):
        for _ in range(3):
            assert "World story" in one.get(f"/v1/feeds/desk{form}").text
            problem_of(other.get(f"/v1/feeds/desk{form}"), "not_found")
    other.post("/v1/feeds", json={"name": "desk", "query": "section=sport"})
    for _ in range(3):
        assert "World story" in one.get("/v1/feeds/desk/articles").text
        assert "World story" not in other.get("/v1/feeds/desk/articles").text


def test_what_was_looked_up_before_the_head_moved_is_not_kept_under_the_new_one(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("World story", section="world")
    publisher.publish("Sports story", section="sport")
    partner.post("/v1/feeds", json={"name": "desk", "query": "section=world"})
    partner.get("/v1/me")
    joined = feeds.join_parameters

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(feeds, "join_parameters", joined)
        partner.patch("/v1/feeds/desk", json={"query": "section=sport"})
        partner.get("/v1/articles")
        return joined(*arguments)

    monkeypatch.setattr(feeds, "join_parameters", late)
    partner.get("/v1/feeds/desk/articles")
    for _ in range(2):
        assert "Sports story" in partner.get("/v1/feeds/desk/articles").text


def test_long_addresses_count_for_the_memory_of_what_is_kept(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire.api.cache.pages.MOST_BYTES", 100_000)
    partner = wire.as_partner()
    for number in range(20):
        partner.get(f"/v1/articles?_{number}={'x' * 20_000}")
    assert 1 <= len(kept(wire)._pages) <= 4


class Slow:
    """Finding a page, which takes a while; each in `found` is one that began. The first one does something before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: Callable[[], object] = lambda: None) -> None:
        self.page, self.first, self.found = lists.list_page, first, 0
        monkeypatch.setattr(lists, "list_page", self)

    def __call__(self, *arguments: Any) -> Any:
        self.found += 1
        if self.found == 1:
            self.first()
        time.sleep(0.2)
        return self.page(*arguments)


def all_at_once(wire: Wire, partner: Caller, path: str) -> list[TestResponse]:
    callers = [Caller(wire.app.test_client(), partner.key) for _ in range(6)]
    with ThreadPoolExecutor(len(callers)) as pool:
        return list(pool.map(lambda caller: caller.get(path), callers))


def test_a_page_that_everybody_asks_for_is_made_once_when_the_wire_has_moved(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("First")
    assert len(twice(wire, partner, "/v1/articles").get_json()["data"]) == 1
    for number in range(2, 4):
        publisher.publish("Next")
        slow = Slow(monkeypatch)
        found = all_at_once(wire, partner, "/v1/articles")
        assert {(each.status_code, len(each.get_json()["data"])) for each in found} == {(200, number)}
        assert slow.found == 1
        monkeypatch.undo()


def test_who_waits_for_a_page_that_could_not_be_made_makes_it(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("First")
    twice(wire, partner, "/v1/articles")
    publisher.publish("Second")

    def fail() -> None:
        time.sleep(0.2)
        raise Problem("unavailable", "Just now.")

    slow = Slow(monkeypatch, fail)
    found = all_at_once(wire, partner, "/v1/articles")
    assert sorted(each.status_code for each in found) == [200] * 5 + [503]
    assert slow.found > 1
    assert not kept(wire)._making


def test_what_is_asked_for_the_first_time_is_waited_for_by_nobody(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.as_publisher().publish("First")
    partner = wire.as_partner()
    partner.get("/v1/me")
    slow = Slow(monkeypatch)
    assert {each.status_code for each in all_at_once(wire, partner, "/v1/articles")} == {200}
    assert slow.found == 6


def test_a_page_is_of_one_head_although_the_wire_moves_while_it_is_found(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("First")
    partner.get("/v1/me")
    Slow(monkeypatch, lambda: publisher.publish("Second"))
    found = partner.get("/v1/articles").get_json()
    assert (len(found["data"]), found["meta"]["head"]) == (2, 2)
    assert len(twice(wire, partner, "/v1/articles").get_json()["data"]) == 2


@pytest.fixture
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wire counts as one that has not moved for a while: searches are tried without a transaction."""
    monkeypatch.setattr("newswire.api.views.lists.SETTLED_AFTER", 0)


@pytest.mark.usefixtures("at_rest")
def test_words_of_a_language_are_found_as_soon_as_the_first_article_in_it(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Houses", language="en")
    assert partner.listed("q=house") == ["Houses"]
    publisher.publish("Die Häuser", language="de")
    assert partner.listed("q=Haus") == ["Die Häuser"]
    embargoed = publisher.publish("Maisons", language="fr", embargoed_until="2199-01-01T00:00:00Z")
    assert partner.listed("q=maison") == []
    assert publisher.listed("q=maison&status=withheld") == ["Maisons"]
    released = publisher.put(
        f"/v1/articles/{embargoed['id']}", json={"headline": "Maisons", "language": "fr"}, headers={"If-Match": "*"}
    )
    assert released.status_code == 200
    assert partner.listed("q=maison") == ["Maisons"]


@pytest.mark.usefixtures("at_rest")
def test_a_search_is_of_one_head_although_the_wire_moves_while_it_is_found(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Cocoa")
    partner.get("/v1/me")
    slow = Slow(monkeypatch, lambda: publisher.publish("More cocoa"))
    found = partner.get("/v1/articles?q=cocoa").get_json()
    assert (len(found["data"]), found["meta"]["head"], slow.found) == (2, 2, 2)
