"""ninjs sent: every version of it, a Superdesk's push as it is, and what was written by one wire read by another."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from newswire.accounts.keys import list_keys, revoke_key
from newswire.accounts.signing_keys import create_signing_key
from newswire.timestamps import now
from tests.formats.test_ninjs_out import MEDIA, RICH, VERSIONS, accepting, real_articles
from tests.support.databases import empty_database
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

MASTER = "a master secret of 32 characters"
GUID = "urn:newsml:localhost:2026-03-01T10:00:00.000000:5c3b2f9e"
# As `superdesk/publish/formatters/ninjs_formatter.py` writes it; times in DATE_FORMAT, `embargoed` in isoformat.
STORY: dict[str, Any] = {
    "guid": GUID, "version": "3", "type": "text", "byline": "Ann Lee", "located": "Port Selwick",
    "versioncreated": "2026-03-01T10:05:00+0000", "language": "en-AU", "headline": "Harbour opens again", "urgency": 3,
    "pubstatus": "usable", "copyrightholder": "PP", "copyrightnotice": "© PP 2026", "usageterms": "", "priority": 5,
    "ednote": "Check the name", "body_html": "<p>After two years the <b>harbour</b> opened.</p>",
    "slugline": "harbour-opening", "keywords": ["harbour"], "firstcreated": "2026-03-01T09:00:00+0000",
    "firstpublished": "2026-03-01T10:00:00+0000", "source": "PP", "charcount": 37, "wordcount": 6, "readtime": 0,
    "place": [{"code": "NSW", "name": "New South Wales"}], "profile": "news",
    "subject": [{"code": "04000000", "name": "economy, business and finance"}],
    "service": [{"code": "f", "name": "Finance"}], "genre": [{"code": "Article", "name": "Article"}],
    "description_html": "<p>It is <b>open</b>.</p>", "description_text": "It is open.",
    "authors": [{"code": "5c3b", "name": "Ann Lee", "role": "writer", "biography": "She writes.",
                 "uri": "urn:superdesk:user:5c3b", "avatar_url": "https://pp.example/ann.jpg",
                 "jobtitle": {"qcode": "1", "name": "reporter"}}],
    "associations": {
        "featuremedia": {
            "guid": "tag:pp.example:2026:1", "version": "1", "type": "picture", "pubstatus": "usable", "priority": 5,
            "headline": "The quay", "byline": "Bo", "description_text": "The quay at dawn", "body_text": "A quay",
            "copyrightnotice": "© Bo", "mimetype": "image/jpeg",
            "renditions": {
                "viewImage": {"href": "https://pp.example/640.jpg", "width": 640, "height": 401},
                "original": {"href": "https://pp.example/original.jpg", "width": 2784, "height": 1856,
                             "mimetype": "image/jpeg", "media": "55b078b2", "poi": {"x": 0.5, "y": 0.5}},
            },
        },
        "editor_0": {
            "guid": "tag:pp.example:2026:2", "version": "1", "type": "picture", "priority": 5,
            "renditions": {"baseImage": {"href": "https://pp.example/2.jpg", "width": 1400, "height": 900,
                                         "mimetype": "image/jpeg"}},
        },
        "media--1": None,
    },
}  # fmt: skip


@pytest.fixture
def desk(database_url: str) -> Iterator["Desk"]:
    """A wire that knows signatures, and a Superdesk that pushes to it."""
    with closing(Wire(database_url, secret=MASTER)) as made:
        made.publisher_key()
        yield Desk(made)


class Desk:
    """A Superdesk with its HTTP push, as `superdesk/publish/transmitters/http_push.py` sends."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.secret, self.number = self.signing_key()

    def signing_key(self, slug: str = "reuters", expires_at: int | None = None) -> tuple[str, int]:
        with self.wire.database.begin() as connection:
            return create_signing_key(
                connection, now=now(), master=MASTER, publisher_slug=slug, expires_at=expires_at, label=None
            )

    def push(self, item: dict[str, Any], secret: str | None = None, **headers: str) -> TestResponse:
        data = json.dumps(item)
        mac = hmac.new(str.encode(secret or self.secret), msg=bytes(data, "utf-8"), digestmod="sha1")
        sent = {"Content-type": "application/json", "Accept": "application/json",
                "x-superdesk-signature": "sha1=" + str(mac.hexdigest()), **headers}  # fmt: skip
        return self.wire.client.post("/v1/articles", data=data, headers=sent)


