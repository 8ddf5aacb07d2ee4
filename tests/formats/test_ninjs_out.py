"""Articles in ninjs over HTTP: valid by the IPTC's own schemas, in both versions, at every address that offers them."""

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from tests.support.wire import Caller, Wire

MEDIA = "application/vnd.iptc.ninjs+json"
VERSIONS = ("3.1", "2.1")
RICH: dict[str, Any] = {
    "headline": "Harbour opens again", "external_id": "harbour-1", "slugline": "harbour-opening",
    "summary": "It is open.",
    "body_html": "<p>After two years the harbour opened.</p>", "byline": "By Ann Lee", "dateline": "PORT SELWICK",
    "language": "en-GB", "section": "World", "keywords": ["harbour", "trade"], "urgency": 3,
    "subjects": [
        {"code": "04000000", "name": "economy", "scheme": "http://cv.iptc.org/newscodes/mediatopic/"},
        {"code": "medtop:15000000"}, {"name": "shipping"}, {"code": "a b:c", "scheme": "ours, alone"},
    ],
    "places": [{"name": "Port Selwick", "country": "Atlantis"}, {"name": "Bay"}],
    "authors": [
        {"name": "Ann Lee", "role": "reporter", "bio": "She writes.", "url": "https://news.example/ann",
         "avatar_url": "https://news.example/ann.jpg", "organization": "Port Press"},
        {"name": "Bo"},
    ],
    "images": [
        {"url": "https://p.example/a.jpg", "role": "lead", "caption": "The quay", "alt_text": "A quay",
         "credit": "Bo/PP", "copyright_notice": "© PP", "width": 800, "height": 600, "mime_type": "image/jpeg"},
        {"url": "https://p.example/b.jpg"},
    ],
    "url": "https://news.example/harbour", "published_at": "2026-03-01T10:00:00Z", "expires_at": "2190-01-01T00:00:00Z",
    "copyright_notice": "© 2026", "usage_terms": "No resale", "editor_note": "Check the name",
}  # fmt: skip


@pytest.fixture(scope="session")
def check(shared_data: Path) -> Callable[[Any, str], None]:
    """Fails for what is not valid ninjs of a version, or has a property that its schema does not name."""
    root = shared_data / "newsinjson"
    geojson = Resource.from_contents(
        json.loads((root / "validation/test_suite/GeoJSON-schema.json").read_text()), default_specification=DRAFT7
    )
    registry: Registry[Any] = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", geojson)
    validators = {}
    for version in VERSIONS:
        schema = json.loads((root / f"specification/ninjs-schema_{version}.json").read_text())
        kind = jsonschema.validators.validator_for(schema)
        validators[version] = kind(
            {**schema, "unevaluatedProperties": False}, registry=registry, format_checker=kind.FORMAT_CHECKER
        )

    def valid(document: Any, version: str) -> None:
        errors = [f"{error.json_path}: {error.message}" for error in validators[version].iter_errors(document)]
        assert errors == []
        assert document["standard"]["version"] == version

    return valid


@pytest.fixture(scope="module")
def rich(shared_wire: Wire) -> Caller:
    """The publisher of a wire with one rich article, which nobody changes."""
    publisher = shared_wire.as_publisher()
    publisher.publish(**RICH)
    return publisher


def accepting(version: str | None = None) -> dict[str, str]:
    return {"Accept": MEDIA if version is None else f"{MEDIA};version={version}"}


def real_articles(shared_data: Path, of_each: int) -> Iterator[dict[str, Any]]:
    """The first articles of every collection; the rich ones are in many languages."""
    for path in sorted((shared_data / "articles").glob("*.jsonl.gz")):
        with gzip.open(path) as lines:
            yield from map(json.loads, islice(lines, of_each))


