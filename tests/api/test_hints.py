"""Refusals lead to what is wanted: another system's names of fields, texts in place of objects, whole documents."""

import json
from typing import Any

import pytest

from tests.support.cases import case
from tests.support.site import problem_of
from tests.support.wire import Caller

WORDPRESS: dict[str, Any] = {
    "id": 4711, "date": "2026-11-22T10:30:00", "date_gmt": "2026-11-22T09:30:00", "guid": {"rendered": "https://w.example/?p=1"},
    "modified_gmt": "2026-11-22T09:31:00", "slug": "ferry", "status": "publish", "type": "post",
    "link": "https://w.example/ferry/", "title": {"rendered": "Ferry &#8211; again"},
    "content": {"rendered": "<p>It sails.</p>", "protected": False}, "excerpt": {"rendered": "<p>It sails.</p>\n"},
    "author": 3, "featured_media": 9, "comment_status": "open",
    "ping_status": "open", "sticky": False, "template": "", "format": "standard", "meta": {"footnotes": ""},
    "categories": [5], "tags": [7, 8], "class_list": ["post-4711"], "_links": {"self": [{"href": "https://w.example"}]},
}  # fmt: skip
GHOST: dict[str, Any] = {
    "id": "5ddc9063c35e7700383b27e0", "uuid": "5bf68e1f-71ac-4c62-a3a5-d3d6b7a0b9a2", "title": "Ferry", "slug": "ferry",
    "html": "<p>It sails.</p>", "plaintext": "It sails.", "feature_image": None, "url": "https://g.example/ferry/",
    "published_at": "2026-11-22T09:30:00.000+00:00", "custom_excerpt": None, "visibility": "public", "authors": [{}],
}  # fmt: skip
ITEM = {"id": "https://j.example/1", "url": "https://j.example/1", "title": "Ferry", "content_html": "<p>It sails.</p>",
        "date_published": "2026-11-22T09:30:00Z"}  # fmt: skip
