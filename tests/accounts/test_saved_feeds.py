"""Saved feeds: a query under a name is the same query, and nobody else's."""

from time import sleep
from typing import Any

import pytest
from sqlalchemy import select

from newswire.api.limits.quotas import EDITS
from newswire.store.tables import feed
from newswire.timestamps import format_instant, now
from newswire.wire import bump_revision, read_head
from tests.support.site import places_of, problem_of
from tests.support.wire import Caller, Wire


def saved(caller: Caller, name: str = "desk", query: Any = "", **fields: Any) -> dict[str, Any]:
    """A new feed of a caller, as answered."""
    response = caller.post("/v1/feeds", json={"name": name, "query": query, **fields})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    assert response.headers["Location"] == made["links"]["self"]
    return made


def test_a_saved_feed_gives_the_same_articles_as_its_query(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(6):
        publisher.publish(f"Cocoa {number}", section=["world", "uk, sport", "arts"][number % 3], urgency=number + 1)
    queries: dict[str, Any] = {
        "section=world&q=cocoa": {"section": "world", "q": "cocoa"},
        "section=world,arts&urgency_max=4": {"section": ["world", "arts"], "urgency_max": 4},
        "section=uk%5C,%20sport&sort=published_at": {"section": ["uk, sport"], "sort": "published_at"},
        "has_image=false&not_section=world": {"has_image": False, "not_section": "world"},
        "published_from=now-2d": {"published_from": "now-2d"},
    }
    for number, (written, built) in enumerate(queries.items()):
        expected = partner.listed(written)
        assert expected
        for name, query in ((f"written-{number}", written), (f"built-{number}", built)):
            feed = saved(partner, name, query)
            first = partner.get(f"/v1/feeds/{name}/articles?limit=1&count=true").get_json()
            assert first["meta"]["count"]["value"] == len(expected)
            found = [article["headline"] for article in first["data"]]
            following = first["links"]["next"]
            while following:
                page = partner.get(following.removeprefix("http://localhost")).get_json()
                found += [article["headline"] for article in page["data"]]
                following = page["links"]["next"]
            assert found == expected
            told = partner.get(feed["links"]["changes"].removeprefix("http://localhost")).get_json()
            assert sorted(entry["article"]["headline"] for entry in told["data"]) == sorted(expected)


def test_a_changed_feed_gives_other_articles_and_refuses_the_old_cursor(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(4):
        publisher.publish(f"Story {number}", section="world" if number % 2 else "arts")
    feed = saved(partner, query="section=world", title="World desk")
    assert (feed["query"], feed["title"], feed["has_token"]) == ({"section": "world"}, "World desk", True)
    first = partner.get("/v1/feeds/desk/articles?limit=1")
    assert (
        partner.get("/v1/feeds/desk/articles?limit=1", headers={"If-None-Match": first.headers["ETag"]}).status_code
        == 304
    )
    changed = partner.patch("/v1/feeds/desk", json={"query": "section=arts", "title": None}).get_json()
    assert (changed["query"], changed["title"], changed.get("token")) == ({"section": "arts"}, None, None)
    again = partner.get("/v1/feeds/desk/articles?limit=1", headers={"If-None-Match": first.headers["ETag"]})
    assert [article["headline"] for article in again.get_json()["data"]] == ["Story 2"]
    cursor = first.get_json()["page"]["next_cursor"]
    problem_of(partner.get(f"/v1/feeds/desk/articles?limit=1&cursor={cursor}"), "cursor_mismatch")
    assert partner.patch("/v1/feeds/desk", json={"name": "arts"}).get_json()["name"] == "arts"
    problem_of(partner.get("/v1/feeds/desk"), "not_found")
    assert partner.get("/v1/feeds/arts/articles").status_code == 200
    assert partner.delete("/v1/feeds/arts").status_code == 204
    problem_of(partner.get("/v1/feeds/arts/articles"), "not_found")
    problem_of(partner.delete("/v1/feeds/arts"), "not_found")


def test_all_keys_of_a_party_share_its_feeds_and_nobody_else_sees_them(wire: Wire) -> None:
    publisher, second = wire.as_publisher(), wire.as_publisher()
    partner, other, admin = wire.as_partner(), wire.as_partner("other"), wire.as_admin()
    publisher.publish()
    made = saved(publisher, "b", "section=world")
    saved(second, "a")
    saved(partner, "b", "section=arts")
    for caller in (publisher, second):
        assert [feed["name"] for feed in caller.get("/v1/feeds").get_json()["data"]] == ["a", "b"]
        assert caller.get("/v1/feeds/b").get_json() == {name: value for name, value in made.items() if name != "token"}
    for caller in (other, admin):
        assert caller.get("/v1/feeds").get_json() == {"data": []}
        for path in ("/v1/feeds/b", "/v1/feeds/b/articles", "/v1/feeds/b/changes"):
            problem_of(caller.get(path), "not_found")
        problem_of(caller.patch("/v1/feeds/b", json={"title": "x"}), "not_found")
        problem_of(caller.post("/v1/feeds/b/token"), "not_found")
        problem_of(caller.delete("/v1/feeds/b/token"), "not_found")
    assert partner.get("/v1/feeds/b").get_json()["query"] == {"section": "arts"}


def test_a_feed_shows_no_more_than_its_owner_may_see_today(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["world", "arts"])
    for section in ("world", "arts", "sport"):
        publisher.publish(section, section=section)
    saved(partner)

    def read() -> list[str]:
        return [article["headline"] for article in partner.get("/v1/feeds/desk/articles").get_json()["data"]]

    assert read() == ["arts", "world"]
    wire.set_partner("partner", section=["sport"])
    assert read() == ["sport"]


def test_a_name_is_taken_once(wire: Wire) -> None:
    partner = wire.as_partner()
    saved(partner, "a")
    saved(partner, "b")
    assert places_of(problem_of(partner.post("/v1/feeds", json={"name": "a", "query": ""}), "validation_failed")) == {
        "/name"
    }
    assert places_of(problem_of(partner.patch("/v1/feeds/a", json={"name": "b"}), "validation_failed")) == {"/name"}
    assert partner.patch("/v1/feeds/a", json={"name": "a"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"/name", "/query"}),
        ({"name": "a.b", "query": ""}, {"/name"}),
        ({"name": "A", "query": None}, {"/name", "/query"}),
        ({"name": "a", "query": 7}, {"/query"}),
        ({"name": "a", "query": "sectoin=world"}, {"/query/sectoin"}),
        ({"name": "a", "query": "q=(cocoa"}, {"/query/q"}),
        ({"name": "a", "query": "q=cocoa&sort=updated_at"}, {"/query/sort"}),
        ({"name": "a", "query": {"limit": 5, "urgency_max": 12}}, {"/query/limit", "/query/urgency_max"}),
        ({"name": "a", "query": {"section": [1], "language": {}}}, {"/query/section", "/query/language"}),
        ({"name": "a", "query": {"published_from": "yesterday"}}, {"/query/published_from"}),
        ({"name": "a", "query": "", "titel": "x"}, {"/titel"}),
        ({"name": "a", "query": "", "title": "x" * 251}, {"/title"}),
        ({"name": "a", "query": "q=a%00b"}, {"/query/q"}),
        ({"name": "a", "query": "section=%ff"}, {"/query"}),
        ({"name": "a", "query": {"q": ["cocoa, coffee"]}}, {"/query/q"}),
        ([], {""}),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_refused_with_its_place(shared_partner: Caller, body: Any, places: set[str]) -> None:
    partner = shared_partner
    assert places_of(problem_of(partner.post("/v1/feeds", json=body), "validation_failed")) == places
    assert partner.get("/v1/feeds").get_json() == {"data": []}


def test_what_is_saved_cannot_be_asked_for_again(wire: Wire) -> None:
    partner = wire.as_partner()
    saved(partner, query="section=world")
    for path in ("articles?section=arts", "articles?sort=published_at", "changes?q=x", "articles?token=x"):
        problem_of(partner.get(f"/v1/feeds/desk/{path}"), "unknown_parameter")


def test_a_token_opens_the_documents_of_its_feed_and_nothing_else(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["world"])
    publisher.publish("Seen", section="world")
    publisher.publish("Not for this partner", section="arts")
    token = saved(partner, title="World desk")["token"]
    saved(partner, "other")
    for suffix in ("rss", "atom", "json"):
        found = wire.client.get(f"/v1/feeds/desk.{suffix}?token={token}")
        assert found.status_code == 200, found.text
        assert ("Seen" in found.text, "Not for this partner" in found.text) == (True, False)
        assert "World desk" in found.text
        held = {"If-None-Match": found.headers["ETag"]}
        assert wire.client.get(f"/v1/feeds/desk.{suffix}?token={token}", headers=held).status_code == 304
        assert "private" in found.headers["Cache-Control"]
    doors = ["feeds/other.rss", "feeds/desk", "feeds/desk/articles", "feeds/desk/changes", "feeds", "articles",
             "articles.rss", "changes", "wire", "me"]  # fmt: skip
    for door in doors:
        problem_of(wire.client.get(f"/v1/{door}?token={token}"), "unauthenticated")
        problem_of(wire.client.get(f"/v1/{door}", headers={"Authorization": f"Bearer {token}"}), "unauthenticated")
    problem_of(wire.client.get(f"/v1/feeds/desk.rss?token={token}x"), "unauthenticated")
    problem_of(partner.get(f"/v1/feeds/desk.rss?token={token}"), "unauthenticated")
    problem_of(wire.client.post(f"/v1/feeds/desk/token?token={token}"), "unauthenticated")


def test_a_revoked_or_renewed_token_opens_nothing(wire: Wire) -> None:
    partner = wire.as_partner()
    first = saved(partner)["token"]
    second = partner.post("/v1/feeds/desk/token").get_json()["token"]
    problem_of(wire.client.get(f"/v1/feeds/desk.atom?token={first}"), "unauthenticated")
    assert wire.client.get(f"/v1/feeds/desk.atom?token={second}").status_code == 200
    assert partner.delete("/v1/feeds/desk/token").status_code == 204
    problem_of(wire.client.get(f"/v1/feeds/desk.atom?token={second}"), "unauthenticated")
    assert partner.get("/v1/feeds/desk").get_json()["has_token"] is False
    assert partner.get("/v1/feeds/desk.atom").status_code == 200
    third = partner.post("/v1/feeds/desk/token").get_json()["token"]
    partner.delete("/v1/feeds/desk")
    problem_of(wire.client.get(f"/v1/feeds/desk.atom?token={third}"), "unauthenticated")


def test_a_page_of_a_document_leads_to_the_next_one_with_the_same_token(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(5):
        publisher.publish(f"Story {number}")
    token = saved(partner)["token"]
    address, found = f"/v1/feeds/desk.json?limit=2&token={token}", []
    while address:
        page = wire.client.get(address).get_json()
        assert token not in page["feed_url"]
        found += [item["title"] for item in page["items"]]
        address = page.get("next_url", "").removeprefix("http://localhost")
    assert found == [f"Story {number}" for number in (4, 3, 2, 1, 0)]


def test_a_token_stands_in_no_log_and_in_no_table(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    partner = wire.as_partner()
    with caplog.at_level("DEBUG"):
        token = saved(partner)["token"]
        assert wire.client.get(f"/v1/feeds/desk.rss?token={token}").status_code == 200
        refused = wire.client.get(f"/v1/feeds/desk.rss?token={token}x")
    assert caplog.records
    assert not [record for record in caplog.records if token in str(record.__dict__)]
    assert token not in refused.text
    with wire.database.read() as connection:
        assert token not in str(connection.execute(select(feed)).all())


def test_a_token_never_shows_what_only_an_owner_sees(wire: Wire) -> None:
    publisher, admin = wire.as_publisher(), wire.as_admin()
    publisher.publish("Stays")
    publisher.publish("Gone", expires_at=format_instant(now() + 50))
    publisher.publish("Later", embargoed_until="2199-01-01T00:00:00Z")
    sleep(0.1)
    for caller in (publisher, admin):
        token = saved(caller)["token"]
        found = wire.client.get(f"/v1/feeds/desk.json?token={token}").get_json()
        assert [item["title"] for item in found["items"]] == ["Stays"]


def test_an_edit_that_changes_nothing_raises_no_revision_and_edits_are_limited(wire: Wire) -> None:
    partner, other = wire.as_partner(), wire.as_partner("other")
    feed = {"name": "markets", "title": "Markets", "query": {"section": ["Markets"]}}
    assert partner.post("/v1/feeds", json=feed).status_code == 201
    with wire.database.read() as connection:
        before = read_head(connection)
    assert partner.call("PATCH", "/v1/feeds/markets", json={}).status_code == 200
    assert partner.call("PATCH", "/v1/feeds/markets", json={"title": "Markets"}).status_code == 200
    with wire.database.read() as connection:
        assert read_head(connection) == before
    statuses = [partner.call("PATCH", "/v1/feeds/markets", json={}).status_code for _ in range(EDITS.requests)]
    assert (statuses[0], statuses[-1]) == (200, 429)
    assert statuses.count(200) == EDITS.requests - 3
    assert partner.get("/v1/feeds/markets").status_code == 200
    assert other.post("/v1/feeds", json=feed).status_code == 201


def test_a_saved_q_is_read_strictly_when_it_is_saved_and_says_where_it_is_broken(wire: Wire) -> None:
    partner = wire.as_partner()
    for q, character in (("cocoa (rises", 7), ('5" rain', 2), ("foo:bar", 1), ("cocoa :)", 8), ("a - b", 3)):
        assert partner.get("/v1/articles", query_string={"q": q}).status_code == 200
        problem = problem_of(partner.post("/v1/feeds", json={"name": "desk", "query": {"q": q}}), "validation_failed")
        assert problem["errors"][0]["pointer"] == "/query/q"
        assert f"at character {character}: " in problem["errors"][0]["detail"]
    assert saved(partner, query={"q": "cocoa", "strict": "true"})["query"] == {"q": "cocoa"}
    patched = partner.patch("/v1/feeds/desk", json={"query": {"q": "cocoa ("}})
    assert patched.status_code == 422


def test_a_feed_of_a_release_before_keeps_its_reading_until_its_query_is_saved_anew(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("An untold title")
    publisher.publish("The title", body_text="untold 5")
    publisher.publish("Words", body_text="title: untold")
    today, before = ["An untold title"], ["Words"]
    assert saved(partner, query="q=title:untold")["has_token"]
    assert partner.listed("q=title:untold") == today
    with wire.database.begin() as connection:
        # As `newswire upgrade` leaves the feeds that are there.
        connection.execute(feed.update().values(grammar=1))
        bump_revision(connection)

    def listed() -> list[str]:
        articles = partner.get("/v1/feeds/desk/articles").get_json()["data"]
        entries = partner.get("/v1/feeds/desk/changes").get_json()["data"]
        assert sorted(entry["article"]["headline"] for entry in entries) == sorted(
            article["headline"] for article in articles
        )
        return [article["headline"] for article in articles]

    assert listed() == before
    assert partner.patch("/v1/feeds/desk", json={"title": "Desk"}).status_code == 200
    assert listed() == before
    assert partner.patch("/v1/feeds/desk", json={"query": "q=title:untold"}).status_code == 200
    assert listed() == today
