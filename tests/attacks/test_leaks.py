"""Nobody is told a word, an id or a number of what he may not see: the whole leak table, and that it would notice."""

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from newswire.api.routes import ROUTES
from newswire.visibility import FACETS
from tests.attacks.leak_table import (
    CANARY,
    COUNTED,
    HEX,
    HIDDEN,
    LAST,
    LeakWire,
    Reader,
    Request,
    article_requests,
    every_request,
)
from tests.support.cases import case
from tests.support.databases import ENGINES, empty_database

LEAST_REQUESTS = 4278
"""As many as the attack sent by hand, of which this is the table."""
QUICK_SAMPLE, SLOW_SAMPLE = 60, 200
"""Requests to each reader: in the quick part of the suite, and in the slow one on PostgreSQL."""

LONGEST_SECONDS = 30.0
"""After this a stream whose last article has not come has failed; its heartbeats come more often."""


@pytest.fixture(scope="module", params=ENGINES)
def house(request: pytest.FixtureRequest) -> Iterator[LeakWire]:
    with empty_database(request, request.param) as url, closing(LeakWire(url)) as made:
        yield made


def ask(reader: Reader, request: Request) -> tuple[TestResponse, str]:
    """The answer, and its text; of a stream what comes until the last article."""
    response = reader.caller.call(
        request.method, request.address, headers=dict(request.headers), data=request.body, buffered=False
    )
    found, deadline = b"", time.monotonic() + LONGEST_SECONDS
    for chunk in response.iter_encoded():
        assert time.monotonic() < deadline, "the stream does not come to the last article"
        found += chunk
        if response.mimetype == "text/event-stream" and LAST.encode() in found:
            break
    response.close()
    return response, (gzip.decompress(found) if response.headers.get("Content-Encoding") == "gzip" else found).decode()


def check_answer(reader: Reader, request: Request) -> None:
    """No forbidden word, id or digest in body or headers, and numbers that say no more than the articles shown."""
    response, text = ask(reader, request)
    assert response.status_code < 500, text
    if reader.name == "expired":
        assert response.status_code == (200 if is_open(request) else 401), text
    whole = f"{response.headers} {text}".casefold()
    assert (set(CANARY.findall(whole)) & reader.words) - set(CANARY.findall(request.text)) == set()
    assert (set(HEX.findall(whole)) & reader.ids) - set(HEX.findall(request.text)) == set()
    check_status(reader, request, response.status_code)
    if COUNTED in request.address and response.status_code == 200:
        check_list(reader, json.loads(text))


def check_status(reader: Reader, request: Request, status: int) -> None:
    """What is hidden cannot be told from what is not there, also where the answer has no content, as a 304."""
    ids = set(HEX.findall(request.address.partition("?")[0]))
    if ids & reader.ids:
        assert status in (401, 403, 404)
    elif ids and "/articles/" in request.address and not ids & reader.visible:
        assert status in (401, 403, 404, 410)


def is_open(request: Request) -> bool:
    return request.address in ("/healthz", "/readyz", "/v1/problems")


def check_list(reader: Reader, page: Mapping[str, Any]) -> None:
    """Every article of the page may be seen, and count and facets are what these articles add up to."""
    shown, meta = page["data"], page["meta"]
    assert {article["id"] for article in shown} <= reader.visible
    assert not page["page"]["has_more"]
    assert meta["count"] == {"value": len(shown), "relation": "eq"}
    if all("publisher" in article for article in shown):
        for kind in FACETS:
            counted = {each["value"]: each["count"]["value"] for each in meta["facets"][kind]}
            assert counted == Counter(value for article in shown for value in set(values_of(kind, article))), kind


def values_of(kind: str, article: Mapping[str, Any]) -> list[str]:
    """The values of an article that a facet counts."""
    if kind == "publisher":
        return [article["publisher"]["slug"]]
    if kind == "author":
        return [author["id"] for author in article["authors"]]
    if kind == "keyword":
        return list(article["keywords"])
    if kind == "subject":
        # No vocabulary is loaded.
        return []
    return [article[kind]] if article[kind] else []


def check_all(house: LeakWire, most: int | None = None) -> int:
    """Asks every reader the whole table, or a part of it that is the same in every run; how many requests it was."""
    asked = 0
    for reader in house.readers.values():
        table = every_request(house, reader)
        some = table if most is None else random.Random(reader.name).sample(table, min(most, len(table)))
        for request in some:
            with case((reader.name, request)):
                check_answer(reader, request)
        asked += len(some)
    return asked


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_part_of_the_table_leaks_nothing(house: LeakWire) -> None:
    check_all(house, QUICK_SAMPLE)


@pytest.mark.slow
def test_the_whole_table_leaks_nothing(house: LeakWire) -> None:
    asked = check_all(house, None if house.wire.is_sqlite else SLOW_SAMPLE)
    assert asked >= LEAST_REQUESTS or not house.wire.is_sqlite


DIRECTORY = {"publishers": "publisher", "sections": "section", "keywords": "keyword", "authors": "author"}


def test_names_shared_with_hidden_articles_are_counted_by_the_visible_ones(house: LeakWire) -> None:
    for reader in house.readers.values():
        if reader.name == "expired":
            continue
        shown = reader.caller.get("/v1/articles?limit=100").get_json()["data"]
        assert {article["id"] for article in shown} == reader.visible
        for path, kind in DIRECTORY.items():
            with case((reader.name, path)):
                expected = Counter(value for article in shown for value in values_of(kind, article))
                items = reader.caller.get(f"/v1/{path}?limit=100").get_json()["data"]
                key = {"publisher": "slug", "author": "id"}.get(kind, "name")
                assert {item[key]: item["count"] for item in items} == {
                    value: {"value": number, "relation": "eq"} for value, number in expected.items()
                }


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_the_table_asks_at_every_door_for_reading(house: LeakWire) -> None:
    adapter = house.wire.app.url_map.bind("localhost")
    asked = set()
    for reader in house.readers.values():
        for request in every_request(house, reader):
            try:
                rule, _ = adapter.match(
                    request.address.partition("?")[0], method=request.method, return_rule=True
                )  # fmt: skip
                asked.add(f"{request.method} {rule.rule}")
            except HTTPException:
                pass
    doors = {f"{route.method} {route.path}" for route in ROUTES if route.method == "GET" and route.scope == "read"}
    assert doors - asked == set()


@pytest.mark.slow
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_most_requests_of_the_table_show_silent_words_to_who_may_see_them(house: LeakWire) -> None:
    """The table can fail: its requests reach the hidden articles. What is left are errors, 304s and words of fields
    that are not searched."""
    owner = Reader("owner", house.alpha)
    shows: dict[str, bool] = {}
    for kind, hidden in enumerate(HIDDEN):
        if hidden.kind in ("embargoed", "killed", "of another publisher"):
            for request in article_requests(house.targets[kind], house.slug):
                if request.method == "GET" and not shows.get(request.template):
                    _, text = ask(owner, request)
                    silent = set(CANARY.findall(text.casefold())) - set(CANARY.findall(request.text))
                    shows[request.template] = bool(silent)
    assert sum(shows.values()) >= 0.65 * len(shows), [name for name, is_shown in shows.items() if not is_shown]
