"""The addresses that are found without Flask's router answer as they would with it, to everybody and to the byte."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from newswire.timestamps import format_instant, now
from tests.support.wire import Caller, Wire

VARYING = {"X-Request-Id", "Date"}
LISTS = (
    "", "limit=2", "limit=2&sort=published_at", "sort=updated_at&limit=1", "include=body", "fields=headline", "q=cocoa",
    "q=cocoa&sort=relevance", "q=%22", "section=world&not_section=arts", "published_from=now-2d", "count=true",
    "facets=section", "q=cocoa&highlight=true", "limit=0", "limit=2&limit=3", "nothing=1", "_=1&utm_x=%E4", "cursor=x",
    "q=a%00b", "q=%C3%A4+b&limit=3", "status=withheld", "published_from=yesterday", "limit=101", "LIMIT=1",
)  # fmt: skip
CHANGES = (
    "", "after=2", "after=0&limit=2", "after=99999", "after=-1", "after=x", "start=now", "start=oldest&after=1",
    "section=world", "q=cocoa", "types=article.canceled", "wire=other", "consumer=none", "limit=0",
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {}, {"Accept-Encoding": "gzip"}, {"Accept": "application/vnd.iptc.ninjs+json"}, {"Accept": "text/html, */*;q=0.1"},
    {"Accept": "image/png"}, {"Host": "b.example"}, {"Host": "a b"}, {"If-None-Match": "*"},
    {"X-Request-Id": "mine", "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
)  # fmt: skip


class Pair:
    """Two processes on one wire, one of which asks the router for everything."""

    def __init__(self, database_url: str, **settings: Any) -> None:
        self.direct, self.routed = (Wire(database_url, **settings) for _ in range(2))
        self.routed.app._found = lambda path: None  # type: ignore[attr-defined]

    def same(self, path: str, key: str | None, headers: dict[str, str]) -> TestResponse:
        """The answer that both give. A list may get its date, or a new minute, between the two: then once more."""
        sent = headers if key is None else {"Authorization": f"Bearer {key}", **headers}
        for _ in range(2):
            found = [wire.client.get(path, headers=sent) for wire in (self.direct, self.routed)]
            seen = [(each.status, told(each), each.data.replace(own(each), b"")) for each in found]
            if seen[0] == seen[1]:
                break
        assert seen[0] == seen[1], (path, sent)
        return found[0]

    def close(self) -> None:
        self.direct.close()
        self.routed.close()


def told(response: TestResponse) -> list[tuple[str, str]]:
    """The headers that are not those of one request only."""
    return [(name, value) for name, value in response.headers if name not in VARYING]


def own(response: TestResponse) -> bytes:
    """What a problem says of the request itself."""
    return response.headers["X-Request-Id"].encode()


@pytest.fixture
def pair(database_url: str) -> Iterator[Pair]:
    made = Pair(database_url)
    yield made
    made.close()


def published(wire: Wire) -> tuple[Caller, list[dict[str, Any]]]:
    publisher = wire.as_publisher()
    articles = [
        publisher.publish(f"Cocoa {number}", section=("world", "arts")[number % 2], body_text="It rises. " * 150)
        for number in range(5)
    ]
    articles.append(publisher.publish("Under embargo", embargoed_until="2199-01-01T00:00:00Z"))
    articles.append(publisher.publish("Gone", expires_at=format_instant(now() + 1)))
    publisher.delete(f"/v1/articles/{articles[0]['id']}")
    return publisher, articles


def addresses(articles: list[dict[str, Any]]) -> list[str]:
    found = [f"/v1/articles?{query}" for query in LISTS] + [f"/v1/changes?{query}" for query in CHANGES]
    for article in articles:
        found += [f"/v1/articles/{article['id']}", f"/v1/articles/{article['id']}?x=1"]
    return [*found, "/v1/articles/00000000-0000-4000-8000-000000000000", f"/v1/articles/{articles[1]['id'].upper()}"]


def test_everybody_gets_the_same_answer_either_way(pair: Pair) -> None:
    publisher, articles = published(pair.direct)
    world = pair.direct.as_partner("world", section=["world"])
    revoked = pair.direct.as_partner("revoked")
    pair.direct.revoke(revoked.key)
    keys = [
        pair.direct.as_partner("all").key,
        world.key,
        publisher.key,
        pair.direct.as_admin().key,
        revoked.key,
        "x",
        None,
    ]
    statuses = set()
    for path in addresses(articles):
        for key in keys:
            statuses.add(pair.same(path, key, {}).status_code)
    assert statuses == {200, 400, 401, 404, 409, 410}


def test_every_header_means_the_same_either_way(pair: Pair) -> None:
    _, articles = published(pair.direct)
    key = pair.direct.as_partner("all").key
    statuses = set()
    for path in addresses(articles):
        for headers in HEADERS:
            response = pair.same(path, key, headers)
            statuses.add(response.status_code)
            if tag := response.headers.get("ETag"):
                statuses.add(pair.same(path, key, {**headers, "If-None-Match": tag}).status_code)
    assert statuses == {200, 304, 400, 404, 406, 409, 410}


def test_the_open_wire_is_the_same_either_way(database_url: str) -> None:
    pair = Pair(database_url, public_read=True)
    _, articles = published(pair.direct)
    assert {pair.same(path, None, {}).status_code for path in addresses(articles)} == {200, 400, 404, 409, 410}
    pair.close()


def test_a_walk_is_the_same_either_way_and_meets_everything_once(pair: Pair) -> None:
    _, articles = published(pair.direct)
    key = pair.direct.as_partner("all").key
    for query in ("limit=2", "limit=2&section=world,arts", "limit=2&q=cocoa", "limit=1&sort=updated_at"):
        path, met = f"/v1/articles?{query}", []
        while path:
            answer = pair.same(path, key, {}).get_json()
            met += [each["id"] for each in answer["data"]]
            path = (answer["links"]["next"] or "").removeprefix("http://localhost")
        assert sorted(met) == sorted(each["id"] for each in articles[1:5])


def test_what_changes_between_two_requests_is_seen_at_once(pair: Pair) -> None:
    publisher, articles = published(pair.direct)
    partner = pair.direct.as_partner()
    address = f"/v1/articles/{articles[1]['id']}"
    for turn in range(3):
        assert pair.same(address, partner.key, {}).status_code == 200
        pair.direct.set_partner("partner", section=["world"])
        assert pair.same(address, partner.key, {}).status_code == 404
        pair.direct.set_partner("partner", section=["arts", "world"])
        publisher.patch(address, json={"headline": f"Changed {turn}"}, headers={"If-Match": "*"})
        assert pair.same(address, partner.key, {}).get_json()["headline"] == f"Changed {turn}"
        listed = pair.same(f"/v1/articles?_={turn}", partner.key, {}).get_json()["data"]
        assert listed[3]["headline"] == f"Changed {turn}"
        last = pair.same(f"/v1/changes?limit=500&_={turn}", partner.key, {}).get_json()["data"][-1]
        assert last["article"]["headline"] == f"Changed {turn}"
    pair.direct.revoke(partner.key)
    for path in (address, "/v1/articles", "/v1/changes"):
        assert pair.same(path, partner.key, {}).status_code == 401