def test_a_superdesk_publishes_updates_corrects_and_kills(desk: Desk) -> None:
    partner = desk.wire.as_partner()
    response = desk.push(STORY)
    assert response.status_code == 201, response.text
    article = response.get_json()
    assert article["external_id"] == GUID
    again = desk.push(STORY)
    assert (again.status_code, again.get_json()["version"]) == (200, 1)
    update = desk.push({**STORY, "version": "4", "body_html": "<p>Thousands came.</p>"})
    assert (update.status_code, update.get_json()["version"]) == (200, 2)
    correction = {"signal": [{"code": "correction", "name": "Correction"}], "ednote": "It was two years, not three."}
    assert desk.push({**STORY, "version": "5", "headline": "Port opens again", **correction}).status_code == 200
    problem_of(desk.push({**STORY, "version": "3"}), "stale_version")
    assert partner.get(f"/v1/articles/{article['id']}").get_json()["headline"] == "Port opens again"
    killed = desk.push({**STORY, "version": "6", "pubstatus": "canceled", "ednote": "Wrong from top to bottom"})
    assert (killed.status_code, killed.get_json()["status"]) == (200, "canceled")
    assert "headline" not in killed.get_json()
    problem_of(desk.push({**STORY, "version": "7"}), "article_canceled")
    told = partner.changes()
    assert [entry["type"] for entry in told] == [
        "article.published", "article.updated", "article.corrected", "article.canceled",
    ]  # fmt: skip
    assert told[-1]["change"]["note"] == "Wrong from top to bottom"
    assert partner.listed() == []


def test_what_a_superdesk_says_is_what_readers_get(desk: Desk) -> None:
    response = desk.push(STORY)
    article = response.get_json()
    assert {name: article[name] for name in (
        "headline", "byline", "dateline", "language", "urgency", "slugline", "summary", "keywords", "section",
        "copyright_notice", "usage_terms", "editor_note", "published_at", "body_html", "places",
    )} == {
        "headline": "Harbour opens again", "byline": "Ann Lee", "dateline": "Port Selwick", "language": "en-AU",
        "urgency": 3, "slugline": "harbour-opening", "summary": "It is open.", "keywords": ["harbour"],
        "section": "Finance", "copyright_notice": "© PP 2026", "usage_terms": None, "editor_note": "Check the name",
        "published_at": "2026-03-01T10:00:00.000Z", "body_html": "<p>After two years the <b>harbour</b> opened.</p>",
        "places": [{"name": "New South Wales", "country": None}],
    }  # fmt: skip
    assert article["subjects"] == [{"code": "04000000", "name": "economy, business and finance", "scheme": None}]
    (author,) = article["authors"]
    assert (author["name"], author["role"], author["bio"]) == ("Ann Lee", "writer", "She writes.")
    assert author["avatar_url"] == "https://pp.example/ann.jpg"
    lead, inline = article["images"]
    assert (lead["role"], lead["url"], lead["width"]) == ("lead", "https://pp.example/original.jpg", 2784)
    assert (lead["caption"], lead["alt_text"], lead["credit"]) == ("The quay at dawn", "A quay", "Bo")
    assert (lead["copyright_notice"], lead["mime_type"]) == ("© Bo", "image/jpeg")
    assert (inline["role"], inline["url"]) == ("inline", "https://pp.example/2.jpg")
    named = {warning["detail"].split(":")[0] for warning in article["warnings"]}
    assert named == {"/priority", "/source", "/genre"}


def test_an_update_story_is_an_article_of_its_own_and_its_origin_is_kept(desk: Desk) -> None:
    desk.push(STORY)
    response = desk.push({**STORY, "guid": GUID + "-2", "evolvedfrom": GUID, "version": "1"})
    assert response.status_code == 201
    assert response.get_json()["evolves_from"] == GUID
    assert not any(warning["detail"].startswith("/evolvedfrom") for warning in response.get_json()["warnings"])


def test_a_kill_before_the_article_keeps_it_dead(desk: Desk) -> None:
    killed = desk.push({"guid": GUID, "version": "4", "type": "text", "pubstatus": "canceled"})
    assert (killed.status_code, killed.get_json()["status"]) == (200, "canceled")
    problem_of(desk.push(STORY), "article_canceled")
    assert desk.wire.as_partner().changes() == []


def test_a_patch_works_on_what_a_ninjs_said(desk: Desk) -> None:
    article, publisher = desk.push(STORY).get_json(), desk.wire.as_publisher()
    address = f"/v1/articles/{article['id']}"
    patched = publisher.patch(address, json={"urgency": 1}, headers={"If-Match": "*"}).get_json()
    assert (patched["urgency"], patched["headline"], patched["change"]["fields"]) == (1, STORY["headline"], ["urgency"])
    assert desk.push({**STORY, "version": "4"}).get_json()["urgency"] == 3