FEED = {"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [ITEM]}
FOREIGN: dict[str, tuple[Any, str]] = {
    "a post of WordPress": (WORDPRESS, "WordPress"),
    "a list of them": ([WORDPRESS, WORDPRESS], "WordPress"),
    "one as editors see it": ({**WORDPRESS, "title": {"raw": "Ferry", "rendered": "Ferry"}}, "WordPress"),
    "one without its title": ({"id": 1, "content": {"rendered": "x"}}, "WordPress"),
    "a post of Ghost": (GHOST, "Ghost"),
    "the answer of Ghost": ({"posts": [GHOST], "meta": {"pagination": {}}}, "Ghost"),
    "a webhook of Ghost": ({"post": {"current": GHOST, "previous": {}}}, "Ghost"),
    "a new editor's post": ({"title": "x", "uuid": "x", "lexical": "{}"}, "Ghost"),
    "a JSON Feed": (FEED, "JSON Feed"),
    "an empty JSON Feed": ({**FEED, "items": []}, "JSON Feed"),
    "an item of one": (ITEM, "JSON Feed"),
    "an item in plain text": ({"id": "1", "content_text": "It sails."}, "JSON Feed"),
}
DOORS = ("POST /v1/articles", "POST /v1/articles?dry_run=true", "PUT /v1/publishers/reuters/articles/a")


def test_a_document_of_another_system_gets_one_hint_that_says_what_it_is(shared_publisher: Caller) -> None:
    for door in DOORS:
        method, path = door.split()
        for name, (document, system) in FOREIGN.items():
            with case(f"{door}: {name}"):
                problem = problem_of(shared_publisher.call(method, path, json=document), "validation_failed")
                (fault,) = problem["errors"]
                assert (fault["pointer"], fault["code"]) == ("", "foreign_document")
                assert system in fault["detail"]
                assert "body_html" in fault["detail"]
                assert "publish-from-a-cms.md" in problem["detail"]


def test_so_does_each_item_of_a_batch(shared_publisher: Caller) -> None:
    lines = "\n".join(json.dumps(document) for document in (WORDPRESS, GHOST, FEED, {"headline": "x"}))
    for body, media in ((lines, "application/x-ndjson"), (f"[{lines.replace(chr(10), ',')}]", "application/json")):
        with case(media):
            answer = shared_publisher.post("/v1/articles/batch?dry_run=true", data=body, content_type=media)
            results = answer.get_json()["results"]
            assert [each["status"] for each in results] == [422, 422, 422, 201]
            found = [[fault["code"] for fault in each["problem"]["errors"]] for each in results[:3]]
            assert found == [["foreign_document"]] * 3


def test_an_article_of_our_own_form_is_never_taken_for_a_foreign_one(shared_publisher: Caller) -> None:
    for members in ({"content_html": "x", "id": "1"}, {"uuid": "x", "html": "x"}, {"title": {"rendered": "x"}}):
        with case(members):
            answer = shared_publisher.post("/v1/articles", json={"headline": "x", **members})
            found = problem_of(answer, "validation_failed")["errors"]
            assert {fault["code"] for fault in found} == {"unknown_field"}
    several = problem_of(shared_publisher.post("/v1/articles", json=[{"headline": "x"}]), "validation_failed")
    assert "/v1/articles/batch" in several["detail"]


MEANT = {
    "headline": ["title", "Title"],
    "body_html": ["body", "content", "html", "articleBody", "content_html", "bodyHtml", "content:encoded"],
    "body_text": ["text", "plaintext", "bodyText"],
    "published_at": ["date", "published", "pubDate", "datePublished", "date_published", "publishedAt", "created_at"],
    "authors": ["author", "creator", "dc:creator"], "keywords": ["tags", "categories"], "section": ["category"],
    "images": ["image", "featured_image", "feature_image", "thumbnail"], "language": ["lang", "locale"],
    "url": ["link", "permalink", "canonical_url"], "external_id": ["id", "guid", "externalId"],
    "summary": ["description", "excerpt", "abstract", "standfirst", "subtitle", "custom_excerpt"],
    "images/0/url": ["src", "href"], "images/0/alt_text": ["alt", "altText"], "images/0/credit": ["photographer"],
    "authors/0/name": ["full_name"], "authors/0/bio": ["biography"], "authors/0/organization": ["organisation"],
    "change/note": ["reason"], "places/0/name": ["city"], "subjects/0/name": ["label"],
}  # fmt: skip


def test_another_system_s_name_of_a_field_leads_to_ours(shared_publisher: Caller) -> None:
    for ours, names in MEANT.items():
        *holder, field = ours.split("/")
        for name in names:
            with case(name):
                sent: Any = {name: "x"}
                for step in reversed(holder):
                    sent = [sent] if step == "0" else {step: sent}
                answer = shared_publisher.post("/v1/articles", json={"headline": "x", **sent})
                faults = problem_of(answer, "validation_failed")["errors"]
                (fault,) = [each for each in faults if each["code"] == "unknown_field"]
                assert fault["pointer"] == "/" + "/".join([*holder, name])
                assert fault["did_you_mean"] == field
    served = shared_publisher.post("/v1/articles", json={"headline": "x", "external_id": "1", "id": "01a2"})
    assert "did_you_mean" not in problem_of(served, "validation_failed")["errors"][0]


@pytest.mark.parametrize(("members", "pointer", "wanted"), [
    ({"authors": ["Ann Lee"]}, "/authors/0", '{"name": "Ann Lee"}'),
    ({"authors": "Ann Lee"}, "/authors", '[{"name": "Ann Lee"}]'),
    ({"authors": {"name": "Ann Lee"}}, "/authors", '[{"name": "Ann Lee"}]'),
    ({"authors": ["\ud800 é"]}, "/authors/0", '{"name": "\\ud800 é"}'),
    ({"authors": ["x" * 5000]}, "/authors/0", '{"name": "Ann Lee"}'),
    ({"authors": [""]}, "/authors/0", '{"name": "Ann Lee"}'),
    ({"images": ["https://e.example/a.jpg"]}, "/images/0", '{"url": "https://e.example/a.jpg"}'),
    ({"images": "https://e.example/a.jpg"}, "/images", '[{"url": "https://e.example/a.jpg"}]'),
    ({"subjects": ["Shipping"]}, "/subjects/0", '{"name": "Shipping"}'),
    ({"places": ["Lisbon"]}, "/places/0", '{"name": "Lisbon"}'),
    ({"change": "Typo"}, "/change", '{"note": "Typo"}'),
    ({"keywords": "ports, ships"}, "/keywords", '["ports", "ships"]'),
    ({"keywords": ", ,"}, "/keywords", '["shipping", "ports"]'),
])  # fmt: skip
def test_a_text_in_place_of_an_object_or_a_list_shows_what_is_wanted(
    shared_publisher: Caller, members: dict[str, Any], pointer: str, wanted: str
) -> None:
    answer = shared_publisher.post("/v1/articles", json={"headline": "x", **members})
    (fault,) = problem_of(answer, "validation_failed")["errors"]
    assert (fault["pointer"], fault["code"], fault["did_you_mean"]) == (pointer, "invalid_type", wanted)
    assert fault["detail"].startswith("Must be an ")
    assert wanted in fault["detail"]


def test_an_unknown_field_that_stands_for_a_list_shows_the_list(shared_publisher: Caller) -> None:
    for name, detail in {
        "author": 'send authors: [{"name": "Ann Lee"}].',
        "tags": 'send keywords: ["Ann Lee"].',
    }.items():
        answer = shared_publisher.post("/v1/articles", json={"headline": "x", name: "Ann Lee"})
        (fault,) = problem_of(answer, "validation_failed")["errors"]
        assert fault["detail"].endswith(detail)


@pytest.mark.parametrize(("sent", "meant"), [
    ("en_US.UTF-8", "en-US"), ("pt BR", "pt-BR"), ("English", "en"), ("deutsch", "de"), ("en--GB", "en-GB"),
    ("zh_Hant@x", "zh-Hant"), ("english language", None), ("e", None), ("x" * 5000, None), ("ελ", None), (".", None),
])  # fmt: skip
def test_a_refused_language_leads_to_its_tag(shared_publisher: Caller, sent: str, meant: str | None) -> None:
    answer = shared_publisher.post("/v1/articles", json={"headline": "x", "language": sent})
    (fault,) = problem_of(answer, "validation_failed")["errors"]
    assert (fault["pointer"], fault.get("did_you_mean")) == ("/language", meant)


def test_en_us_is_understood_or_leads_to_its_tag(shared_publisher: Caller) -> None:
    answer = shared_publisher.post("/v1/articles?dry_run=true", json={"headline": "x", "language": "en_US"}).get_json()
    assert "en-US" in (answer.get("language"), answer.get("errors", [{}])[0].get("did_you_mean"))


def test_hints_for_hostile_names_are_bounded(shared_publisher: Caller) -> None:
    names = {f"{'__' * n}title{'é' * n}": "x" for n in range(40)} | {"\ud800title": 1, "t" * 100_000: 1, "/~": {"a": 1}}
    answer = shared_publisher.post("/v1/articles", json={"headline": "x", "authors": "\ud800" * 60, **names})
    assert len(answer.data) < 300_000
    assert len(problem_of(answer, "validation_failed")["errors"]) > 20
