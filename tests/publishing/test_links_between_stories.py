"""The links that publishers send, `evolves_from` and `related`: content of an article, at every door, in every form."""

import io
import json
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from newswire.cli.export import export_entries
from newswire.document import digest_of
from newswire.store.tables import version
from newswire.wire import verify_log
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

NINJS = "application/vnd.iptc.ninjs+json"
LINKS: dict[str, Any] = {
    "evolves_from": "cocoa-1",
    "related": [
        {"external_id": "Cocoa/2 ä", "relation": "background"},
        {"id": "0192f0c1-7d3e-7c4a-9b5f-2f6a1c8d4e90"},
        {"uri": "tag:news.example,2026:cocoa-3", "relation": "sidebar"},
    ],
}
NONE: dict[str, Any] = {"evolves_from": None, "related": []}
ADDRESS = "/v1/publishers/reuters/articles/c"


def links_of(article: dict[str, Any]) -> dict[str, Any]:
    return {name: article[name] for name in ("evolves_from", "related")}


@pytest.fixture
def publisher(wire: Wire) -> Caller:
    return wire.as_publisher()


def test_links_are_stored_by_every_door_and_served_as_they_were_sent(wire: Wire, publisher: Caller) -> None:
    partner = wire.as_partner()
    posted = publisher.publish(**LINKS)
    batch = publisher.post("/v1/articles/batch", json=[{"headline": "B", "external_id": "b", **LINKS}])
    assert batch.get_json()["results"][0]["status"] == 201
    put = publisher.put(ADDRESS, json={"headline": "C", **LINKS}).get_json()
    plain = publisher.publish("D")
    assert links_of(plain) == NONE
    headers = {"If-Match": "*"}
    patched = publisher.patch(f"/v1/articles/{plain['id']}", json=LINKS, headers=headers).get_json()
    assert patched["change"]["fields"] == ["evolves_from", "related"]
    dry = publisher.post("/v1/articles?dry_run=true", json={"headline": "E", **LINKS}).get_json()
    stored = [posted, put, patched, dry]
    stored += partner.get("/v1/articles").get_json()["data"]
    stored += [entry["article"] for entry in partner.changes() if entry["article"]["headline"] != "D"]
    stored += [partner.get(f"/v1/articles/{posted['id']}").get_json()]
    stored += [partner.get(f"/v1/articles/{posted['id']}/versions/1").get_json()]
    stored += [item["_newswire"] for item in partner.get("/v1/articles.json").get_json()["items"]]
    exported = io.BytesIO()
    export_entries(wire.database, 0, "http://localhost", exported)
    told = [orjson.loads(line) for line in exported.getvalue().splitlines()]
    stored += [entry["article"] for entry in told if entry.get("article") and entry["article"]["version"] == 2]
    assert len(stored) == 18
    for article in stored:
        assert links_of(article) == LINKS, article
    assert partner.get("/v1/articles?fields=related&limit=1").get_json()["data"][0]["related"] == LINKS["related"]
    removed = publisher.patch(f"/v1/articles/{plain['id']}", json={"related": None}, headers=headers).get_json()
    assert links_of(removed) == {**LINKS, "related": []}


def test_links_count_in_the_digest_where_there_are_any(wire: Wire, publisher: Caller) -> None:
    linked, plain = publisher.publish(**LINKS), publisher.publish()
    assert digest_of(linked) == linked["digest"]
    for altered in ({"evolves_from": "cocoa-2"}, {"related": LINKS["related"][:2]}, {"evolves_from": None}):
        assert digest_of({**linked, **altered}) != linked["digest"]
    # A client that does not know the fields, or one that gets them empty, comes to the digest that the log has.
    unknown = {name: value for name, value in plain.items() if name not in NONE}
    assert digest_of(plain) == digest_of(unknown) == plain["digest"]
    with wire.database.read() as connection:
        assert verify_log(connection).broken is None
        rows = connection.scalars(select(version.c.rendered).order_by(version.c.number)).all()
    assert b"related" in rows[0]
    assert b"related" not in rows[1]


