"""Articles that are large without their bodies, in captions or in terms: read one by one, and never left out."""

import pytest

from newswire.reading import facets, lists
from tests.support.wire import Caller, Wire

NUMBER = 5
CAPTIONS = [{"url": f"https://pictures.example/{number}.jpg", "caption": "x" * 20_000} for number in range(10)]
KEYWORDS = [f"{'topic' * 30} {number}" for number in range(50)]


@pytest.fixture
def publisher(wire: Wire) -> Caller:
    caller = wire.as_publisher()
    for number in range(NUMBER):
        images = CAPTIONS if number % 2 else []
        caller.publish(f"Story {number}", images=images, keywords=[*KEYWORDS, f"own {number}"])
    return caller


def walk(caller: Caller, query: str) -> list[list[str]]:
    """The headlines of each page of a list."""
    pages, cursor = [], ""
    while True:
        answer = caller.get(f"/v1/articles?{query}{cursor}")
        assert answer.status_code == 200
        content = answer.get_json()
        pages.append([article["headline"] for article in content["data"]])
        if content["page"]["next_cursor"] is None:
            return pages
        cursor = f"&cursor={content['page']['next_cursor']}"


@pytest.mark.parametrize("query", ["limit=100", "limit=2", "q=story", "q=story&sort=relevance", "sort=updated_at"])
def test_a_list_holds_large_articles_beside_small_ones(publisher: Caller, query: str) -> None:
    found = [headline for page in walk(publisher, query) for headline in page]
    assert sorted(found) == [f"Story {number}" for number in range(NUMBER)]
    listed = publisher.get(f"/v1/articles?{query}").get_json()["data"]
    assert all(len(article["images"]) in (0, len(CAPTIONS)) for article in listed)


@pytest.mark.parametrize("query", ["limit=100", "q=story", "q=story&sort=relevance", "include=body"])
def test_a_page_ends_where_large_articles_take_too_much(
    publisher: Caller, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(lists, "PAGE_BYTES", 1)
    monkeypatch.setattr("newswire.document.PAGE_BYTES", 1)
    pages = walk(publisher, query)
    assert len(pages) > 1
    assert sorted(headline for page in pages for headline in page) == [f"Story {number}" for number in range(NUMBER)]


def test_facets_count_the_terms_of_articles_with_many(publisher: Caller) -> None:
    counted = publisher.get("/v1/articles?limit=1&facets=keyword").get_json()["meta"]["facets"]["keyword"]
    assert len(counted) == facets.MOST_VALUES
    assert all(value["count"] == {"value": NUMBER, "relation": "eq"} for value in counted)


def test_facets_of_too_many_terms_are_lower_bounds(publisher: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MOST_COUNTED", 10)
    monkeypatch.setattr(facets, "LARGE_TOGETHER", 1)
    counted = publisher.get("/v1/articles?limit=1&facets=keyword").get_json()["meta"]["facets"]["keyword"]
    assert all(value["count"]["relation"] == "gte" for value in counted)
    assert all(value["count"]["value"] <= NUMBER for value in counted)
