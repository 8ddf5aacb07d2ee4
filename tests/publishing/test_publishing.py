"""Publishing over HTTP: new articles, updates, corrections, kills, and what protects them from each other."""

import gzip
import json
import threading
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.support.wire import Caller, Wire

SAMPLE = {
    "headline": "Morocco buys howitzers",
    "external_id": "m-1",
    "body_html": '<p onclick="x()">Thirty-six <b>howitzers</b>.</p><script>alert(1)</script>',
    "language": "en-us",
    "section": "World",
    "keywords": ["defence", "defence", "Morocco"],
    "urgency": 3,
    "authors": [{"name": "Jane Doe", "avatar_url": "/faces/jane.png"}],
    "images": [{"url": "pictures/gun é.jpg", "caption": "A gun", "credit": "Wikimedia"}],
    "published_at": "2026-03-01T12:00:00.123456+02:00",
}


def test_a_posted_article_comes_back_complete(wire: Wire) -> None:
    publisher = wire.as_publisher()
    response = publisher.post("/v1/articles", json=SAMPLE)
    assert response.status_code == 201
    article = response.get_json()
    assert response.headers["Location"] == f"http://localhost/v1/articles/{article['id']}"
    assert article["seq"] == 1
    assert article["version"] == 1
    assert article["status"] == "usable"
    assert article["uri"].endswith(article["id"])
    assert article["publisher"] == {"slug": "reuters", "name": "Reuters", "url": "https://news.example/"}
    assert article["body_html"] == "<p>Thirty-six <b>howitzers</b>.</p>"
    assert article["body_text"] == "Thirty-six howitzers."
    assert article["language"] == "en-US"
    assert article["keywords"] == ["defence", "Morocco"]
    assert article["authors"][0]["avatar_url"] == "https://news.example/faces/jane.png"
    assert article["images"][0]["url"] == "https://news.example/pictures/gun%20%C3%A9.jpg"
    assert article["images"][0]["role"] == "lead"
    assert article["published_at"] == "2026-03-01T10:00:00.123Z"
    assert article["summary"] is None
    assert article["subjects"] == []
    assert {warning["code"] for warning in article["warnings"]} >= {"removed_element", "removed_attribute"}
    read = publisher.get(f"/v1/articles/{article['id']}").get_json()
    assert read == {name: value for name, value in article.items() if name != "warnings"}


def test_a_flash_is_a_headline_and_nothing_else(wire: Wire) -> None:
    article = wire.as_publisher().publish("PEACE SIGNED")
    assert article["body_html"] is None
    assert article["word_count"] == 0
    assert article["published_at"] == article["created_at"]


def test_a_repeated_external_id_names_the_article_that_has_it(wire: Wire) -> None:
    publisher = wire.as_publisher()
    first = publisher.publish(external_id="a")
    response = publisher.post("/v1/articles", json={"headline": "Again", "external_id": "a"})
    assert response.status_code == 409
    assert response.get_json()["code"] == "duplicate_external_id"
    assert response.get_json()["article_id"] == first["id"]
    other = wire.as_publisher("afp").publish(external_id="a")
    assert other["id"] != first["id"]


def test_upsert_creates_updates_and_leaves_alone(wire: Wire) -> None:
    publisher = wire.as_publisher()
    address = "/v1/publishers/reuters/articles/story%201"
    created = publisher.put(address, json={"headline": "One"})
    assert created.status_code == 201
    assert created.get_json()["external_id"] == "story 1"
    same = publisher.put(address, json={"headline": "One"})
    assert (same.status_code, same.get_json()["version"], same.get_json()["seq"]) == (200, 1, 1)
    updated = publisher.put(address, json={"headline": "Two"})
    assert (updated.status_code, updated.get_json()["version"], updated.get_json()["seq"]) == (200, 2, 2)
    assert updated.get_json()["change"] == {"type": "update", "note": None, "fields": ["headline"]}
    assert updated.get_json()["published_at"] == created.get_json()["published_at"]
    refused = publisher.put(address, json={"headline": "Three"}, headers={"If-None-Match": "*"})
    assert refused.status_code == 412
    assert publisher.put("/v1/publishers/afp/articles/x", json={"headline": "x"}).status_code == 404


