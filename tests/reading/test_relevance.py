"""`sort=relevance`: what stands first, and that paging shows every match once whatever is written meanwhile."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from newswire.reading import relevance
from tests.support.lists import page, pages, post, read
from tests.support.wire import Caller, Wire

WHEN = "2026-03-03T03:03:03Z"
FILLER = "The harbour was quiet and the boats lay at anchor while the town slept on"


def ranked(reader: Caller, q: str, **parameters: Any) -> list[str]:
    """The external ids of all matches, best first."""
    return [article["external_id"] for article in read(reader, q=q, sort="relevance", **parameters)]


def published(wire: Wire, articles: dict[str, dict[str, Any]]) -> Caller:
    """A partner of a wire with these articles by their external ids, the first one received last."""
    known = [
        {"headline": "Harbour news", "body_text": FILLER, "published_at": WHEN, **fields, "external_id": name}
        for name, fields in articles.items()
    ]
    post(wire.as_publisher(), known[::-1])
    return wire.as_partner()


def test_a_match_in_the_headline_stands_above_the_summary_above_a_caption_above_the_body(wire: Wire) -> None:
    partner = published(
        wire,
        {
            "body": {"body_text": f"{FILLER} with cocoa"},
            "caption": {"images": [{"url": "https://p.example/a.png", "caption": "A bag of cocoa"}]},
            "summary": {"summary": "About cocoa"},
            "headline": {"headline": "Harbour cocoa"},
            "none": {},
        },
    )
    assert ranked(partner, "cocoa") == ["headline", "summary", "caption", "body"]


def test_an_inflected_headline_stands_above_the_very_word_in_the_body(wire: Wire) -> None:
    partner = published(
        wire, {"body": {"body_text": f"{FILLER} at a price"}, "headline": {"headline": "Harbour prices"}}
    )
    assert ranked(partner, "price") == ["headline", "body"]
    studies = {"a": {"body_text": f"{FILLER} in one study"}, "b": {"body_text": f"{FILLER} in studies and a study"}}
    post(wire.as_publisher("other"), [{"headline": "x", "published_at": WHEN, "external_id": name, **fields}
                                      for name, fields in studies.items()])  # fmt: skip
    assert ranked(partner, "study") == ["b", "a"]


def test_the_article_with_the_rarer_word_stands_first(wire: Wire) -> None:
    common = {f"common {number}": {"body_text": f"{FILLER} on the market"} for number in range(9)}
    partner = published(wire, {**common, "rare": {"body_text": f"{FILLER} with the cocoa"}})
    assert ranked(partner, "market OR cocoa")[0] == "rare"
    assert ranked(partner, "cocoa OR market") == ["rare", *common]


def test_what_is_said_more_often_and_in_fewer_words_stands_higher(wire: Wire) -> None:
    partner = published(
        wire,
        {
            "once in many": {"body_text": f"{FILLER}. {FILLER}. {FILLER}. Cocoa."},
            "once": {"body_text": f"{FILLER}. Cocoa."},
            "twice": {"body_text": f"{FILLER}. Cocoa, cocoa."},
        },
    )
    assert ranked(partner, "cocoa") == ["twice", "once", "once in many"]
    assert ranked(partner, '"the boats" cocoa')[0] == "twice"
    assert ranked(partner, "coc*")[0] == "twice"


def test_of_equal_texts_the_fresh_one_stands_first_and_equals_stand_newest_first(wire: Wire) -> None:
    partner = published(
        wire,
        {
            "stale": {"headline": "Cocoa", "published_at": "2020-01-01T00:00:00Z"},
            "fresh": {"headline": "Cocoa", "published_at": "2026-11-20T00:00:00Z"},
            "stale too": {"headline": "Cocoa", "published_at": "2020-01-01T00:00:00Z"},
            "fresh in the body": {"body_text": f"{FILLER}, cocoa", "published_at": "2026-11-20T00:00:00Z"},
        },
    )
    assert ranked(partner, "headline:cocoa") == ["fresh", "stale", "stale too"]
    assert ranked(partner, "cocoa")[0] == "fresh"


def test_only_the_fields_that_are_looked_in_count(wire: Wire) -> None:
    partner = published(
        wire,
        {
            "headline": {"headline": "Cocoa, cocoa", "body_text": f"{FILLER} with cocoa"},
            "body": {"body_text": f"{FILLER} with cocoa and cocoa"},
        },
    )
    assert ranked(partner, "cocoa") == ["headline", "body"]
    assert ranked(partner, "cocoa", search_in="body") == ["body", "headline"]
    assert ranked(partner, "body:cocoa") == ["body", "headline"]


def test_filters_times_and_the_entitlement_hold(wire: Wire) -> None:
    partner = published(
        wire,
        {
            "markets": {"headline": "Cocoa", "section": "Markets"},
            "food": {"headline": "Cocoa, cocoa", "section": "Food"},
            "old": {"headline": "Cocoa", "section": "Markets", "published_at": "2020-01-01T00:00:00Z"},
        },
    )
    assert ranked(partner, "cocoa", section="Markets") == ["markets", "old"]
    assert ranked(partner, "cocoa", published_from="2026-01-01") == ["food", "markets"]
    assert ranked(partner, "cocoa", published_from="now-2d") == []
    assert ranked(partner, "cocoa", updated_to="now-1h") == []
    assert ranked(partner, "cocoa", updated_from="now-1h") == ["food", "markets", "old"]
    assert ranked(wire.as_partner("food", section=["Food"]), "cocoa") == ["food"]
    counted = page(partner, q="cocoa", sort="relevance", count="true", limit=1)
    assert counted["meta"]["count"] == {"value": 3, "relation": "eq"}


def test_bodies_and_single_fields_come_when_asked_for(wire: Wire) -> None:
    partner = published(wire, {"a": {"body_text": "Some cocoa"}, "b": {"headline": "Cocoa"}})
    shown = read(partner, q="cocoa", sort="relevance", include="body", limit=1)
    assert [article["body_text"] for article in shown] == [FILLER, "Some cocoa"]
    assert [*page(partner, q="cocoa", sort="relevance", fields="headline")["data"][0]] == ["id", "headline"]


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [("sort=relevance", "sort"), ("sort=-relevance&q=a", "sort"), ("highlight=true", "highlight")],
)
def test_relevance_needs_something_to_be_relevant_to(shared_partner: Caller, parameters: str, parameter: str) -> None:
    response = shared_partner.get(f"/v1/articles?{parameters}")
    assert (response.status_code, response.get_json()["code"]) == (400, "invalid_parameter")
    assert response.get_json()["errors"][0]["parameter"] == parameter


def invented(random: Random, number: int) -> dict[str, Any]:
    words = ["cocoa", "coffee", "prices", "price", "harbour", "market", "rise", "fell", "étude", "東京株式", "شراء"]
    return {
        "headline": " ".join(random.choices(words, k=3)),
        "summary": " ".join(random.choices(words, k=5)),
        "body_text": " ".join(random.choices(words, k=random.randint(1, 60))),
        "external_id": f"{number:04}",
        "language": random.choice(["en", "fr", "ja", "ar"]),
        "published_at": f"2026-0{random.randint(1, 4)}-01T00:00:00Z",
    }


@pytest.mark.slow
def test_pages_of_many_windows_show_every_match_once(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relevance, "WINDOW", 7)
    random = Random(3)
    post(wire.as_publisher(), [invented(random, number) for number in range(60)])
    partner = wire.as_partner()
    newest_first = [article["external_id"] for article in read(partner, q="cocoa", limit=100)]
    for limit in (1, 3, 7, 100):
        shown = ranked(partner, "cocoa", limit=limit)
        assert len(shown) == len(newest_first) > 30
        for start in range(0, len(shown), 7):
            assert {*shown[start : start + 7]} == {*newest_first[start : start + 7]}
    assert shown != newest_first


@pytest.mark.slow
def test_pages_of_two_thousand_matches_show_every_match_once(wire: Wire) -> None:
    random = Random(4)
    post(wire.as_publisher(), [{**invented(random, number), "slugline": "x"} for number in range(2300)])
    partner = wire.as_partner()
    newest_first = [
        article["external_id"] for article in read(partner, q="cocoa OR price", limit=100, fields="external_id")
    ]
    shown = ranked(partner, "cocoa OR price", limit=100, fields="external_id")
    assert len(newest_first) > 2000
    assert {*shown[:1000]} == {*newest_first[:1000]}
    assert sorted(shown) == sorted(newest_first)


def test_a_cursor_survives_inserts_around_it_and_a_kill_of_the_last_shown(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relevance, "WINDOW", 10)
    random = Random(5)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    post(publisher, [invented(random, number) for number in range(30)])
    expected = ranked(partner, "cocoa OR coffee")
    walk = pages(partner, q="cocoa OR coffee", sort="relevance", limit=4)
    shown = [article["external_id"] for article in next(walk)]
    assert shown == expected[:4]
    publisher.delete(f"/v1/publishers/reuters/articles/{shown[-1]}")
    publisher.delete(f"/v1/publishers/reuters/articles/{expected[5]}")
    for number, when in enumerate(["2026-05-01", "2026-04-01", "2026-01-01", "2025-01-01"]):
        publisher.publish("Cocoa and coffee", external_id=f"late {number}", published_at=f"{when}T00:00:00Z")
    rest = [article["external_id"] for some in walk for article in some]
    first = [name for name in rest if not name.startswith("late")]
    assert first[:5] == [expected[4], *expected[6:10]]
    assert sorted(first) == sorted([expected[4], *expected[6:]])
    assert "late 0" not in rest
    assert len(rest) == len({*rest})


def test_a_window_that_more_late_arrivals_enter_than_it_holds_skips_nothing(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relevance, "WINDOW", 5)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    articles = [
        {"headline": "Cocoa", "external_id": f"{number:02}", "published_at": f"2026-01-{number + 1:02}T00:00:00Z"}
        for number in range(20)
    ]
    post(publisher, articles)
    walk = pages(partner, q="cocoa", sort="relevance", limit=3)
    shown = [article["external_id"] for article in next(walk)]
    late = [{"headline": "Cocoa", "external_id": f"late {number}", "published_at": "2026-01-19T12:00:00Z"}
            for number in range(30)]  # fmt: skip
    post(publisher, late)
    shown += [article["external_id"] for some in walk for article in some]
    assert {*shown} >= {article["external_id"] for article in articles}


def test_where_the_rest_of_a_window_was_killed_the_next_one_follows(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relevance, "WINDOW", 4)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    post(publisher, [{"headline": "Cocoa", "external_id": str(number)} for number in range(6)])
    walk = pages(partner, q="cocoa", sort="relevance", limit=3)
    assert [article["external_id"] for article in next(walk)] == ["5", "4", "3"]
    publisher.delete("/v1/publishers/reuters/articles/2")
    assert [[article["external_id"] for article in some] for some in walk] == [["1", "0"]]


@pytest.fixture
def halfway(wire: Wire) -> tuple[Caller, str]:
    """A partner, and its cursor in the middle of three matches."""
    post(wire.as_publisher(), [{"headline": "Cocoa", "published_at": WHEN} for _ in range(3)])
    partner = wire.as_partner()
    return partner, page(partner, q="cocoa", sort="relevance", limit=1)["page"]["next_cursor"]


def test_a_cursor_belongs_to_its_query_and_its_order(halfway: tuple[Caller, str]) -> None:
    partner, cursor = halfway
    by_date = page(partner, q="cocoa", limit=1)["page"]["next_cursor"]
    for foreign in (f"q=cocoa&cursor={cursor}", f"q=cocoa&sort=relevance&cursor={by_date}",
                    f"q=coffee&sort=relevance&cursor={cursor}"):  # fmt: skip
        response = partner.get(f"/v1/articles?{foreign}")
        assert (response.status_code, response.get_json()["code"]) == (400, "cursor_mismatch")


HOSTILE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**31,
    2**62,
    2**63,
    2**64,
    0.5,
    -1.0,
    1e308,
    "",
    "a",
    [],
    [1],
    {},
    [None, None],
    [2**70, 1],
]


def forged(parts: list[Any]) -> Iterator[list[Any]]:
    """The same list with one part replaced, left out or doubled, on every level."""
    for place, part in enumerate(parts):
        before, behind = parts[:place], parts[place + 1 :]
        yield [*before, *behind]
        yield [*before, part, part, *behind]
        for wrong in HOSTILE:
            yield [*before, wrong, *behind]
        if isinstance(part, list):
            for other in forged(part):
                yield [*before, other, *behind]


@pytest.mark.slow
def test_a_forged_cursor_is_refused_or_harmless(halfway: tuple[Caller, str]) -> None:
    partner, cursor = halfway
    parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    refused = 0
    for wrong in forged(parts):
        sent = base64.urlsafe_b64encode(json.dumps(wrong).encode()).decode().rstrip("=")
        response = partner.get(f"/v1/articles?q=cocoa&sort=relevance&cursor={sent}")
        assert response.status_code in (200, 400), (wrong, response.text)
        if response.status_code == 400:
            assert response.get_json()["code"] in ("invalid_cursor", "cursor_mismatch")
            refused += 1
    assert refused > 100


def test_a_list_in_this_order_is_another_one_when_its_articles_have_aged(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = published(wire, {"a": {"headline": "Cocoa"}})
    tags = []
    for moment in (1_790_000_000_000, 1_790_000_000_001, 1_790_000_900_000):
        monkeypatch.setattr("newswire.api.views.lists.now", lambda moment=moment: moment)
        tags.append(partner.get("/v1/articles?q=cocoa&sort=relevance").headers["ETag"])
    assert tags[0] == tags[1] != tags[2]


@pytest.mark.slow
def test_both_engines_rank_real_articles_alike(
    fresh_sqlite: str, fresh_postgresql: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire.api.views.lists.now", lambda: 1_790_000_000_000)
    names = ["reuters21578", "wikinews_ja", "saudinewsnet", "hebrew_headlines", "french_headlines", "guardian_articles"]
    articles: list[dict[str, Any]] = []
    for name in names:
        with gzip.open(shared_data / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            articles += [json.loads(line) for line, _ in zip(lines, range(60), strict=False)]
    queries = ["oil OR price", "market -oil", '"of the"', "東京", "地震 OR 日本", "الله OR السعودية", "ישראל",
               "les OR pour", "trade*", "headline:u.s. OR said", "said billion OR mln"]  # fmt: skip
    orders: list[list[list[str]]] = []
    for url in (fresh_sqlite, fresh_postgresql):
        wire = Wire(url)
        post(
            wire.as_publisher(),
            [{**article, "url": article.get("url") or "https://a.example/"} for article in articles],
        )
        partner = wire.as_partner()
        orders.append([ranked(partner, query, limit=100, fields="external_id") for query in queries])
        wire.close()
    assert orders[0] == orders[1]
    assert all(orders[0])