NOT_YET: list[tuple[dict[str, Any], bool]] = [
    ({"embargoed": "2199-01-01T00:00:00+00:00"}, False),
    ({"embargoed": "2020-01-01T00:00:00+00:00"}, True),
    ({"pubstatus": "withheld"}, False),
    ({"pubstatus": "withheld", "expires": "2150-01-01T00:00:00Z"}, False),
    ({"embargoed": "Next Monday"}, False),
    ({"embargoed": "2026-03-01"}, False),
]


def test_what_is_not_to_be_seen_yet_is_not_seen(desk: Desk) -> None:
    partner, publisher = desk.wire.as_partner(), desk.wire.as_publisher()
    for number, (sent, released) in enumerate(NOT_YET):
        story = {**STORY, "guid": f"{GUID}-{number}"}
        article = desk.push({**story, **sent}).get_json()
        assert article["status"] == ("usable" if released else "withheld")
        assert len(partner.listed()) == number + released
        document = publisher.get(f"/v1/articles/{article['id']}.ninjs").get_json()
        assert document["pubStatus"] == ("usable" if released or "2199" in str(sent) else "withheld")
        assert desk.push({**story, "version": "4"}).get_json()["status"] == "usable"
        assert len(partner.listed()) == number + 1
        if not released:
            problem = problem_of(desk.push({**story, **sent, "version": "5"}), "validation_failed")
            assert problem["errors"][0]["code"] == "already_released"


# Signatures.


def test_a_signature_opens_the_posting_of_articles_and_nothing_else(desk: Desk) -> None:
    sent = {"x-superdesk-signature": "sha1=" + hmac.new(desk.secret.encode(), b"", "sha1").hexdigest()}
    for method, address in (("GET", "/v1/articles"), ("GET", "/v1/me"), ("POST", "/v1/articles/batch"),
                            ("DELETE", f"/v1/publishers/reuters/articles/{GUID}")):  # fmt: skip
        problem_of(desk.wire.client.open(address, method=method, headers=sent), "unauthenticated")
    problem_of(Caller(desk.wire.client, desk.secret).get("/v1/articles"), "unauthenticated")
    assert desk.push({"headline": "In our own form", "external_id": "own"}).status_code == 201
    assert desk.push(STORY, Authorization="Bearer nothing").status_code == 401


def test_a_wrong_signature_is_refused(desk: Desk) -> None:
    body = json.dumps(STORY)
    right = "sha1=" + hmac.new(desk.secret.encode(), body.encode(), "sha1").hexdigest()
    sent = [(body, wrong) for wrong in ("", "sha1=", "sha1=0000", "é", right.upper(), right.replace("sha1", "sha256"))]
    for content, signature in (*sent, (body + " ", right)):
        headers = {"Content-Type": "application/json", "x-superdesk-signature": signature}
        problem_of(desk.wire.client.post("/v1/articles", data=content, headers=headers), "unauthenticated")
    problem_of(desk.wire.client.post("/v1/articles", data=body, content_type="application/json"), "unauthenticated")
    assert desk.wire.as_partner().changes() == []


def test_a_signing_key_is_revoked_and_expires_like_any_other_and_several_hold_at_a_time(desk: Desk) -> None:
    desk.wire.publisher_key("afp")
    other, _ = desk.signing_key("afp")
    ended, _ = desk.signing_key(expires_at=now())
    rotated, _ = desk.signing_key()
    assert desk.push(STORY, other).get_json()["publisher"]["slug"] == "afp"
    assert desk.push(STORY, rotated).get_json()["publisher"]["slug"] == "reuters"
    problem_of(desk.push(STORY, ended), "unauthenticated")
    with desk.wire.database.begin() as connection:
        revoke_key(connection, desk.number, now())
        stored = [row for row in list_keys(connection) if row.id == desk.number]
    problem_of(desk.push(STORY), "unauthenticated")
    assert desk.push(STORY, rotated).status_code == 200
    assert desk.secret not in str(stored)
    assert hashlib.sha256(desk.secret.encode()).hexdigest() not in str(stored)


def test_a_wire_without_a_secret_says_so(wire: Wire) -> None:
    wire.publisher_key()
    headers = {"Content-Type": "application/json", "x-superdesk-signature": "sha1=00"}
    problem = problem_of(wire.client.post("/v1/articles", data="{}", headers=headers), "unauthenticated")
    assert "NEWSWIRE_SECRET" in problem["detail"]


