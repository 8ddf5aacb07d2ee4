"""The table of an article's fields (`newswire.article.FIELDS`) and the schemas say the same; what follows from it."""

from collections.abc import Iterable
from typing import Any

import pytest
from marshmallow import Schema, fields

from newswire.api.schemas.responses import FullArticle, ImageOut, RenditionOut, Tombstone
from newswire.article import COMPARED_FIELDS, FIELDS, SENDABLE, SERVED_FIELDS, Field
from newswire.formats.feeds.json_feed import EXTENSION
from newswire.schemas.article import ArticleSchema
from tests.support.wire import Caller, Wire

TABLE = {field.name: field for field in FIELDS}
ADDED = {"seq", "status", "links"}


def schema_of(field: Any) -> Schema | None:
    """The schema of the object, or of each object in the list, that a field holds."""
    inner = field.inner if isinstance(field, fields.List) else field
    return inner.schema if isinstance(inner, fields.Nested) else None


def names_of(schema: Schema) -> set[str]:
    return {field.data_key or name for name, field in schema.fields.items()}


def test_what_may_be_sent_is_what_the_schema_loads() -> None:
    schema = ArticleSchema()
    assert {*SENDABLE[""]} == names_of(schema)
    for name, field in schema.fields.items():
        inner = schema_of(field)
        assert ({*SENDABLE[name]} if name in SENDABLE else None) == (inner and names_of(inner)), name


def test_what_is_served_is_what_the_schema_describes() -> None:
    assert {*SERVED_FIELDS} == names_of(FullArticle())
    assert {field.name for field in FIELDS if field.in_tombstone} == names_of(Tombstone()) - ADDED
    check_described(FullArticle(), [field for field in FIELDS if field.is_stored], ADDED)


def check_described(schema: Schema, table: Iterable[Field], without: Iterable[str] = ()) -> None:
    """A field may be null where its empty value is, and is a list where that is one; and so are its parts."""
    table = [*table]
    assert {field.name for field in table} == names_of(schema) - {*without}
    for field in table:
        described = next(each for name, each in schema.fields.items() if (each.data_key or name) == field.name)
        assert described.required != field.is_optional
        assert described.allow_none == (field.empty is None and not field.is_optional), field.name
        assert isinstance(described, fields.List) == isinstance(field.empty, list), field.name
        inner = schema_of(described)
        if inner is not None and field.parts:
            check_described(inner, [part for part in field.parts if part.is_stored])


def test_only_renditions_have_members_that_the_table_does_not_name() -> None:
    nested = {name for name, field in FullArticle().fields.items() if schema_of(field)} - ADDED
    assert nested == {field.name for field in FIELDS if field.parts}
    assert {name for name, field in ImageOut().fields.items() if schema_of(field)} == {"renditions"}
    assert isinstance(schema_of(ImageOut().fields["renditions"]), RenditionOut)


@pytest.fixture
def publisher(fresh_sqlite: str) -> Any:
    wire = Wire(fresh_sqlite)
    yield wire.as_publisher()
    wire.close()


def test_an_article_is_served_in_the_order_of_the_table(publisher: Caller) -> None:
    article = publisher.publish(
        body_text="x", subjects=[{"name": "a"}], places=[{"name": "b"}], authors=[{"name": "c"}],
        images=[{"url": "https://a.example/c.jpg"}], related=[{"id": "d", "relation": "e"}],
    )  # fmt: skip
    # The body is stored apart, so that lists need not read it.
    bodies = ["body_html", "body_text"]
    stored = [field.name for field in FIELDS if field.is_stored and field.name not in bodies]
    assert [*article] == [*stored, *bodies, "seq", "status", "links"]
    for field in FIELDS:
        if field.parts:
            value = article[field.name]
            [*members] = value[0] if isinstance(value, list) else value
            assert members == [
                part.name for part in field.parts if part.is_stored and (not part.is_optional or part.name in members)
            ]


def test_what_was_decided_by_hand_before_there_was_a_table() -> None:
    assert EXTENSION == (
        "version", "change", "publisher", "slugline", "byline", "dateline", "section", "subjects", "places", "urgency",
        "authors", "images", "copyright_notice", "usage_terms", "editor_note", "digest", "evolves_from",
        "related",
    )  # fmt: skip
    assert {*SERVED_FIELDS} - {*COMPARED_FIELDS} == {
        "id", "uri", "version", "change", "publisher", "created_at", "updated_at", "digest", "word_count", *ADDED,
    }  # fmt: skip


def test_markdown_keeps_its_order_of_fields(publisher: Caller) -> None:
    sent: dict[str, Any] = {
        "headline": "Cocoa", "external_id": "1", "url": "https://a.example/", "slugline": "COCOA", "summary": "s",
        "byline": "b", "dateline": "d", "language": "en", "section": "s", "keywords": ["k"], "urgency": 3,
        "authors": [{"name": "n", "role": "r", "bio": "b", "url": "https://a.example/n"}],
        "images": [{"url": "https://a.example/c.jpg", "role": "lead", "caption": "c", "alt_text": "a", "credit": "d",
                    "copyright_notice": "n", "width": 8, "height": 6, "mime_type": "image/jpeg"}],
        "published_at": "2026-11-22T09:30:00.000Z", "expires_at": "2199-01-01T00:00:00.000Z", "copyright_notice": "n",
        "usage_terms": "u", "editor_note": "e",
    }  # fmt: skip
    article = publisher.publish(**sent)
    lines = publisher.get(f"/v1/articles/{article['id']}.md").text.split("\n---\n")[0].splitlines()[2:]
    assert [line.partition(":")[0] for line in lines if line[0] not in " -"] == [*sent]
    pictures = lines[lines.index("images:") + 1 : next(n for n, line in enumerate(lines) if "published_at" in line)]
    assert [line[2:].partition(":")[0] for line in pictures] == [*sent["images"][0]]
