"""What is stored does not change: whether an article is unchanged is judged on what was sent, not on today's cleaning.

The earlier release is imitated by storing, beside the article as it was sent, what another cleaning has made of it.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from newswire.accounts.publishers import change_publisher, find_publisher
from newswire.article import CONTENT
from newswire.errors import Problem
from newswire.formats.markdown.read import parse_markdown
from newswire.formats.ninjs.read import read_ninjs
from newswire.publishing.comparison import MADE_FROM, list_unchanged_fields
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_sent
from newswire.timestamps import now
from tests.support.wire import Caller, Wire

SENT: dict[str, Any] = {
    "external_id": "s1", "headline": "Ferry &amp; tide", "summary": "Late", "section": "Sea &amp; Sky",
    "body_html": '<p>On <img data-src="/a.jpg"> Tuesday.</p>', "keywords": ["a &lt; b"],
    "authors": [{"name": "Ann &amp; Bo", "bio": None}], "images": [{"url": "/b.jpg", "caption": "Quay"}],
    "change": {"note": "A &amp; B"},
}  # fmt: skip
# What an older cleaning has made of it, as nothing today would.
OLDER: dict[str, Any] = {
    "headline": "Ferry OLDER", "section": "OLDER", "body_html": "<p>OLDER</p>", "body_text": "OLDER", "word_count": 77,
    "language": "iw", "keywords": ["OLDER"], "images": [],
}  # fmt: skip
ADDRESS = "/v1/publishers/reuters/articles/s1"


def store_as_before(wire: Wire, sent: Any, note: str | None = None, **older: Any) -> None:
    """Stores an article as sent, with the content that another cleaning has made of it."""
    with wire.database.begin() as connection, publish_transaction(connection, now()) as transaction:
        publisher = find_publisher(connection, "reuters")
        assert publisher is not None
        draft = load_sent(sent, publisher)
        draft = replace(draft, content={**draft.content, **older}, change_note=note)  # type: ignore[type-var,union-attr]
        transaction.create(publisher, prepare_article(draft, publisher))  # type: ignore[arg-type]


@pytest.fixture
def publisher(wire: Wire) -> Caller:
    publisher = wire.as_publisher()
    store_as_before(wire, SENT, SENT["change"]["note"], **OLDER)
    return publisher


def put(publisher: Caller, sent: dict[str, Any]) -> dict[str, Any]:
    response = publisher.put(ADDRESS, json=sent)
    assert response.status_code == 200, response.text
    article: dict[str, Any] = response.get_json()
    article.pop("warnings", None)
    return article


def test_what_is_sent_again_changes_nothing_whatever_is_made_of_it_today(wire: Wire, publisher: Caller) -> None:
    listed = publisher.get("/v1/articles?include=body").get_json()["data"][0]
    assert listed["body_html"] == "<p>OLDER</p>"
    reordered = dict(reversed(SENT.items()))
    absent = {**SENT, "slugline": None, "places": [], "byline": "", "authors": [{"name": "Ann &amp; Bo", "role": ""}]}
    for sent in (SENT, reordered, absent, {**SENT, "source_version": 3}, {**SENT, "change": None}):
        assert put(publisher, sent) == listed
    batch = publisher.post("/v1/articles/batch", json=[SENT, reordered]).get_json()
    assert [(result["status"], result["version"]) for result in batch["results"]] == [(200, 1), (200, 1)]
    assert len(publisher.changes()) == 1


def test_a_new_version_keeps_the_stored_value_of_what_was_not_changed(publisher: Caller) -> None:
    before = publisher.get("/v1/articles?include=body").get_json()["data"][0]
    changed = put(publisher, {**SENT, "headline": "Ferry late"})
    assert changed["change"]["fields"] == ["headline"]
    own = {"headline", "version", "seq", "change", "updated_at", "digest"}
    assert {name for name in before if before[name] != changed[name]} - own == set()
    patched = publisher.patch(
        f"/v1/articles/{changed['id']}", json={"summary": "Later"}, headers={"If-Match": "*"}
    ).get_json()
    assert patched["change"]["fields"] == ["summary"]
    assert (patched["body_html"], patched["images"], patched["language"]) == ("<p>OLDER</p>", [], "iw")
    # It is found by what is served of it.
    for query in ("section=OLDER", "keyword=OLDER", "q=headline:late"):
        assert publisher.listed(query) == ["Ferry late"], query
    assert publisher.listed("section=Sea %26 Sky") == []
    assert publisher.listed("has_image=true") == []


def test_a_change_of_one_source_renews_all_that_is_made_from_it_and_no_more(publisher: Caller) -> None:
    changed = put(publisher, {**SENT, "body_html": "<p>On Wednesday.</p>"})
    assert changed["body_html"] == "<p>On Wednesday.</p>"
    assert changed["body_text"] == "On Wednesday."
    assert changed["word_count"] == 2
    assert changed["images"][0]["url"] == "https://news.example/b.jpg"
    assert {"headline", "section", "keywords", "language"}.isdisjoint(changed["change"]["fields"])
    pictured = put(publisher, {**SENT, "body_html": "<p>On Wednesday.</p>", "images": [{"url": "/c.jpg"}]})
    assert pictured["change"]["fields"] == ["images"]
    language = put(publisher, {**SENT, "body_html": "<p>On Wednesday.</p>", "images": [], "language": "he"})
    assert language["change"]["fields"] == ["language", "images"]
    moved = put(publisher, {**SENT, "body_html": '<p>On <a href="x">W</a></p>', "url": "/there/", "language": "he"})
    assert 'href="https://news.example/there/x"' in moved["body_html"]


def test_a_correction_alone_keeps_every_stored_byte_of_the_content(publisher: Caller) -> None:
    before = publisher.get("/v1/articles?include=body").get_json()["data"][0]
    corrected = put(publisher, {**SENT, "change": {"type": "correction", "note": "Not so."}})
    assert corrected["change"] == {"type": "correction", "note": "Not so.", "fields": []}
    own = {"version", "seq", "change", "updated_at", "digest"}
    assert {name for name in before if before[name] != corrected[name]} - own == set()
    assert publisher.changes()[-1]["digest"] == corrected["digest"]


def test_a_later_edit_of_the_publisher_changes_no_article_that_is_sent_again(wire: Wire) -> None:
    publisher = wire.as_publisher()
    first = publisher.put(ADDRESS, json=SENT).get_json()
    with wire.database.begin() as connection:
        change_publisher(connection, "reuters", {"url": "https://moved.example/", "language": "fr"})
    again = put(publisher, SENT)
    assert (again["version"], again["language"], again["images"]) == (1, first["language"], first["images"])
    late = put(publisher, {**SENT, "headline": "Late"})
    assert late["change"]["fields"] == ["headline"]
    assert late["images"] == first["images"]


def test_numbers_and_members_that_mean_the_same_are_the_same() -> None:
    stored = b'{"headline":"A","urgency":3,"images":[{"url":"/a","width":2}],"places":null}'
    sent = {"urgency": 3.0, "images": [{"width": 2.0, "url": "/a", "caption": None}], "headline": "A", "keywords": []}
    assert list_unchanged_fields(sent, b"", stored) == list(MADE_FROM)
    assert set(MADE_FROM) - set(list_unchanged_fields({**sent, "url": "/x"}, b"", stored)) == {
        "url", "body_html", "body_text", "word_count", "images", "authors",
    }  # fmt: skip


def test_every_computed_field_names_what_it_is_made_from() -> None:
    computed = {field.name for field in CONTENT if field.is_stored and not field.is_sent}
    assert computed <= set(MADE_FROM)
    sendable = {field.name for field in CONTENT if field.is_sent}
    assert all(sources and set(sources) <= sendable for sources in MADE_FROM.values())


def real_articles(shared_data: Path, number: int) -> Iterator[dict[str, Any]]:
    """Real articles of every collection in turn, as a publisher sends them, each with an id of its own."""
    files = sorted((shared_data / "articles").glob("*.jsonl.gz"))
    for file_number, path in enumerate(files):
        with gzip.open(path) as lines:
            # Short ones, which are quicker: their length makes no difference here.
            short = (line for line in lines if len(line) < 8_000)
            for line_number, line in enumerate(islice(short, -(-number // len(files)) + 20)):
                yield {**json.loads(line), "external_id": f"{file_number}-{line_number}"}


@pytest.mark.slow
def test_a_thousand_stored_articles_that_are_sent_again_make_no_version(fresh_sqlite: str, shared_data: Path) -> None:
    # On one engine only: the articles are compared in Python, and the other tests compare on both.
    wire = Wire(fresh_sqlite)
    publisher = wire.as_publisher()
    sent: list[dict[str, Any]] = []
    with wire.database.begin() as connection, publish_transaction(connection, now()) as transaction:
        named = find_publisher(connection, "reuters")
        assert named is not None
        for article in real_articles(shared_data, 1000):
            try:
                draft: Any = load_sent(article, named)
            except Problem:
                # What the wire refuses was never stored.
                continue
            content = {**draft.content, "body_html": f"<p>{len(sent)}</p>", "language": "iw", "images": []}
            content["headline"] += " &amp; older"
            prepared = prepare_article(replace(draft, content=content), named)
            transaction.create(named, prepared)
            sent.append(article)
    assert len(sent) >= 1000
    head = publisher.get("/v1/wire").get_json()["head"]
    for start in range(0, len(sent), 500):
        results = publisher.post("/v1/articles/batch", json=sent[start : start + 500]).get_json()["results"]
        assert {(result["status"], result["version"]) for result in results} == {(200, 1)}
    assert publisher.get("/v1/wire").get_json()["head"] == head
    wire.close()


@pytest.mark.parametrize("name", ["ninjs", "markdown"])
def test_documents_in_other_formats_that_are_sent_again_make_no_version(wire: Wire, name: str) -> None:
    publisher = wire.as_publisher()
    if name == "ninjs":
        body = {"uri": "s1", "type": "text", "headline": "A &amp; B", "body_html": "<p>Old.</p>", "ednote": "Mind."}
        content: Any = read_ninjs(body)
        settings: dict[str, Any] = {"json": body}
    else:
        text = "---\nexternal_id: s1\n---\n# A &amp; B\n\n![Quay (Photo: Bo)](/q.jpg)\n\nBy Ann Lee\n\nOld.\n"
        content = parse_markdown(text.encode())
        settings = {"data": text, "content_type": "text/markdown"}
    store_as_before(wire, content, **OLDER)
    again = publisher.put(ADDRESS, **settings)
    assert (again.status_code, again.get_json()["version"]) == (200, 1), again.text
    assert again.get_json()["body_html"] == "<p>OLDER</p>"