@pytest.mark.parametrize("external_id", ["2025/dec/25/glass", "/leading", "a//b/", "é?#%2F", "x/versions", "..", "a;b"])
def test_an_external_id_may_be_an_address_of_its_own(shared_publisher: Caller, external_id: str) -> None:
    publisher = shared_publisher
    address = f"/v1/publishers/reuters/articles/{quote(external_id, safe='')}"
    assert publisher.put(address, json={"headline": "x"}).get_json()["external_id"] == external_id
    assert publisher.put(address, json={"headline": "y", "external_id": external_id}).get_json()["version"] == 2
    assert publisher.delete(address).get_json()["external_id"] == external_id


def test_an_update_needs_the_etag_of_what_it_changes(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish()
    address = f"/v1/articles/{article['id']}"
    tag = publisher.get(address).headers["ETag"]
    publisher.publish("Something else")
    assert publisher.get(address).headers["ETag"] == tag
    assert publisher.patch(address, json={"headline": "x"}).get_json()["code"] == "precondition_required"
    changed = publisher.patch(address, json={"headline": "Cocoa falls"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    stale = publisher.put(address, json={"headline": "y"}, headers={"If-Match": tag})
    assert stale.get_json()["code"] == "precondition_failed"
    compressed = publisher.get(address, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert publisher.put(address, json={"headline": "z"}, headers={"If-Match": compressed}).status_code == 200


def test_a_patch_changes_only_what_it_names(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish(
        body_html="<p>old</p>", keywords=["a"], section="World", authors=[{"name": "A", "role": "editor"}]
    )
    address = f"/v1/articles/{article['id']}"
    patch = {"body_text": "new", "section": None, "keywords": ["b"]}
    response = publisher.patch(
        address, data=json.dumps(patch), content_type="application/merge-patch+json", headers={"If-Match": "*"}
    )
    patched = response.get_json()
    assert response.status_code == 200
    assert patched["body_html"] == "<p>new</p>"
    assert patched["section"] is None
    assert patched["keywords"] == ["b"]
    assert patched["authors"] == article["authors"]
    assert patched["change"]["fields"] == ["body_html", "body_text", "section", "keywords"]
    bad = publisher.patch(address, json={"urgency": 99}, headers={"If-Match": "*"})
    assert bad.get_json()["errors"][0]["pointer"] == "/urgency"


def test_a_correction_says_what_was_wrong(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish()
    address = f"/v1/articles/{article['id']}"
    change: dict[str, Any] = {"type": "correction"}
    refused = publisher.patch(address, json={"headline": "x", "change": change}, headers={"If-Match": "*"})
    assert refused.get_json()["errors"][0]["pointer"] == "/change/note"
    change["note"] = "It fell."
    publisher.patch(address, json={"headline": "Cocoa falls", "change": change}, headers={"If-Match": "*"})
    entry = publisher.changes()[-1]
    assert entry["type"] == "article.corrected"
    assert entry["article"]["change"] == {"type": "correction", "note": "It fell.", "fields": ["headline"]}
    # The reason belongs to that version: the next one has its own.
    plain = publisher.patch(address, json={"headline": "Cocoa"}, headers={"If-Match": "*"}).get_json()
    assert plain["change"]["type"] == "update"


def test_a_kill_is_final(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish(external_id="k", body_text="secret zebra")
    address = f"/v1/articles/{article['id']}"
    killed = publisher.delete(f"{address}?reason=libel")
    assert killed.status_code == 200
    stone = killed.get_json()
    assert set(stone) >= {
        "id",
        "uri",
        "external_id",
        "version",
        "seq",
        "status",
        "change",
        "published_at",
        "updated_at",
    }
    assert stone["status"] == "canceled"
    assert stone["seq"] == 2
    assert stone["change"]["note"] == "libel"
    assert "headline" not in stone
    assert publisher.delete(address).get_json() == stone
    assert [caller.get(address).status_code for caller in (publisher, partner)] == [410, 410]
    assert partner.listed("q=zebra") == partner.listed() == []
    external = "/v1/publishers/reuters/articles/k"
    assert publisher.post("/v1/articles", json={"headline": "x", "external_id": "k"}).status_code == 410
    assert publisher.put(external, json={"headline": "x"}).status_code == 410
    assert publisher.put(address, json={"headline": "x"}, headers={"If-Match": "*"}).status_code == 410
    assert publisher.patch(address, json={"headline": "x"}, headers={"If-Match": "*"}).status_code == 410
    batch = publisher.post("/v1/articles/batch", json=[{"headline": "x", "external_id": "k"}]).get_json()
    assert batch["results"][0]["problem"]["code"] == "article_canceled"
    assert publisher.get("/v1/changes?after=2").get_json()["data"] == []


def test_an_article_killed_before_it_came_stays_dead(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    address = "/v1/publishers/reuters/articles/unseen"
    stone = publisher.delete(f"{address}?reason=never").get_json()
    assert (stone["status"], stone["seq"], stone["external_id"]) == ("canceled", None, "unseen")
    assert publisher.put(address, json={"headline": "Late"}).get_json()["code"] == "article_canceled"
    assert publisher.delete(address).get_json() == stone
    assert partner.changes() == []
    assert partner.get(f"/v1/articles/{stone['id']}").status_code == 404


def test_a_late_retry_never_overwrites_a_newer_version(wire: Wire) -> None:
    publisher = wire.as_publisher()
    address = "/v1/publishers/reuters/articles/s"
    publisher.put(address, json={"headline": "third", "source_version": 3})
    late = publisher.put(address, json={"headline": "second", "source_version": 2})
    assert late.get_json()["code"] == "stale_version"
    assert publisher.listed() == ["third"]
    # The same text under a higher number stores no version, but the number counts.
    assert publisher.put(address, json={"headline": "third", "source_version": 5}).get_json()["version"] == 1
    assert publisher.put(address, json={"headline": "fourth", "source_version": 4}).status_code == 409


def test_a_dry_run_answers_and_stores_nothing(wire: Wire) -> None:
    publisher = wire.as_publisher()
    held = publisher.publish(external_id="held")
    posted = publisher.post("/v1/articles?dry_run=true", json={"headline": "Dry"}, headers={"Idempotency-Key": "k"})
    assert (posted.status_code, posted.get_json()["headline"]) == (200, "Dry")
    address = f"/v1/articles/{held['id']}"
    assert publisher.put("/v1/publishers/reuters/articles/n?dry_run=true", json={"headline": "n"}).status_code == 200
    assert (
        publisher.patch(f"{address}?dry_run=true", json={"headline": "p"}, headers={"If-Match": "*"}).status_code == 200
    )
    assert publisher.delete(f"{address}?dry_run=true").get_json()["status"] == "canceled"
    assert publisher.post("/v1/articles/batch?dry_run=true", json=[{"headline": "b"}]).status_code == 200
    assert publisher.post("/v1/articles?dry_run=true", json={}).status_code == 422
    assert publisher.listed() == [held["headline"]]
    assert len(publisher.changes()) == 1
    assert publisher.publish("Wet")["seq"] == 2


def test_an_idempotency_key_makes_a_repeat_safe(wire: Wire) -> None:
    publisher = wire.as_publisher()
    headers = {"Idempotency-Key": "abc"}
    first = publisher.post("/v1/articles", json={"headline": "Once"}, headers=headers)
    again = publisher.post("/v1/articles", json={"headline": "Once"}, headers=headers)
    assert again.status_code == 201
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = publisher.post("/v1/articles", json={"headline": "Twice"}, headers=headers)
    assert other.get_json()["code"] == "idempotency_key_reused"
    refused = {"Idempotency-Key": "bad"}
    assert publisher.post("/v1/articles", json={}, headers=refused).status_code == 422
    assert publisher.post("/v1/articles", json={"headline": "Good"}, headers=refused).status_code == 201
    assert wire.as_publisher("afp").post("/v1/articles", json={"headline": "x"}, headers=headers).status_code == 201
    assert sorted(publisher.listed()) == ["Good", "Once"]


def test_publishers_with_the_same_idempotency_key_have_answers_of_their_own(wire: Wire) -> None:
    callers = wire.as_publisher(), wire.as_publisher("afp")
    headers = {"Idempotency-Key": "the same"}

    def posted() -> list[TestResponse]:
        return [caller.post("/v1/articles", json={"headline": "The same"}, headers=headers) for caller in callers]

    first, again = posted(), posted()
    assert [answer.headers.get("Idempotent-Replayed") for answer in (*first, *again)] == [None, None, "true", "true"]
    assert [answer.data for answer in again] == [answer.data for answer in first]
    assert [answer.get_json()["publisher"]["slug"] for answer in again] == ["reuters", "afp"]


def test_fifty_concurrent_repeats_make_one_article(wire: Wire) -> None:
    publisher = wire.as_publisher()
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        caller = Caller(wire.app.test_client(), publisher.key)
        response = caller.post("/v1/articles", json={"headline": "One"}, headers={"Idempotency-Key": "same"})
        answers.append((response.status_code, response.data))

    threads = [threading.Thread(target=post) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert publisher.listed() == ["One"]


def test_a_batch_takes_good_lines_and_refuses_bad_ones(wire: Wire) -> None:
    publisher = wire.as_publisher()
    lines = [
        json.dumps({"headline": "one", "external_id": "1"}),
        "{broken",
        json.dumps({"headline": "two", "urgency": 77}),
        "",
        json.dumps({"headline": "three"}),
        json.dumps({"headline": "one again", "external_id": "1"}),
        json.dumps(["not an article"]),
    ]
    body = gzip.compress("\n".join(lines).encode())
    response = publisher.post(
        "/v1/articles/batch", data=body, content_type="application/x-ndjson", headers={"Content-Encoding": "gzip"}
    )
    results = response.get_json()["results"]
    assert [item["index"] for item in results] == [0, 1, 2, 3, 4, 5]
    assert [item["status"] for item in results] == [201, 400, 422, 201, 200, 422]
    assert results[2]["problem"]["errors"][0]["pointer"] == "/urgency"
    assert results[4]["version"] == 2
    assert results[4]["id"] == results[0]["id"]
    assert [entry["type"] for entry in publisher.changes()] == [
        "article.published", "article.published", "article.updated",
    ]  # fmt: skip
    assert sorted(publisher.listed()) == ["one again", "three"]


def test_a_batch_may_hold_the_whole_life_of_an_article(wire: Wire) -> None:
    publisher = wire.as_publisher()
    lines = [
        {"headline": "one", "external_id": "1", "body_text": "howitzers"},
        {"headline": "two", "external_id": "1", "section": "World"},
        {"headline": "other", "external_id": "2", "body_text": "howitzers"},
        {"headline": "two", "external_id": "1", "section": "World"},
        {"headline": "three", "external_id": "1", "change": {"type": "correction", "note": "It was three."}},
        {"uri": "2", "type": "text", "pubstatus": "canceled", "headlines": [{"value": "other"}]},
        {"headline": "other", "external_id": "2"},
    ]
    results = publisher.post("/v1/articles/batch", json=lines).get_json()["results"]
    assert [(item["status"], item["version"]) for item in results] == [
        (201, 1), (200, 2), (201, 1), (200, 2), (200, 3), (200, 2), (410, None),
    ]  # fmt: skip
    changes = publisher.changes()
    assert [(entry["type"].partition(".")[2], entry["version"]) for entry in changes] == [
        ("published", 1), ("updated", 2), ("published", 1), ("corrected", 3), ("canceled", 2),
    ]  # fmt: skip
    article = publisher.get(f"/v1/articles/{results[0]['id']}").get_json()
    assert (article["seq"], article["headline"]) == (changes[3]["seq"], "three")
    versions = publisher.get(f"/v1/articles/{article['id']}/versions").get_json()["data"]
    assert [version["headline"] for version in versions] == ["three", "two", "one"]
    assert (publisher.listed(), publisher.listed("q=howitzers")) == (["three"], [])


def test_an_embargoed_article_exists_for_its_publisher_only(wire: Wire) -> None:
    publisher, partner, admin = wire.as_publisher(), wire.as_partner(), wire.as_admin()
    article = publisher.publish("Secret zebra", external_id="e", embargoed_until="2199-01-01T00:00:00Z")
    assert (article["status"], article["seq"]) == ("withheld", None)
    address = f"/v1/articles/{article['id']}"
    assert publisher.get(address).get_json()["headline"] == "Secret zebra"
    for path in (address, f"{address}/versions", f"{address}/versions/1"):
        assert partner.get(path).status_code == 404
        assert publisher.get(path).status_code == 200
        assert admin.get(path).status_code == 200
    assert [partner.listed(), partner.listed("q=zebra"), partner.changes()] == [[], [], []]
    assert publisher.changes() == []
    # Lifting the embargo writes the first entry.
    lifted = publisher.patch(address, json={"embargoed_until": None}, headers={"If-Match": "*"}).get_json()
    assert (lifted["status"], lifted["seq"], lifted["version"]) == ("usable", 1, 2)
    assert [entry["type"] for entry in partner.changes()] == ["article.published"]
    assert partner.listed("q=zebra") == ["Secret zebra"]
    assert partner.get(f"{address}/versions/1").status_code == 404
    again = publisher.patch(address, json={"embargoed_until": "2199-01-01T00:00:00Z"}, headers={"If-Match": "*"})
    assert again.status_code == 422
    assert again.get_json()["errors"][0]["pointer"] == "/embargoed_until"


def test_a_killed_embargo_leaves_no_trace_on_the_wire(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Secret", embargoed_until="2199-01-01T00:00:00Z")
    stone = publisher.delete(f"/v1/articles/{article['id']}").get_json()
    assert (stone["status"], stone["seq"]) == ("canceled", None)
    assert partner.changes() == []
    assert partner.get(f"/v1/articles/{article['id']}").status_code == 404


def test_an_expired_article_is_not_shown(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Old offer", expires_at="2020-01-01T00:00:00Z")
    assert partner.listed() == partner.listed("q=offer") == []
    assert partner.get(f"/v1/articles/{article['id']}").status_code == 404
    assert partner.changes()[0]["article"] is None
    assert publisher.get(f"/v1/articles/{article['id']}").status_code == 200


def test_history_is_newest_first_and_says_why(wire: Wire) -> None:
    publisher = wire.as_publisher()
    address = "/v1/publishers/reuters/articles/h"
    for number in range(1, 6):
        article = publisher.put(address, json={"headline": f"v{number}", "body_text": f"text {number}"}).get_json()
    versions = f"/v1/articles/{article['id']}/versions"
    page = publisher.get(f"{versions}?limit=2").get_json()
    assert [item["version"] for item in page["data"]] == [5, 4]
    assert [item["headline"] for item in page["data"]] == ["v5", "v4"]
    assert all("body_html" not in item and item["change"]["type"] == "update" for item in page["data"])
    rest = publisher.get(page["links"]["next"].removeprefix("http://localhost")).get_json()
    assert [item["version"] for item in rest["data"]] == [3, 2]
    assert publisher.get(f"{versions}/1").get_json()["body_text"] == "text 1"
    assert publisher.get(f"{versions}/9").status_code == 404


@pytest.mark.parametrize("field", ["url", "images", "body_html"])
def test_a_relative_address_without_a_base_is_refused(wire: Wire, field: str) -> None:
    publisher = wire.as_publisher("baseless", url=None)
    value: Any = {"url": "/a", "images": [{"url": "a.png"}], "body_html": '<p><a href="/x">x</a></p>'}[field]
    response = publisher.post("/v1/articles", json={"headline": "x", field: value})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"].startswith(f"/{field}")
    if field != "url":
        absolute = publisher.publish(url="https://paper.example/news/1", **{field: value})
        assert "https://paper.example/" in json.dumps([absolute["images"], absolute["body_html"]])


def test_an_admin_publishes_for_a_publisher_by_address_only(wire: Wire) -> None:
    wire.as_publisher()
    admin = wire.as_admin()
    assert admin.post("/v1/articles", json={"headline": "x"}).status_code == 403
    made = admin.put("/v1/publishers/reuters/articles/a", json={"headline": "x"})
    assert made.status_code == 201
    assert admin.delete(f"/v1/articles/{made.get_json()['id']}").status_code == 200
    assert admin.put("/v1/publishers/nobody/articles/a", json={"headline": "x"}).status_code == 404


def test_a_body_of_which_cleaning_leaves_nothing_is_no_body(database_url: str) -> None:
    wire = Wire(database_url)
    publisher = wire.as_publisher()
    article = publisher.publish("A script", body_html="<script>alert(1)</script>", external_id="script")
    assert (article["body_html"], article["body_text"]) == (None, None)
    assert article["warnings"]
    again = publisher.put(
        "/v1/publishers/reuters/articles/script",
        json={"headline": "A script", "body_html": "<script>alert(1)</script>"},
    )
    assert (again.status_code, again.get_json()["version"]) == (200, 1)
    assert publisher.get(f"/v1/articles/{article['id']}.html").status_code == 200
    wire.close()
