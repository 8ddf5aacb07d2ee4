"""Plain fields are plain text behind every door that takes an article, and filters know their plain value."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from marshmallow import Schema, fields
from sqlalchemy import bindparam, select, text, update

from newswire.article import Publisher
from newswire.errors import Problem
from newswire.publishing.plain_fields import OF_LINES, PLAIN_FIELDS, PLAIN_PARTS, REQUIRED
from newswire.schemas.article import ArticleSchema, load_draft
from newswire.schemas.fields import PlainField, Text
from newswire.search.rebuild import rebuild_index
from newswire.store.tables import version
from newswire.visibility import Filter, terms_of
from tests.support.cases import case
from tests.support.wire import Caller, Wire

SITE = Publisher(1, "site", "Site", "https://site.example/", "en")
ESCAPED, PLAIN = "<em>Arts</em> &amp; Culture", "Arts & Culture"
SENT: dict[str, Any] = {
    **dict.fromkeys(("headline", "slugline", "summary", "byline", "dateline", "section", "editor_note"), ESCAPED),
    "keywords": [ESCAPED], "subjects": [{"name": ESCAPED}], "places": [{"name": ESCAPED}],
    "authors": [{"name": ESCAPED}], "change": {"type": "correction", "note": ESCAPED},
    "images": [{"url": "a.jpg", "caption": ESCAPED, "alt_text": ESCAPED, "credit": ESCAPED}],
}  # fmt: skip
POINTERS = {
    *(f"/{name}" for name in ("headline", "slugline", "summary", "byline", "dateline", "section", "editor_note")),
    "/keywords/0", "/subjects/0/name", "/places/0/name", "/authors/0/name", "/change/note",
    "/images/0/caption", "/images/0/alt_text", "/images/0/credit",
}  # fmt: skip
UNTOUCHED: dict[str, Any] = {
    "external_id": ESCAPED, "body_text": ESCAPED, "copyright_notice": ESCAPED, "usage_terms": ESCAPED,
    "subjects": [{"code": ESCAPED, "scheme": ESCAPED}], "places": [{"name": "x", "country": ESCAPED}],
    "authors": [{"name": "x", "role": ESCAPED, "bio": ESCAPED, "organization": ESCAPED}],
    "images": [{"url": "https://e.example/?a&amp;b", "copyright_notice": ESCAPED}],
}  # fmt: skip


def tried(publisher: Caller, article: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The article as a dry run answers it."""
    response = publisher.post("/v1/articles?dry_run=true", json=article, **settings)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_in(inner)


def test_every_plain_field_is_plain_and_one_warning_each_says_so(shared_publisher: Caller) -> None:
    answer = tried(shared_publisher, SENT)
    warnings = answer.pop("warnings")
    assert sorted(each["pointer"] for each in warnings) == sorted(POINTERS)
    assert {each["code"] for each in warnings} == {"plain_text"}
    assert warnings[0] == {
        "pointer": "/headline", "code": "plain_text",
        "detail": "This field is plain text: decoded &amp;, removed <em>, </em>.",
    }  # fmt: skip
    found = [*texts_in(answer)]
    # The note of a correction is that of a first version here.
    assert found.count(PLAIN) == len(POINTERS)
    assert not any(ESCAPED in each for each in found)


def test_other_fields_stay_as_they_were_sent(shared_publisher: Caller) -> None:
    answer = tried(shared_publisher, {"headline": "x", **UNTOUCHED})
    assert "warnings" not in answer
    found = [*texts_in(answer)]
    assert found.count(ESCAPED) == len([*texts_in(UNTOUCHED)]) - 3
    assert answer["images"][0]["url"] == "https://e.example/?a&amp;b"