def test_an_article_is_valid_ninjs_and_says_everything_that_a_reader_needs(
    wire: Wire, check: Callable[[Any, str], None]
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish(**RICH)
    for version in VERSIONS:
        response = partner.get(f"/v1/articles/{article['id']}", headers=accepting(version))
        assert response.content_type == f"{MEDIA};version={version}"
        check(response.get_json(), version)
    document = partner.get(f"/v1/articles/{article['id']}.ninjs").get_json()
    check(document, "3.1")
    assert document["uri"] == article["uri"]
    assert document["headlines"][0]["value"] == RICH["headline"]
    assert [body["contentType"] for body in document["bodies"]] == ["text/html", "text/plain"]
    said = json.dumps(document, ensure_ascii=False)
    told = [value for value in leaves(RICH) if isinstance(value, str) and not value.endswith("Z")]
    # The vocabulary that has no address of its own stands escaped in an identifier.
    assert [value for value in told if value not in said] == ["ours, alone"]


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def test_lists_and_changes_hold_ninjs_in_their_own_envelopes(wire: Wire, check: Callable[[Any, str], None]) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("A flash")
    rich = publisher.publish(**RICH)
    killed = publisher.publish("A mistake")
    publisher.delete(f"/v1/articles/{killed['id']}")
    for version in VERSIONS:
        page = partner.get("/v1/articles?limit=1&sort=published_at", headers=accepting(version)).get_json()
        plain = partner.get("/v1/articles?limit=1&sort=published_at").get_json()
        assert page["page"] == plain["page"]
        (item,) = page["data"]
        check(item, version)
        assert item["uri"] == rich["uri"]
        assert "bodies" not in item
        assert item["representationType" if version == "3.1" else "representationtype"] == "partial"
        (item,) = partner.get("/v1/articles.ninjs?include=body&q=harbour", headers=accepting(version)).get_json()[
            "data"
        ]
        check(item, version)
        assert len(item["bodies"]) == 2
        wired = partner.get("/v1/changes", headers=accepting(version)).get_json()
        for entry, told in zip(wired["data"], partner.changes(), strict=True):
            assert {**entry, "article": None} == {**told, "article": None}
            if told["article"] is None:
                assert entry["article"] is None
            else:
                check(entry["article"], version)
        assert partner.get("/v1/changes.ninjs", headers=accepting(version)).get_json() == wired


def test_the_next_page_is_ninjs_again(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for count in range(3):
        publisher.publish(f"Tide report {count}")
    found, address = [], "/v1/articles.ninjs?limit=1"
    while address:
        response = publisher.get(address)
        assert response.mimetype == MEDIA
        page = response.get_json()
        found += [item["headlines"][0]["value"] for item in page["data"]]
        address = page["links"]["next"]
    assert found == [f"Tide report {count}" for count in (2, 1, 0)]


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (MEDIA, "3.1"), (f"{MEDIA}; version=3.1", "3.1"), (f"{MEDIA};version=2.1", "2.1"), ("*/*", None),
        (f"{MEDIA};q=0.5, application/json", None), (f"{MEDIA};version=2.1, {MEDIA};q=0.9", "2.1"),
        ("application/*", None), (f"{MEDIA};version=9, application/json;q=0.1", None),
    ],
)  # fmt: skip
def test_the_caller_says_which_form_and_version(rich: Caller, accept: str, version: str | None) -> None:
    (article,) = rich.get("/v1/articles").get_json()["data"]
    for address in (f"/v1/articles/{article['id']}", "/v1/articles?external_id=harbour-1", "/v1/changes"):
        response = rich.get(address, headers={"Accept": accept})
        assert response.status_code == 200
        assert response.content_type == ("application/json" if version is None else f"{MEDIA};version={version}")
        assert "Accept" in response.vary


@pytest.mark.parametrize("version", ["2.0", "3.0", "31"])
def test_another_version_is_not_acceptable(rich: Caller, version: str) -> None:
    (article,) = rich.get("/v1/articles").get_json()["data"]
    for address in (f"/v1/articles/{article['id']}", "/v1/articles", "/v1/changes"):
        response = rich.get(address, headers=accepting(version))
        assert (response.status_code, response.get_json()["code"]) == (406, "not_acceptable")
        # The suffix has said the format already.
        response = rich.get(f"{address}.ninjs", headers=accepting(version))
        assert (response.status_code, response.content_type) == (200, f"{MEDIA};version=3.1")


def test_each_form_has_an_etag_of_its_own_and_any_of_them_permits_an_update(wire: Wire) -> None:
    publisher = wire.as_publisher()
    address = f"/v1/articles/{publisher.publish(**RICH)['id']}"
    tags = []
    for headers in ({}, accepting("3.1"), accepting("2.1"), {**accepting(), "Accept-Encoding": "gzip"}):
        for place in (address, "/v1/articles"):
            response = publisher.get(place, headers=headers)
            tags.append(response.headers["ETag"])
            again = publisher.get(place, headers={**headers, "If-None-Match": tags[-1]})
            assert (again.status_code, again.headers["ETag"]) == (304, tags[-1])
            assert "Accept" in again.vary
    assert len(set(tags)) == len(tags)
    for place in (address, "/v1/articles"):
        assert publisher.get(place, headers={"If-None-Match": ", ".join(tags[2:])}).status_code == 200
    ours = publisher.get(f"{address}.ninjs").headers["ETag"]
    assert publisher.patch(address, json={"urgency": 1}, headers={"If-Match": ours}).status_code == 200


def test_what_is_withheld_and_what_is_left_of_a_kill_is_shown_to_its_publisher_only(
    wire: Wire, check: Callable[[Any, str], None]
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    held = publisher.publish("Later", embargoed_until="2199-01-01T00:00:00Z")
    dead = publisher.publish("A mistake")
    publisher.delete(f"/v1/articles/{dead['id']}")
    document = publisher.get(f"/v1/articles/{held['id']}.ninjs").get_json()
    check(document, "3.1")
    assert document["embargoedUntil"] == "2199-01-01T00:00:00.000Z"
    (stone,) = publisher.get("/v1/articles.ninjs?status=canceled").get_json()["data"]
    check(stone, "3.1")
    assert stone["pubStatus"] == "canceled"
    assert "headlines" not in stone
    assert partner.get(f"/v1/articles/{held['id']}.ninjs").status_code == 404
    assert partner.get("/v1/articles.ninjs").get_json()["data"] == []
    assert publisher.get(f"/v1/articles/{dead['id']}.ninjs").status_code == 410


def test_only_the_asked_fields_are_shown(wire: Wire, check: Callable[[Any, str], None]) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish(**RICH)
    (item,) = publisher.get("/v1/articles.ninjs?fields=headline").get_json()["data"]
    check(item, "3.1")
    assert item.keys() == {"standard", "uri", "type", "representationType", "pubStatus", "headlines"}
    assert item["uri"] == article["uri"]


@pytest.mark.slow
def test_real_articles_are_valid_in_both_versions(
    wire: Wire, shared_data: Path, check: Callable[[Any, str], None]
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.post("/v1/articles/batch", json=list(real_articles(shared_data, 8)))
    for version in VERSIONS:
        address, number = "/v1/articles.ninjs?limit=100&include=body", 0
        while address:
            page = partner.get(address, headers=accepting(version)).get_json()
            for document in page["data"]:
                check(document, version)
                number += 1
            address = page["links"]["next"]
        assert number > 140