def test_links_are_a_change_and_the_same_links_are_none(publisher: Caller) -> None:
    first = publisher.put(ADDRESS, json={"headline": "C", **LINKS}).get_json()
    nulls = [{**dict.fromkeys(("external_id", "id", "uri", "relation")), **item} for item in LINKS["related"]]
    for same in (LINKS, {**LINKS, "related": nulls}):
        again = publisher.put(ADDRESS, json={"headline": "C", **same})
        assert (again.status_code, again.get_json()["version"]) == (200, 1)
    turned = publisher.put(ADDRESS, json={"headline": "C", **LINKS, "related": LINKS["related"][::-1]}).get_json()
    assert (turned["version"], turned["change"]["fields"]) == (2, ["related"])
    assert turned["digest"] != first["digest"]
    assert publisher.put(ADDRESS, json={"headline": "C"}).get_json()["change"]["fields"] == ["evolves_from", "related"]


@pytest.mark.parametrize(
    ("sent", "pointer", "code"),
    [
        ({"related": [{"relation": "background"}]}, "/related/0", "no_id"),
        ({"related": [{"id": "a"}, {"id": "a", "uri": "urn:b"}]}, "/related/1", "several_ids"),
        ({"related": [{"id": "", "external_id": None}]}, "/related/0", "no_id"),
        ({"related": [{"uri": "no uri"}]}, "/related/0/uri", "invalid_uri"),
        ({"related": [{"id": 7}]}, "/related/0/id", "invalid_type"),
        ({"related": [{"guid": "x"}]}, "/related/0/guid", "unknown_field"),
        ({"related": ["cocoa-1"]}, "/related/0", "invalid_type"),
        ({"related": {"id": "x"}}, "/related", "invalid_type"),
        ({"related": [{"id": str(n)} for n in range(101)]}, "/related", "too_many"),
        ({"related": [{"id": "x", "relation": "r" * 251}]}, "/related/0/relation", "too_long"),
        ({"related": [{"external_id": "x" * 251}]}, "/related/0/external_id", "too_long"),
        ({"related": [{"id": "a\u0007"}]}, "/related/0/id", "unusable_character"),
        ({"evolves_from": "x" * 2049}, "/evolves_from", "too_long"),
        ({"evolves_from": {"id": "x"}}, "/evolves_from", "invalid_type"),
        ({"evolves_from": ["x"]}, "/evolves_from", "invalid_type"),
        ({"evolves_from": True}, "/evolves_from", "invalid_type"),
        ({"evolvedfrom": "x"}, "/evolvedfrom", "unknown_field"),
    ],
)
def test_a_link_that_names_no_story_is_refused_where_it_stands(
    publisher: Caller, sent: dict[str, Any], pointer: str, code: str
) -> None:
    problem = problem_of(publisher.post("/v1/articles", json={"headline": "A", **sent}), "validation_failed")
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [(pointer, code)]
    if pointer == "/evolvedfrom":
        assert problem["errors"][0]["did_you_mean"] == "evolves_from"


def test_numbers_as_ids_are_their_digits_however_long(publisher: Caller) -> None:
    long = 10**40
    article = publisher.publish(evolves_from=long, related=[{"external_id": long}, {"external_id": 3.0}, {"id": "x"}])
    assert article["evolves_from"] == str(long)
    assert article["related"] == [{"external_id": str(long)}, {"external_id": "3"}, {"id": "x"}]
    patched = publisher.patch(f"/v1/articles/{article['id']}", json={"urgency": 1}, headers={"If-Match": "*"})
    assert patched.get_json()["change"]["fields"] == ["urgency"]


def test_links_go_through_markdown_both_ways(publisher: Caller) -> None:
    first = publisher.publish("Cocoa", external_id="m", body_text="It rose.", **LINKS)
    written = publisher.get(f"/v1/articles/{first['id']}.md").data
    back = publisher.put(
        f"/v1/articles/{first['id']}", data=written, content_type="text/markdown", headers={"If-Match": "*"}
    ).get_json()
    assert (back["version"], links_of(back)) == (1, LINKS)
    other = written.replace(b"external_id: m\n", b"external_id: n\n")
    again = publisher.post("/v1/articles", data=other, content_type="text/markdown")
    assert again.status_code == 201, again.text
    assert links_of(again.get_json()) == LINKS