def test_a_signed_body_that_is_too_large_is_refused_unread(desk: Desk) -> None:
    headers = {"Content-Type": "application/json", "x-superdesk-signature": f"sha1={0:040}"}
    problem_of(desk.wire.client.post("/v1/articles", data=b" " * (8 * 1024 * 1024 + 1), headers=headers), "too_large")


# Any ninjs.


def test_put_takes_ninjs_for_the_article_in_its_address(wire: Wire) -> None:
    publisher = wire.as_publisher()
    address = "/v1/publishers/reuters/articles/our-id"
    sent = {"data": json.dumps(STORY), "content_type": MEDIA}
    created = publisher.put(address, **sent)
    assert (created.status_code, created.get_json()["external_id"]) == (201, "our-id")
    own = f"/v1/articles/{created.get_json()['id']}"
    problem_of(publisher.put(own, **sent), "precondition_required")
    assert publisher.put(own, **sent, headers={"If-Match": "*"}).get_json()["version"] == 1
    patched = publisher.patch(own, json={"urgency": 1}, headers={"If-Match": "*"})
    assert patched.status_code == 200
    dead = {"data": json.dumps({**STORY, "pubstatus": "canceled"}), "content_type": MEDIA}
    problem_of(publisher.put(address, **dead, headers={"If-Match": created.headers["ETag"]}), "precondition_failed")
    assert publisher.put(own, **dead, headers={"If-Match": "*"}).get_json()["status"] == "canceled"
    assert publisher.put(address, **dead, headers={"If-Match": '"x"'}).get_json()["status"] == "canceled"


def test_a_batch_takes_ninjs_beside_articles(wire: Wire) -> None:
    items = [STORY, {"headline": "Plain"}, {**STORY, "version": "4"}, {**STORY, "pubstatus": "canceled"}, STORY]
    results = wire.as_publisher().post("/v1/articles/batch", json=items).get_json()["results"]
    assert [result["status"] for result in results] == [201, 201, 200, 200, 410]


def test_an_article_of_our_own_form_is_never_taken_for_ninjs(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for content in (publisher.publish(**RICH), {"headline": "x", "uri": "urn:x", "guid": "y"}):
        problem = problem_of(publisher.post("/v1/articles", json=content), "validation_failed")
        assert "unknown_field" in {error["code"] for error in problem["errors"]}


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"uri": True}, {"/uri"}),
        ({"type": "text"}, {"/uri"}),
        ({"guid": " "}, {"/uri"}),
        ({"uri": "x" * 251}, {"/uri"}),
        ({"headline": 5, "body_html": ["x"], "urgency": "high"}, {"/headline", "/body_html"}),
        ({"headlines": [{"role": "x", "value": "a"}, {"role": "main", "value": "b\u0001"}]}, {"/headlines/1/value"}),
        ({"headlines": {"value": "a"}}, {"/headlines"}),
        ({"pubStatus": "cancelled", "language": "english, I think"}, {"/pubStatus", "/language"}),
        ({"expires": "soon"}, {"/expires"}),
        ({"associations": {"a/b~c": {"type": "picture", "renditions": {"x": {"href": "https://e.example/1"}},
                                     "byline": "x" * 501}}}, {"/associations/a~1b~0c"}),
        ({"keywords": ["ok", 5, "x" * 201]}, {"/keywords/1", "/keywords/2"}),
        ({"subjects": [{"name": "s" * 251}]}, {"/subjects/0"}),
        ({"by": "x" * 501, "located": 5}, {"/by", "/located"}),
    ],
)  # fmt: skip
def test_a_fault_is_named_where_it_stands_in_the_document(
    shared_publisher: Caller, document: dict[str, Any], places: set[str]
) -> None:
    named = {} if {"uri", "guid", "type"} & document.keys() else {"uri": "urn:x"}
    content = json.dumps({"slugline": "a story", **named, **document})
    response = shared_publisher.post("/v1/articles?dry_run=true", data=content, content_type=MEDIA)
    problem = problem_of(response, "validation_failed")
    assert {error["pointer"] for error in problem["errors"]} == places


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b'{"uri":"urn:x","type":"text","\\ud800":1,"b\\ud800":{"c":"\\ud800"}}',
        b'{"uri":"urn:x","type":"text","headline":"\\ud800"}',
        b'{"uri":"urn:x","type":"text","headlines":[{"value":"x"}],"people":[{"name":"\\ud800","rel":"author"}]}',
        b'{"uri":"urn:x","type":"text","associations":{"\\ud800":{"type":"video"}}}',
        b'{"uri":"urn:x","type":"text","' + b"k" * 1_000_000 + b'":1}',
        b'{"uri":"urn:x","type":"text",' + b",".join(b'"k%d":1' % count for count in range(100_000)) + b"}",
        b'{"uri":"urn:x","type":"text","associations":[' + b",".join(
            b'{"type":"picture","descriptions":[{"value":"<p>a<b>b"}],"renditions":[{"href":"https://e.example"}]}'
            for _ in range(50_000)
        ) + b"]}",
        b"[]", b"5", b'"urn:x"', b"null", b"{}", b"",
    ],
    ids=range(13),
)  # fmt: skip
def test_hostile_ninjs_is_answered_soon_and_shortly(wire: Wire, content: bytes) -> None:
    began = time.process_time()
    response = wire.as_publisher().post("/v1/articles?dry_run=true", data=content, content_type=MEDIA)
    assert response.status_code in (200, 400, 413, 422)
    assert len(response.data) < 100_000
    assert time.process_time() - began < 20


