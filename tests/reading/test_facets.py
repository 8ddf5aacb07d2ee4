"""`facets`: what a value looks like, and that its count is what paging with that filter added counts."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from newswire.reading import facets
from newswire.visibility import FACETS
from tests.support.lists import page, post, read
from tests.support.wire import Caller, Wire

ARTICLES: list[dict[str, Any]] = [
    {"headline": "Cocoa rises", "section": "Markets & Co", "language": "en-GB", "keywords": ["Cocoa", "ghana"],
     "authors": [{"name": "Ana Pérez"}, {"name": "Bo Li"}]},
    {"headline": "Cocoa falls", "section": "markets & co", "language": "en", "keywords": ["cocoa"],
     "authors": [{"name": "ana pérez"}]},
    {"headline": "Élections", "section": "Politique_1", "language": "fr", "keywords": ["Genève"]},
    {"headline": "可可", "language": "zh-Hant"},
    {"headline": "Cocoa ends", "section": "World", "expires_at": "2001-01-01T00:00:00Z"},
    {"headline": "Cocoa to come", "section": "World", "embargoed_until": "2199-01-01T00:00:00Z"},
]  # fmt: skip


def found(reader: Caller, facets: str, **parameters: Any) -> dict[str, dict[str, int]]:
    """For each facet the values and their counts, all of which must be exact."""
    shown = page(reader, facets=facets, **parameters)["meta"]["facets"]
    assert {value["count"]["relation"] for values in shown.values() for value in values} <= {"eq"}
    return {kind: {value["value"]: value["count"]["value"] for value in values} for kind, values in shown.items()}


@pytest.fixture(scope="module")
def partner(shared_wire: Wire, shared_publisher: Caller, shared_partner: Caller) -> Caller:
    """A reader without limits of a wire with these articles, which nobody changes."""
    post(shared_publisher, ARTICLES)
    return shared_partner


def test_values_are_spelled_as_filters_take_them_and_the_most_frequent_stand_first(partner: Caller) -> None:
    shown = found(partner, "publisher,section,language,keyword")
    assert shown == {
        "publisher": {"reuters": 4},
        "section": {"Markets & Co": 2, "Politique_1": 1},
        "language": {"en": 2, "en-GB": 1, "fr": 1, "zh": 1, "zh-Hant": 1},
        "keyword": {"Cocoa": 2, "Genève": 1, "ghana": 1},
    }
    assert [*shown["language"]] == ["en", "en-GB", "fr", "zh", "zh-Hant"]
    assert next(iter(shown["keyword"])) == "Cocoa"


def test_an_author_is_counted_by_id_and_shown_with_a_name(partner: Caller) -> None:
    shown = page(partner, facets="author")
    ids = [author["id"] for author in read(partner, q='"cocoa rises"')[0]["authors"]]
    assert shown["meta"]["facets"]["author"] == [
        {"value": ids[0], "count": {"value": 2, "relation": "eq"}, "name": "Ana Pérez"},
        {"value": ids[1], "count": {"value": 1, "relation": "eq"}, "name": "Bo Li"},
    ]
    assert len(read(partner, author=ids[0])) == 2


def test_facets_are_those_of_the_whole_query_on_every_page_and_in_every_order(partner: Caller) -> None:
    whole = {"section": {"Markets & Co": 2}, "keyword": {"Cocoa": 2, "ghana": 1}}
    for sort in ("-published_at", "published_at", "relevance"):
        asked = {"q": "cocoa", "sort": sort, "limit": 1}
        first = page(partner, **asked)
        assert found(partner, "section,keyword", **asked) == whole
        assert found(partner, "section,keyword", **asked, cursor=first["page"]["next_cursor"]) == whole
    assert found(partner, "section", sort="-updated_at", not_keyword="cocoa") == {"section": {"Politique_1": 1}}
    assert found(partner, "section", q="nothing") == {"section": {}}
    assert "facets" not in page(partner)["meta"]


@pytest.mark.usefixtures("partner")
def test_nobody_is_told_of_what_he_may_not_see(shared_wire: Wire) -> None:
    french = shared_wire.as_partner("french", language=["fr"])
    assert found(french, ",".join(FACETS)) == {
        "publisher": {"reuters": 1}, "section": {"Politique_1": 1}, "language": {"fr": 1}, "keyword": {"Genève": 1},
        "subject": {}, "author": {},
    }  # fmt: skip
    assert found(french, "section", status="withheld") == {"section": {}}
    assert found(shared_wire.as_publisher(), "section", status="withheld") == {"section": {"World": 1}}
    assert found(shared_wire.as_publisher("other"), "section,author") == {"section": {}, "author": {}}


def test_at_most_twenty_values_are_shown_and_ties_stand_in_order(wire: Wire) -> None:
    post(wire.as_publisher(), [{"headline": "x", "keywords": [f"k{number:02}"]} for number in range(25)])
    post(wire.as_publisher(), [{"headline": "x", "keywords": ["k24"]}])
    shown = found(wire.as_partner(), "keyword")["keyword"]
    assert [*shown.items()] == [("k24", 2), *((f"k{number:02}", 1) for number in range(19))]


def test_an_author_who_is_named_like_an_id_is_not_taken_for_another(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    real = publisher.publish("One", authors=[{"name": "Ana"}])["authors"][0]["id"]
    publisher.publish("Two", authors=[{"name": real}])
    assert found(partner, "author")["author"][real] == 1


def test_more_matches_than_are_looked_at_make_every_count_a_lower_bound(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "COUNTED_TO", 3)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    articles = [{"headline": "x", "section": "Old", "published_at": "2020-01-01T00:00:00Z"}]
    post(publisher, [*articles, *({"headline": "x", "section": "New"} for _ in range(2))])
    assert found(partner, "section") == {"section": {"New": 2, "Old": 1}}
    post(publisher, [{"headline": "x", "section": "New"}])
    for sort in ("-published_at", "published_at", "updated_at"):
        assert page(partner, facets="section", sort=sort)["meta"]["facets"] == {
            "section": [{"value": "New", "count": {"value": 3, "relation": "gte"}}]
        }


@pytest.mark.parametrize(
    "asked", ["facets=section,keyword", "facets=section&facets=keyword", "facets=keyword, section"]
)
def test_facets_are_named_with_commas_or_one_by_one(partner: Caller, asked: str) -> None:
    shown = partner.get(f"/v1/articles?{asked}").get_json()["meta"]["facets"]
    assert [*shown] == ["keyword", "section"]


def test_an_unknown_facet_is_refused_with_a_suggestion(partner: Caller) -> None:
    response = partner.get("/v1/articles?facets=sections")
    assert (response.status_code, response.get_json()["code"]) == (400, "invalid_parameter")
    assert response.get_json()["errors"][0]["did_you_mean"] == "section"


@pytest.mark.slow
def test_every_count_is_what_paging_with_that_filter_counts(wire: Wire, shared_data: Path) -> None:
    """Real articles; each value is put into its filter, beside the query, and its list read to the end."""
    for name in ("wikinews_en", "globalvoices_eo", "reuters21578", "saudinewsnet", "guardian_articles", "lctt_zh"):
        with gzip.open(shared_data / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            articles = [json.loads(line) for line, _ in zip(lines, range(40), strict=False)]
        post(wire.as_publisher(name.replace("_", "-")), articles)
    limited = wire.as_partner("limited", publisher=["reuters21578", "wikinews-en"], language=["en"])
    checked = set()
    for reader, asked in ((wire.as_partner(), {}), (limited, {}), (limited, {"q": "the -oil"})):
        shown = found(reader, ",".join(FACETS), **asked)
        for kind, values in shown.items():
            for value, count in values.items():
                assert len(read(reader, **asked, **{kind: value}, limit=100, fields="id")) == count
                checked.add(kind)
    # Subjects are counted where a vocabulary is loaded: tests/search/test_vocabulary.py.
    assert checked == {*FACETS} - {"subject"}
