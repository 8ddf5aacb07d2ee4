"""`match` at every door that takes `q`: lists, documents for feed readers, changes, saved feeds, counts and facets."""

from typing import Any

import pytest

from tests.support.lists import page, post
from tests.support.wire import Caller, Wire

TEXTS = {
    "all": "Cocoa prices rise in Ghana", "three": "Cocoa prices rise", "two": "Ghana exports more cocoa",
    "one": "Cocoa for breakfast", "common": "What is in the news of the day", "excluded": "Cocoa prices rise in Togo",
}  # fmt: skip
QUERY = "what of the cocoa prices rise in ghana -togo"
FOUND = {"all": [], "most": ["two", "three", "all"], "any": ["one", "two", "three", "all"]}


@pytest.fixture
def partner(wire: Wire) -> Caller:
    articles = [
        {"headline": text, "external_id": name, "section": "markets", "published_at": f"2026-01-0{day}T00:00:00Z"}
        for day, (name, text) in enumerate(TEXTS.items(), 1)
    ]
    post(wire.as_publisher(), articles)
    return wire.as_partner()


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["external_id"] for item in items]


@pytest.mark.parametrize("match", FOUND)
def test_every_door_matches_so_much_of_the_query(partner: Caller, match: str) -> None:
    shown = page(partner, q=QUERY, match=match, count="true", facets="section")
    assert names(shown["data"]) == FOUND[match]
    assert shown["meta"]["count"] == {"value": len(FOUND[match]), "relation": "eq"}
    assert [facet["count"]["value"] for facet in shown["meta"]["facets"]["section"]] == [
        len(FOUND[match]) for _ in FOUND[match][:1]
    ]
    assert sorted(names(page(partner, q=QUERY, match=match, sort="relevance")["data"])) == sorted(FOUND[match])
    changes = partner.get("/v1/changes", query_string={"q": QUERY, "match": match}).get_json()["data"]
    assert names([entry["article"] for entry in changes]) == FOUND[match][::-1]
    made = partner.post("/v1/feeds", json={"name": match, "query": {"q": QUERY, "match": match}})
    assert made.status_code == 201, made.text
    assert names(partner.get(f"/v1/feeds/{match}/articles").get_json()["data"]) == FOUND[match]
    saved = partner.get(f"/v1/feeds/{match}/changes").get_json()["data"]
    assert names([entry["article"] for entry in saved]) == FOUND[match][::-1]
    for path in (f"/v1/feeds/{match}.json", "/v1/articles.json"):
        asked = {"q": QUERY, "match": match} if "feeds" not in path else {}
        items = partner.get(path, query_string=asked).get_json()["items"]
        assert [item["title"] for item in items] == [TEXTS[name] for name in FOUND[match]]


def test_all_is_what_is_meant_without_it(partner: Caller) -> None:
    with_it, without = (page(partner, q="cocoa prices", **asked) for asked in ({"match": "all"}, {}))
    assert names(with_it["data"]) == names(without["data"]) == ["excluded", "three", "all"]


def test_a_cursor_belongs_to_its_match(partner: Caller) -> None:
    for sort in ("-published_at", "relevance"):
        cursor = page(partner, q="cocoa ghana", match="any", sort=sort, limit=1)["page"]["next_cursor"]
        for match in ("all", "most"):
            response = partner.get(f"/v1/articles?q=cocoa+ghana&sort={sort}&match={match}&limit=1&cursor={cursor}")
            assert (response.status_code, response.get_json()["code"]) == (400, "cursor_mismatch")


@pytest.mark.parametrize("path", ["/v1/articles", "/v1/articles.rss", "/v1/changes"])
def test_match_needs_a_query_and_one_of_three_values(shared_partner: Caller, path: str) -> None:
    for asked in ("match=any", "q=cocoa&match=some", "q=cocoa&match="):
        response = shared_partner.get(f"{path}?{asked}")
        assert (response.status_code, response.get_json()["code"]) == (400, "invalid_parameter")
        assert response.get_json()["errors"][0]["parameter"] == "match"


