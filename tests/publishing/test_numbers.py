"""Numbers in bodies as publishers' libraries write them: 3.0 is an integer, and an id may be the number of a row."""

import json
from typing import Any

import pytest

from newswire.article import Publisher
from newswire.errors import Problem
from newswire.formats.markdown.read import read_markdown
from newswire.schemas.article import load_draft
from tests.support.cases import case
from tests.support.wire import Caller, Wire

SITE = Publisher(1, "site", "Site", "https://site.example/", "en")
JSON = {"Content-Type": "application/json"}
LONG = "9" * 250


def tried(publisher: Caller, members: str) -> dict[str, Any]:
    """The answer to a dry run of an article with these members, written in JSON."""
    response = publisher.post("/v1/articles?dry_run=true", data=f'{{"headline": "x", {members}}}', headers=JSON)
    answer: dict[str, Any] = response.get_json()
    return answer


def test_a_float_without_a_fraction_is_an_integer(shared_publisher: Caller) -> None:
    for number in ("3", "3.0", "3e0", "0.3e1", "300e-2"):
        with case(number):
            picture = f'{{"url": "https://e.example/a.jpg", "width": {number}, "height": {number}}}'
            answer = tried(shared_publisher, f'"urgency": {number}, "images": [{picture}]')
            assert repr([answer["urgency"], answer["images"][0]["width"], answer["images"][0]["height"]]) == "[3, 3, 3]"


def test_a_float_as_source_version_is_compared_as_an_integer(wire: Wire) -> None:
    publisher, address = wire.as_publisher(), "/v1/publishers/reuters/articles/a"
    sent = '{"headline": "x", "source_version": 7.0}'
    assert publisher.put(address, data=sent, headers=JSON).status_code == 201
    assert publisher.put(address, json={"headline": "y", "source_version": 6}).status_code == 409
    assert publisher.put(address, data=sent, headers=JSON).get_json()["version"] == 1
    patched = publisher.patch(address_of(publisher), json={"urgency": 2.0}, headers={"If-Match": "*"}).get_json()
    assert (patched["version"], patched["urgency"]) == (2, 2)


def address_of(publisher: Caller) -> str:
    found = publisher.get("/v1/articles?external_id=a").get_json()["data"][0]["id"]
    return f"/v1/articles/{found}"


@pytest.mark.parametrize(("number", "text"), [
    ("4711", "4711"), ("0", "0"), ("-5", "-5"), ("12.0", "12"), ("1e3", "1000"),
    ("123456789012345678901234567890",) * 2,
    ("9007199254740993", "9007199254740993"), (LONG, LONG), ('"007"', "007"), ('"12.0"', "12.0"),
])  # fmt: skip
def test_a_whole_number_as_external_id_is_its_digits(shared_publisher: Caller, number: str, text: str) -> None:
    assert tried(shared_publisher, f'"external_id": {number}')["external_id"] == text


@pytest.mark.parametrize(("number", "code"), [
    ("1.5", "invalid_type"), ("true", "invalid_type"), ("1e300", "invalid_type"),
    ("9007199254740994.0", "invalid_type"),
    (LONG + "9", "too_long"), ("[4711]", "invalid_type"), ("1e999", "invalid_type"),
])  # fmt: skip
def test_other_numbers_are_no_external_id(shared_publisher: Caller, number: str, code: str) -> None:
    problem = tried(shared_publisher, f'"external_id": {number}')
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [("/external_id", code)]


def test_an_article_with_a_number_as_its_id_is_the_one_with_the_text(wire: Wire) -> None:
    publisher, long = wire.as_publisher(), "1" * 40
    assert publisher.publish("One", external_id=4711)["external_id"] == "4711"
    assert publisher.post("/v1/articles", json={"headline": "x", "external_id": "4711"}).status_code == 409
    put = publisher.put("/v1/publishers/reuters/articles/4711", json={"headline": "Two", "external_id": 4711})
    assert (put.status_code, put.get_json()["version"]) == (200, 2)
    lines = f'{{"headline": "Three", "external_id": 4711}}\n{{"headline": "Long", "external_id": {long}}}\n'
    batch = publisher.post("/v1/articles/batch", data=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [(each["status"], each["version"]) for each in batch.get_json()["results"]] == [(200, 3), (201, 1)]
    found = publisher.get(f"/v1/articles?external_id={long}").get_json()["data"][0]["id"]
    patch = json.dumps({"summary": "s", "external_id": int(long)})
    patched = publisher.patch(f"/v1/articles/{found}", data=patch, headers={**JSON, "If-Match": "*"}).get_json()
    assert (patched["external_id"], patched["summary"], patched["version"]) == (long, "s", 2)


def test_what_was_sent_is_kept_but_for_the_type_of_the_id() -> None:
    draft = load_draft({"headline": "x", "external_id": 10**30, "urgency": 3.0}, SITE)
    assert draft.source == {"headline": "x", "external_id": "1" + "0" * 30, "urgency": 3.0}


def test_front_matter_takes_the_same_numbers() -> None:
    fields = read_markdown("---\nurgency: 3.0\nsource_version: 12\nexternal_id: 12.0\n---\nA headline")
    assert repr([fields[name] for name in ("urgency", "source_version", "external_id")]) == "[3, 12, '12.0']"
    with pytest.raises(Problem):
        load_draft(read_markdown("---\nurgency: 3.5\n---\nA headline"), SITE)