def test_what_was_served_can_be_sent_back(shared_publisher: Caller) -> None:
    for headline in (
        "Why &lt;script&gt; tags matter",
        "&amp;lt; and &lt;b&gt;x&lt;/b&gt;",
        "R&amp;D",
        "<p>A</p> &lt;p>",
    ):
        with case(headline):
            first = tried(shared_publisher, {"headline": headline, "summary": headline})
            again = tried(shared_publisher, {"headline": first["headline"], "summary": first["summary"]})
            assert (again["headline"], again["summary"]) == (first["headline"], first["summary"])
            assert "warnings" not in again


def test_the_article_as_sent_is_kept_as_it_was_sent() -> None:
    draft = load_draft(SENT, SITE)
    assert draft.source == {name: value for name, value in SENT.items() if name != "change"}
    assert SENT["keywords"] == [ESCAPED]
    assert SENT["images"][0]["caption"] == ESCAPED


def test_the_schema_and_the_cleaning_name_the_same_fields() -> None:
    schema = ArticleSchema()
    assert {*PLAIN_FIELDS} == {name for name, field in schema.fields.items() if isinstance(field, PlainField)}
    plain = {name: parts_of(inner_schema(field)) for name, field in schema.fields.items() if inner_schema(field)}
    # Links name other articles, and are served as they were sent.
    assert plain.pop("related") == set()
    assert {name: set(parts) for name, parts in PLAIN_PARTS.items()} | {"change": {"note"}} == plain
    assert isinstance(schema.fields["keywords"].inner, PlainField)  # type: ignore[attr-defined]
    every = [*schema.fields.items(), *(each for field in schema.fields.values() for each in nested_fields(field))]
    assert {name for name, field in every if isinstance(field, PlainField) and field.lines} == OF_LINES
    required: set[tuple[str, ...]] = {("keywords",)}
    required |= {(name,) for name in PLAIN_FIELDS if schema.fields[name].required}
    for name, parts in PLAIN_PARTS.items():
        nested = dict(nested_fields(schema.fields[name]))
        required |= {(name, part) for part in parts if nested[part].required}
    assert required == REQUIRED


def inner_schema(field: Any) -> Schema | None:
    inner = field.inner if isinstance(field, fields.List) else field
    return inner.schema if isinstance(inner, fields.Nested) else None


def nested_fields(field: Any) -> list[tuple[str, Any]]:
    schema = inner_schema(field)
    return [] if schema is None else [*schema.fields.items()]


def parts_of(schema: Schema | None) -> set[str]:
    return {name for name, field in (schema.fields if schema else {}).items() if isinstance(field, PlainField)}


