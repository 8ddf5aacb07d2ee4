"""A correction is never lost: what a publisher says of a version is content, said once, behind every door."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from newswire.publishing import release
from newswire.timestamps import now
from tests.support.wire import Caller, Wire

STORY = {"headline": "Ferry", "body_text": "On Tuesday."}
NOTE = "It was Tuesday, not Monday."
CORRECTION = {"type": "correction", "note": NOTE}
ADDRESS = "/v1/publishers/reuters/articles/c1"


def put(publisher: Caller, change: Any = None, status: int = 200, **fields: Any) -> dict[str, Any]:
    sent = {**STORY, **fields} | ({} if change is None else {"change": change})
    response = publisher.put(ADDRESS, json=sent)
    assert response.status_code == status, response.text
    article: dict[str, Any] = response.get_json()
    return article


def types(caller: Caller) -> list[str]:
    return [entry["type"].partition(".")[2] for entry in caller.changes()]


def test_a_correction_of_the_same_text_is_a_version_and_an_entry(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    before = put(publisher, status=201)
    corrected = put(publisher, CORRECTION)
    assert (corrected["version"], corrected["change"]) == (2, {**CORRECTION, "fields": []})
    assert corrected["updated_at"] >= before["updated_at"]
    own = {"version", "seq", "change", "digest"}
    assert {name for name in before if before[name] != corrected[name]} - {"updated_at"} == own
    assert types(partner) == ["published", "corrected"]
    assert partner.changes()[-1]["article"] == corrected
    # Said again, or not said at all, it is the same version.
    for change in (CORRECTION, None, {"type": "update"}, {"type": "update", "note": NOTE}, {"note": f" {NOTE} "}, {}):
        assert put(publisher, change) == corrected
    assert types(partner) == ["published", "corrected"]
    assert partner.listed("q=ferry") == ["Ferry"]


@pytest.mark.parametrize(
    ("before", "sent", "is_new"),
    [
        (None, {"note": "A"}, True),
        (None, {"type": "update", "note": "A"}, True),
        (None, {"type": None, "note": None}, False),
        ({"note": "A"}, {"note": "A"}, False),
        ({"note": "A"}, {"note": "B"}, True),
        ({"note": "A"}, {"type": "correction", "note": "A"}, True),
        ({"note": "A"}, None, False),
        ({"type": "correction", "note": "A"}, {"type": "correction", "note": "B"}, True),
        ({"type": "correction", "note": "A"}, {"note": "A"}, False),
        ({"type": "correction", "note": "A"}, {"note": "B"}, True),
    ],
)
def test_only_what_the_current_version_does_not_say_makes_a_version(
    shared_wire: Wire, shared_publisher: Caller, before: Any, sent: Any, is_new: bool
) -> None:
    address = f"/v1/publishers/reuters/articles/{json.dumps([before, sent])}"
    versions = []
    for change in (None, before, sent, sent, None):
        response = shared_publisher.put(address, json={**STORY, "change": change})
        versions.append(response.get_json()["version"])
    known = versions[1]
    assert versions[2:] == [known + is_new] * 3


def test_the_note_of_a_first_version_is_known_as_any_other(shared_publisher: Caller) -> None:
    address = "/v1/publishers/reuters/articles/first"
    for change, version in ((CORRECTION, 1), (CORRECTION, 1), (None, 1), ({"type": "correction", "note": "B"}, 2)):
        response = shared_publisher.put(address, json={**STORY, "change": change})
        assert response.get_json()["version"] == version


def test_a_correction_comes_again_after_an_update_said_something_else(wire: Wire) -> None:
    publisher = wire.as_publisher()
    put(publisher, status=201)
    put(publisher, CORRECTION)
    updated = put(publisher, headline="Ferry again")
    assert updated["change"] == {"type": "update", "note": None, "fields": ["headline"]}
    assert put(publisher, CORRECTION, headline="Ferry again")["version"] == 4
    assert types(publisher) == ["published", "corrected", "updated", "corrected"]


def test_a_patch_with_nothing_but_the_change_corrects(wire: Wire) -> None:
    publisher = wire.as_publisher()
    first = put(publisher, status=201, source_version=7)
    address = f"/v1/articles/{first['id']}"

    def patch(change: Any, tag: str, path: str = address) -> TestResponse:
        return publisher.patch(path, json={"change": change}, headers={"If-Match": tag})

    tag = publisher.get(address).headers["ETag"]
    tried = patch(CORRECTION, tag, f"{address}?dry_run=true")
    assert (tried.status_code, tried.get_json()["version"], tried.headers.get("ETag")) == (200, 2, None)
    assert publisher.get(address).headers["ETag"] == tag
    corrected = patch(CORRECTION, tag)
    assert corrected.get_json()["change"] == {**CORRECTION, "fields": []}
    assert corrected.get_json()["body_text"] == "On Tuesday."
    assert patch({"type": "correction", "note": "B"}, tag).status_code == 412
    again = patch(CORRECTION, corrected.headers["ETag"])
    assert (again.status_code, again.get_json()["version"]) == (200, 2)
    assert patch(None, "*").get_json()["version"] == 2
    # The number of the publisher's own version is still that of the article.
    stale = publisher.put(ADDRESS, json={**STORY, "source_version": 6, "change": {"note": "late"}})
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale_version")
    assert types(publisher) == ["published", "corrected"]


def test_a_correction_with_an_idempotency_key_is_made_once(wire: Wire) -> None:
    publisher = wire.as_publisher()
    put(publisher, status=201)
    sent, headers = {**STORY, "change": CORRECTION}, {"Idempotency-Key": "k"}
    answers = [publisher.put(ADDRESS, json=sent, headers=headers) for _ in range(2)]
    assert [answer.get_json()["version"] for answer in answers] == [2, 2]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert types(publisher) == ["published", "corrected"]


def test_a_batch_and_ninjs_correct_too(wire: Wire) -> None:
    publisher = wire.as_publisher()
    lines = [{**STORY, "external_id": "b"}, {**STORY, "external_id": "b", "change": CORRECTION}] * 2
    results = publisher.post("/v1/articles/batch", json=lines).get_json()["results"]
    assert [result["version"] for result in results] == [1, 2, 2, 2]
    item = {"uri": "urn:n:1", "type": "text", "headline": "Ferry", "body_text": "On Tuesday."}
    corrected = {**item, "signal": [{"code": "correction"}], "ednote": NOTE}
    versions = []
    for document in (item, {**item, "ednote": NOTE}, corrected, corrected):
        response = publisher.post("/v1/articles", json=document)
        assert response.status_code in (200, 201), response.text
        versions.append((response.get_json()["version"], response.get_json()["change"]["type"]))
    assert versions == [(1, "new"), (2, "update"), (3, "correction"), (3, "correction")]
    assert types(publisher)[-1] == "corrected"


def test_what_is_said_of_an_embargoed_article_stays_embargoed(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    embargo: dict[str, Any] = {"embargoed_until": "2190-01-01T00:00:00Z"}
    put(publisher, status=201, **embargo)
    corrected = put(publisher, CORRECTION, **embargo)
    assert (corrected["version"], corrected["seq"], corrected["status"]) == (2, None, "withheld")
    assert publisher.changes() == []
    with wire.database.begin() as connection:
        assert release.release_due_articles(connection, now() + 200 * 365 * 86_400_000) == 1
    [entry] = partner.changes()
    assert (entry["type"], entry["version"]) == ("article.published", 2)
    assert entry["article"]["change"] == {**CORRECTION, "fields": []}