def test_a_query_that_is_too_long_to_relax_is_refused_before_it_runs(shared_partner: Caller) -> None:
    words = "+".join(f"word{number}" for number in range(90))
    assert shared_partner.get(f"/v1/articles?q={words}&match=any").status_code == 200
    response = shared_partner.get(f"/v1/articles?q={words}&match=most")
    assert (response.status_code, response.get_json()["code"]) == (400, "invalid_query")


def test_highlights_mark_what_was_found(partner: Caller) -> None:
    shown = page(partner, q="cocoa chocolate exports sugar", match="most", highlight="true")["data"]
    assert [item["highlights"]["headline"] for item in shown] == [
        ["Ghana <mark>exports</mark> more <mark>cocoa</mark>"]
    ]


def test_a_page_that_is_not_full_says_how_many_most_would_find(partner: Caller) -> None:
    for sort in ("-published_at", "published_at", "relevance"):
        answer = page(partner, q="cocoa exports togo", sort=sort)
        assert names(answer["data"]) == []
        more = answer["meta"]["more"]
        assert more["count"] == {"value": 5, "relation": "eq"}
        followed = partner.get(more["link"].partition("example")[2] or more["link"]).get_json()
        assert len(followed["data"]) == 5
        assert "more" not in followed["meta"]
    narrowed = page(partner, q="cocoa exports togo", published_to="2026-01-04", section="markets")
    assert narrowed["meta"]["more"]["count"] == {"value": 3, "relation": "eq"}


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "cocoa"}, {"q": "cocoa OR ghana"}, {}, {"q": "cocoa ghana", "match": "any"},
        {"q": "cocoa ghana", "match": "most"}, {"q": "cocoa ghana", "limit": 1}, {"q": "cocoa ghana", "limit": 2},
        {"q": "ghana exports"}, {"q": "bananas oranges"},
    ],
)  # fmt: skip
def test_nothing_more_is_said_where_there_is_nothing_more(partner: Caller, asked: dict[str, Any]) -> None:
    if asked.get("q") == "ghana exports":
        asked = {"q": '"ghana exports" cocoa -breakfast -prices -rise'}
    assert "more" not in page(partner, **asked)["meta"]


def test_later_pages_and_saved_feeds_say_nothing_of_more(partner: Caller) -> None:
    first = page(partner, q="cocoa ghana", limit=1)
    later = page(partner, q="cocoa ghana", limit=1, cursor=first["page"]["next_cursor"])
    assert len(later["data"]) == 1
    assert page(partner, q="cocoa ghana", limit=3)["meta"]["more"]["count"]["value"] == 5
    assert "more" not in later["meta"]
    partner.post("/v1/feeds", json={"name": "few", "query": {"q": "cocoa exports togo"}})
    assert "more" not in partner.get("/v1/feeds/few/articles").get_json()["meta"]


def test_what_a_caller_may_not_see_is_not_counted(wire: Wire) -> None:
    post(wire.as_publisher(), [
        {"headline": "Cocoa", "section": section, **fields} for section, fields in (
            ("open", {}), ("closed", {}), ("open", {"embargoed_until": "2199-01-01T00:00:00Z"}),
        )
    ])  # fmt: skip
    reader = wire.as_partner("reader", section=["open"])
    assert page(reader, q="cocoa ghana")["meta"]["more"]["count"] == {"value": 1, "relation": "eq"}
    nothing = wire.as_partner("nothing", section=["elsewhere"])
    assert "more" not in page(nothing, q="cocoa ghana")["meta"]


def test_a_query_that_would_cost_too_much_as_most_is_answered_without_more(shared_partner: Caller) -> None:
    words = " ".join(f"word{number}" for number in range(90))
    assert "more" not in page(shared_partner, q=words)["meta"]