@pytest.mark.parametrize(("article", "pointer"), [
    ({"headline": "<p>&nbsp;</p>"}, "/headline"),
    ({"headline": "x", "keywords": ["a", "<br>"]}, "/keywords/1"),
    ({"headline": "x", "authors": [{"name": "a"}, {"name": "&nbsp;"}]}, "/authors/1/name"),
    ({"headline": "x", "places": [{"name": "<b></b>"}]}, "/places/0/name"),
    ({"headline": "x", "change": {"type": "correction", "note": "<p></p>"}}, "/change/note"),
])  # fmt: skip
def test_markup_alone_is_no_text(article: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        load_draft({**article, "urgency": 10}, SITE)
    found = [(fault.pointer, fault.code) for fault in refused.value.errors]
    assert sorted(found) == sorted([(pointer, "required"), ("/urgency", "out_of_range")])
    optional = load_draft({"headline": "x", "summary": "<p></p>", "change": {"note": "<br>"}}, SITE)
    assert (optional.content["summary"], optional.change_note) == (None, None)


def test_a_limit_counts_the_plain_text() -> None:
    headline = "&#8217;" * 250 + "<b>" + "x" * 250 + "</b>"
    assert load_draft({"headline": headline}, SITE).content["headline"] == "’" * 250 + "x" * 250
    for too_long in (f"{headline}x", "x" * 501, "<b></b>" * 5_000):
        with pytest.raises(Problem) as refused:
            load_draft({"headline": too_long}, SITE)
        assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [("/headline", "too_long")]


def test_warnings_are_bounded_in_number_and_length() -> None:
    draft = load_draft({"headline": "x", "keywords": [f"<b class='{'x' * 800}'>{n}</b>" for n in range(200)]}, SITE)
    assert len(draft.warnings) == 20
    assert draft.warnings[-1]["detail"] == "Markup was taken from this field and 180 more."
    assert max(len(each["detail"]) for each in draft.warnings) < 200


def test_ninjs_and_markdown_and_front_matter_are_read_alike(shared_publisher: Caller) -> None:
    ninjs = {"uri": "urn:x:1", "type": "text", "headlines": [{"role": "main", "value": "Tom &amp; Ann"}],
             "by": "<b>Tom</b>", "associations": {"a": {"type": "picture", "byline": "A &amp; B", "renditions": {
                 "x": {"href": "https://e.example/1.jpg"}}}}}  # fmt: skip
    answer = tried(shared_publisher, ninjs)
    assert (answer["headline"], answer["byline"], answer["images"][0]["credit"]) == ("Tom & Ann", "Tom", "A & B")
    found = {each["pointer"] for each in answer["warnings"] if each["code"] == "plain_text"}
    assert found == {"/headlines/0/value", "/by", "/associations/a"}
    document = "---\nsection: Arts &amp; Culture\n---\nA headline\n\nText."
    response = shared_publisher.post("/v1/articles?dry_run=true", data=document, content_type="text/markdown")
    assert response.get_json()["section"] == PLAIN
    assert response.get_json()["warnings"][0]["pointer"] == "/section"


def test_a_patch_works_on_what_was_sent_and_stays_plain(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish("Tom &amp; Ann", section=ESCAPED)
    response = publisher.patch(f"/v1/articles/{article['id']}", json={"summary": "A &lt; B"}, headers={"If-Match": "*"})
    changed = response.get_json()
    assert (changed["headline"], changed["section"], changed["summary"]) == ("Tom & Ann", PLAIN, "A < B")
    assert changed["change"]["fields"] == ["summary"]


def test_filters_entitlements_facets_and_names_know_the_plain_value(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish("One", section="Arts &amp; Culture", keywords=["R&amp;D"], authors=[{"name": "Tom O&#8217;Neil"}])
    publisher.publish("Two", section="Arts & Culture", keywords=["R&D"], authors=[{"name": "Tom O’Neil"}])
    everybody = wire.as_partner("everybody")
    for query in ("section=Arts+%26+Culture", "section=Arts+%26amp%3B+Culture", "keyword=R%26D", "author=Tom+O’Neil"):
        with case(query):
            assert everybody.listed(query) == ["Two", "One"]
    for section in ("Arts & Culture", "Arts &amp; Culture"):
        with case(section):
            partner = wire.as_partner(f"partner-{len(section)}", section=[section])
            assert partner.listed() == ["Two", "One"]
            assert [entry["type"] for entry in partner.changes()] == ["article.published"] * 2
    facets = everybody.get("/v1/articles?facets=section,keyword,author").get_json()["meta"]["facets"]
    assert [(each["value"], each["count"]["value"]) for each in facets["section"]] == [(PLAIN, 2)]
    assert [(each["value"], each["count"]["value"]) for each in facets["keyword"]] == [("R&D", 2)]
    assert [(each["name"], each["count"]["value"]) for each in facets["author"]] == [("Tom O’Neil", 2)]
    names = everybody.get("/v1/sections").get_json()["data"]
    assert [(each["name"], each["count"]["value"]) for each in names] == [(PLAIN, 2)]


def store_escaped(wire: Wire, section: str) -> None:
    """Makes the stored versions those of a release that did not clean them, with an index row of that release."""
    with wire.database.begin() as connection:
        for row in connection.execute(select(version.c.number, version.c.rendered, version.c.terms)).all():
            rendered = row.rendered.replace(orjson.dumps(PLAIN), orjson.dumps(section))
            terms = row.terms.replace("section_arts_20_26_20culture", "section_arts_20_26amp_3b_20culture")
            assert terms != row.terms
            change = (
                update(version).where(version.c.number == bindparam("which")).values(rendered=rendered, terms=terms)
            )
            connection.execute(change, {"which": row.number})
        table = "search_place" if wire.is_sqlite else "search_document"
        connection.execute(text(f"UPDATE {table} SET index_version = '0/0'"))


def test_a_rebuild_indexes_the_plain_section_of_stored_articles_and_changes_no_bytes(wire: Wire) -> None:
    wire.as_publisher().publish("One", section=PLAIN)
    store_escaped(wire, "Arts &amp; Culture")
    assert [*rebuild_index(wire.database)]
    partner = wire.as_partner("arts", section=[PLAIN])
    assert partner.listed("section=Arts+%26+Culture") == ["One"]
    assert [entry["type"] for entry in partner.changes()] == ["article.published"]
    facets = partner.get("/v1/articles?facets=section").get_json()["meta"]["facets"]
    assert [each["value"] for each in facets["section"]] == [PLAIN]
    assert partner.get("/v1/articles").get_json()["data"][0]["section"] == "Arts &amp; Culture"
    assert [each["name"] for each in partner.get("/v1/sections").get_json()["data"]] == [PLAIN]


@pytest.mark.parametrize("spelled", [PLAIN, "Arts &amp; Culture"])
def test_filters_and_entitlements_by_the_name_of_a_subject_know_both_spellings(wire: Wire, spelled: str) -> None:
    publisher = wire.as_publisher()
    publisher.publish("Arts", subjects=[{"name": "Arts &amp; Culture"}])
    publisher.publish("Ports", subjects=[{"name": "Ports"}])
    entitled = wire.as_partner(subject=[spelled])
    assert entitled.listed() == ["Arts"]
    assert len(entitled.changes()) == 1
    everybody = wire.as_partner("everybody")
    assert everybody.listed(urlencode({"subject": spelled})) == ["Arts"]
    assert everybody.listed(urlencode({"not_subject": spelled})) == ["Ports"]
    stored_by_an_older_release = terms_of("site", {"subjects": [{"code": None, "name": "Arts &amp; Culture"}]})
    assert Filter.of({"subject": [spelled]}).matches(stored_by_an_older_release)


HOSTILE = "Why <script>alert(1)</script> & <img src=x onerror=alert(2)> matter"


@pytest.mark.parametrize("escaped", [False, True])
def test_markup_in_plain_text_is_escaped_at_every_door(wire: Wire, escaped: bool) -> None:
    sent = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") if escaped else HOSTILE
    images = [{"url": "https://e.example/a.jpg", "caption": sent, "credit": sent}]
    publisher = wire.as_publisher()
    article = publisher.publish(sent, summary=sent, section=sent, byline=sent, keywords=[sent], images=images)
    assert {article[name] for name in ("headline", "summary", "section", "byline")} == {HOSTILE}
    reader = wire.as_partner()
    address = f"/v1/articles/{article['id']}"
    for path in (f"{address}.html", "/v1/articles.rss", "/v1/articles.atom"):
        with case(path):
            served = reader.get(path).text
            assert "<script>alert" not in served
            assert "<img src=x" not in served
    assert reader.get(f"{address}.ninjs").get_json()["headlines"][0]["value"] == HOSTILE
    feed = json.loads(reader.get("/v1/articles.json").text)
    assert feed["items"][0]["title"] == HOSTILE
    document = reader.get(f"{address}.md").data
    again = (
        wire.as_publisher().post("/v1/articles?dry_run=true", data=document, content_type="text/markdown").get_json()
    )
    assert {again[name] for name in ("headline", "summary", "section", "byline")} == {HOSTILE}


def test_only_plain_fields_count_without_their_markup() -> None:
    assert not isinstance(ArticleSchema().fields["copyright_notice"], PlainField)
    assert isinstance(ArticleSchema().fields["copyright_notice"], Text)
    with pytest.raises(Problem):
        load_draft({"headline": "x", "copyright_notice": "&amp;" * 401}, SITE)
