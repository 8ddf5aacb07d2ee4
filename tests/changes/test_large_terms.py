"""Articles with more terms than a page of the log loads at once: every rule of delivery applies to them as well."""

import pytest

from newswire.changes import page
from newswire.store.articles import LARGE_TERMS
from tests.support.wire import Caller, Wire

KEYWORDS = [f"{'topic' * 30} {number}" for number in range(150)]
NUMBER = 3


@pytest.fixture
def publisher(wire: Wire) -> Caller:
    assert sum(map(len, KEYWORDS)) > LARGE_TERMS
    return wire.as_publisher()


def types(caller: Caller, query: str) -> list[str]:
    answer = caller.get(f"/v1/changes?{query}")
    assert answer.status_code == 200
    return [entry["type"].removeprefix("article.") for entry in answer.get_json()["data"]]


def test_filters_updates_and_kills_see_the_terms_of_large_articles(wire: Wire, publisher: Caller) -> None:
    reader = wire.as_partner()
    for number in range(NUMBER):
        path = f"/v1/publishers/reuters/articles/{number}"
        publisher.put(path, json={"headline": "x", "section": "world", "keywords": [*KEYWORDS, f"own {number}"]})
        publisher.put(path, json={"headline": "y", "section": "sport", "keywords": KEYWORDS})
        assert publisher.delete(f"{path}?reason=Wrong").status_code == 200
    # An entry goes by what its version was: it matched, left the filter, and is recalled from those who had it.
    assert types(reader, "section=world") == ["published", "removed", "canceled"] * NUMBER
    assert types(reader, "section=sport") == ["updated", "canceled"] * NUMBER
    assert types(reader, "keyword=own+1") == ["published", "removed", "canceled"]
    assert types(reader, "section=none") == []


def test_kills_are_read_a_few_at_a_time(wire: Wire, publisher: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "KILLS_AT_ONCE", 2)
    reader = wire.as_partner()
    killed = [publisher.publish(section="world", external_id=str(number)) for number in range(5)]
    for article in killed:
        assert publisher.delete(f"/v1/articles/{article['id']}?reason=Wrong").status_code == 200
    assert types(reader, "section=world") == ["published"] * 5 + ["canceled"] * 5