@pytest.mark.slow
def test_every_document_of_the_iptc_is_answered_and_the_good_ones_are_accepted(wire: Wire, shared_data: Path) -> None:
    publisher, accepted = wire.as_publisher(url=None), 0
    suite = shared_data / "newsinjson" / "validation" / "test_suite"
    samples = shared_data / "wire_samples" / "raw" / "ninjs"
    for path in [*sorted(suite.glob("*/should_*/*.json")), *sorted(samples.glob("*.json"))]:
        content = path.read_bytes()
        response = publisher.post("/v1/articles?dry_run=true", data=content, content_type=MEDIA)
        assert response.status_code < 500, path
        if path.parent.name == "should_pass":
            assert response.status_code == 200, (path, response.text)
            accepted += 1
    assert accepted > 140


# From one wire to another.

CARRIED = (
    "headline", "slugline", "summary", "body_html", "body_text", "word_count", "byline", "dateline", "language",
    "section", "keywords", "subjects", "places", "urgency", "authors", "images", "url", "copyright_notice",
    "usage_terms", "editor_note", "published_at", "embargoed_until", "expires_at",
)  # fmt: skip


def carried(article: dict[str, Any]) -> dict[str, Any]:
    """What two wires must say alike."""
    return {name: article[name] for name in CARRIED}


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """A publisher on a second wire, which knows no base for relative addresses."""
    with empty_database(request, "sqlite") as url, closing(Wire(url)) as made:
        yield made.as_publisher("reuters", url=None)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_article_is_the_same_on_the_next_wire(wire: Wire, elsewhere: Caller, version: str) -> None:
    publisher = wire.as_publisher()
    later = {**RICH, "external_id": "later", "embargoed_until": "2189-01-01T00:00:00Z"}
    correction = {"change": {"type": "correction", "note": "Two years, not three"}, "urgency": 1}
    for fields in (RICH, {"headline": "A flash"}, later):
        address = f"/v1/articles/{publisher.publish(**fields)['id']}"
        if fields is RICH:
            publisher.patch(address, json=correction, headers={"If-Match": "*"})
        article = publisher.get(address).get_json()
        document = publisher.get(address, headers=accepting(version)).get_data()
        response = elsewhere.post("/v1/articles", data=document, content_type=MEDIA)
        assert response.status_code == 201, response.text
        found = response.get_json()
        assert carried(found) == carried(article)
        assert found["external_id"] == article["uri"]
        assert found["change"]["note"] == article["change"]["note"]
        again = elsewhere.post("/v1/articles", data=document, content_type=MEDIA)
        assert (again.status_code, again.get_json()["version"]) == (200, 1)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_real_articles_are_the_same_on_the_next_wire(
    wire: Wire, elsewhere: Caller, shared_data: Path, version: str
) -> None:
    wire.as_publisher().post("/v1/articles/batch", json=list(real_articles(shared_data, 5)))
    partner, number = wire.as_partner(), 0
    address = "/v1/articles.ninjs?limit=100&include=body"
    while address:
        page = partner.get(address, headers=accepting(version)).get_json()
        results = elsewhere.post("/v1/articles/batch", json=page["data"]).get_json()["results"]
        assert {result["status"] for result in results} == {201}, results
        for item, result in zip(page["data"], results, strict=True):
            article = partner.get(f"/v1/articles/{item['uri'].removeprefix('urn:uuid:')}").get_json()
            assert carried(elsewhere.get(f"/v1/articles/{result['id']}").get_json()) == carried(article)
            number += 1
        address = page["links"]["next"]
    assert number > 90