@pytest.mark.parametrize("number", ["3.1", "2.1"])
def test_links_go_through_ninjs_both_ways(wire: Wire, publisher: Caller, number: str) -> None:
    first = publisher.publish("Cocoa", body_text="It rose.", **LINKS)
    document = publisher.get(f"/v1/articles/{first['id']}.ninjs", headers={"Accept": f"{NINJS};version={number}"})
    other = wire.as_publisher("afp")
    back = other.post("/v1/articles", data=document.data, content_type=NINJS)
    assert back.status_code == 201, back.text
    # Of an id of ours there is only the URI in ninjs.
    uri = {"uri": f"urn:uuid:{LINKS['related'][1]['id']}"}
    assert links_of(back.get_json()) == {**LINKS, "related": [LINKS["related"][0], uri, LINKS["related"][2]]}
    assert not [warning for warning in back.get_json()["warnings"] if "associations" in warning["pointer"]]


SUPERDESK: dict[str, Any] = {
    "guid": "urn:newsml:localhost:2", "type": "text", "headline": "Harbour opens again", "version": "3",
    "versioncreated": "2026-03-01T10:00:00+0000", "body_html": "<p>It opened.</p>", "language": "en",
}  # fmt: skip
ASSOCIATED: dict[str, Any] = {
    "evolvedfrom": "urn:newsml:localhost:1",
    "associations": {
        "related_stories--1": {"guid": "urn:newsml:localhost:3", "type": "text", "headline": "How it closed"},
        "related--1": None,
        "sidebars--2": {"uri": "plain id", "type": "text"},
    },
}


def test_links_of_a_superdesk_are_kept_and_what_is_not_kept_is_named(publisher: Caller) -> None:
    made = publisher.post("/v1/articles", data=json.dumps({**SUPERDESK, **ASSOCIATED}), content_type=NINJS).get_json()
    assert links_of(made) == {
        "evolves_from": "urn:newsml:localhost:1",
        "related": [
            {"uri": "urn:newsml:localhost:3", "relation": "related_stories"},
            {"external_id": "plain id", "relation": "sidebars"},
        ],
    }
    warned = {warning["pointer"]: warning["detail"] for warning in made["warnings"]}
    assert warned == {
        "/associations/related_stories--1": "/associations/related_stories--1: is kept as a link; its content is not."
    }
    many = [{"name": f"n-{n}", "uri": f"urn:x:{n}"} for n in range(120)]
    document = {**SUPERDESK, "guid": "many", "associations": [*many, {"name": "x", "type": "text"}]}
    made = publisher.post("/v1/articles", data=json.dumps(document), content_type=NINJS).get_json()
    assert len(made["related"]) == 100
    assert len(made["warnings"]) == 21
    wrong = {**SUPERDESK, "guid": "wrong", "evolvedfrom": {"a": 1}}
    problem = problem_of(
        publisher.post("/v1/articles", data=json.dumps(wrong), content_type=NINJS), "validation_failed"
    )
    assert problem["errors"][0]["pointer"] == "/evolvedfrom"


def test_a_document_that_was_sent_before_links_were_read_is_the_same_document(publisher: Caller) -> None:
    # The earlier release took from the document what it would take today of one without links.
    first = publisher.post("/v1/articles", data=json.dumps(SUPERDESK), content_type=NINJS).get_json()
    again = publisher.post("/v1/articles", data=json.dumps({**SUPERDESK, **ASSOCIATED}), content_type=NINJS)
    assert (again.status_code, again.get_json()["version"], again.get_json()["digest"]) == (200, 1, first["digest"])
    newer = {**SUPERDESK, **ASSOCIATED, "version": "4"}
    after = publisher.post("/v1/articles", data=json.dumps(newer), content_type=NINJS).get_json()
    assert (after["version"], after["change"]["fields"]) == (2, ["evolves_from", "related"])
    # In JSON the sender knows the fields, and adding them is a change.
    address = f"/v1/articles/{publisher.publish()['id']}"
    linked = publisher.put(address, json={"headline": "Cocoa rises", **LINKS}, headers={"If-Match": "*"}).get_json()
    assert linked["version"] == 2
