"""Compiled loading accepts what marshmallow accepts, with the same values, and nothing else."""

import copy
import gzip
import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validates, validates_schema

from newswire.schemas.article import (
    LOAD_FAULTLESS,
    SCHEMA,
    ArticleSchema,
    AuthorSchema,
    ChangeSchema,
    ImageSchema,
    PlaceSchema,
    RelatedSchema,
    Strict,
    SubjectSchema,
    check_fields,
)
from newswire.schemas.compiled import compile_schema
from newswire.schemas.fields import Several

SCHEMAS = (ArticleSchema, ChangeSchema, SubjectSchema, PlaceSchema, AuthorSchema, ImageSchema, RelatedSchema)
WHOLE = {
    "headline": " Ferry  sails &amp; returns ", "external_id": 17, "source_version": 3.0, "url": "/ferry",
    "slugline": "FERRY", "summary": "One.\r\nTwo.", "body_html": "<p>Text.</p>", "byline": "By Ann", "dateline": "OSLO",
    "language": "en_us", "section": "World", "keywords": ["sea", " ferry "], "urgency": 4,
    "subjects": [{"code": "04000000", "name": "economy", "scheme": "medtop"}],
    "places": [{"name": "Oslo", "country": "NO"}],
    "authors": [{"name": "Ann", "role": "Editor", "bio": "", "url": "/ann", "avatar_url": None, "organization": "X"}],
    "images": [{"url": "/a.jpg", "image_id": "", "role": "lead", "caption": "A", "alt_text": "B", "credit": "C",
                "copyright_notice": "D", "width": 3, "height": 4.0, "mime_type": "image/jpeg"}],
    "published_at": "2026-11-22T09:30Z", "embargoed_until": None, "expires_at": "2027-01-01T00:00:00+01:00",
    "copyright_notice": "c", "usage_terms": "u", "editor_note": "e", "evolves_from": "urn:x:1",
    "related": [{"external_id": 3, "relation": "sidebar"}, {"uri": "urn:x:2"}, {"id": "y"}],
    "change": {"type": "correction", "note": "It was Oslo."},
}  # fmt: skip
SAMPLES: tuple[Any, ...] = (
    " ", "a\x00", "x" * 251, "x" * 5001, "&lt;b&gt;" * 100, 2**53, 1.5, "2026-11-22", "2026-11-22T09:30:00Z", "en-GB",
    "not a language", ["sea"], ["sea", None], [""], [{}], [{"name": "Oslo"}], [{"name": "Oslo", "odd": 1}],
    {"type": "update"}, {"type": "correction"}, {"note": 3}, [{"id": "a", "uri": "urn:b:c"}], ["k"] * 201,
    [{"name": "Ann"}] * 101, [{"url": "/a"}] * 201, [[{"name": "Oslo"}]], "lead",
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 10), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.sampled_from(SAMPLES),
).map(copy.deepcopy)  # fmt: skip


@cache
def real_articles(folder: Path) -> list[dict[str, Any]]:
    """The first articles of each file, if the real material is there, and the bodies of the cases of arrival."""
    found = [WHOLE]
    for path in sorted((folder / "articles").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += map(json.loads, islice(lines, 3))
    with (folder / "cases" / "arrival.jsonl").open(encoding="utf-8") as cases:
        sent = [step.get("json") for case in cases for step in json.loads(case)["steps"]]
    return [*found, *(body for body in sent if isinstance(body, dict))]


def containers(value: Any) -> Iterator[Any]:
    """The objects and arrays in a JSON value, itself included."""
    if isinstance(value, dict | list):
        yield value
        for item in list(value.values() if isinstance(value, dict) else value):
            yield from containers(item)


def mutate(article: dict[str, Any], data: st.DataObject) -> None:
    """Replaces, removes or adds a member of the article or of a value in it."""
    holder = data.draw(st.sampled_from([article, *containers(article)]))
    keys = [*holder] if isinstance(holder, dict) else [*range(len(holder))]
    if isinstance(holder, dict) and (not keys or data.draw(st.booleans())):
        name = data.draw(st.sampled_from([*SCHEMA.fields, "name", "note", "role", "odd", "change.note", ""]))
        holder[name] = data.draw(VALUES)
    elif keys:
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()):
            holder[key] = data.draw(VALUES)
        else:
            del holder[key]


def load_by(load: Any, article: Any) -> str:
    """What a function loads, with types and order; of what it refuses only that."""
    try:
        return repr(load(article))
    except ValidationError:
        return "refused"


def assert_alike(article: Any) -> None:
    expected = load_by(SCHEMA.load, copy.deepcopy(article))
    assert load_by(LOAD_FAULTLESS, copy.deepcopy(article)) == expected
    loaded, faults = check_fields(copy.deepcopy(article))
    assert (repr(loaded) == expected) is not bool(faults)


@settings(max_examples=250)
@given(st.data())
def test_a_changed_article_loads_as_marshmallow_loads_it(data: st.DataObject) -> None:
    article = copy.deepcopy(WHOLE)
    for _ in range(data.draw(st.integers(0, 3))):
        mutate(article, data)
    assert_alike(article)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_real_article_loads_as_marshmallow_loads_it(shared_data: Path, data: st.DataObject) -> None:
    article = copy.deepcopy(data.draw(st.sampled_from(real_articles(shared_data))))
    for _ in range(data.draw(st.integers(0, 3))):
        mutate(article, data)
    assert_alike(article)


def test_real_articles_load_as_marshmallow_loads_them(shared_data: Path) -> None:
    for article in real_articles(shared_data):
        assert_alike(article)


@pytest.mark.parametrize("name", SCHEMA.fields)
def test_each_field_takes_and_refuses_what_marshmallow_does(name: str) -> None:
    assert name in WHOLE or name.startswith("body_")
    for value in (WHOLE.get(name, "Text."), None, "", 1, True, [], {}, "x" * 20_001, [None], [1], *SAMPLES):
        assert_alike({"headline": "Ferry", name: value})
        assert_alike({name: value})


@pytest.mark.parametrize("schema", SCHEMAS)
def test_all_objects_of_an_article_are_compiled(schema: type[Schema]) -> None:
    # A schema that uses more of marshmallow would still load, but at marshmallow's own pace.
    made = schema()
    assert compile_schema(made) != made.load


class Named(Strict):
    name = fields.String(required=True)
    section = fields.String()


class Renamed(Named):
    section = fields.String(data_key="desk")


class Stored(Named):
    section = fields.String(attribute="desk")


class Filled(Named):
    section = fields.String(load_default="World")


class Shown(Named):
    section = fields.String(dump_only=True)


class Constant(Named):
    section = fields.Constant("World")  # type: ignore[assignment]


class Lenient(Named):
    class Meta:
        unknown = EXCLUDE


class Prepared(Named):
    @pre_load
    def prepare(self, data: Any, **kwargs: Any) -> Any:
        return {**data, "section": "World"}


class Made(Named):
    @post_load
    def make(self, data: Any, **kwargs: Any) -> Any:
        return tuple(data)


class Looked(Named):
    @validates("section")
    def look(self, value: Any, data_key: str) -> None:
        raise ValidationError("never")


class Original(Named):
    @validates_schema(pass_original=True)
    def look(self, data: Any, original: Any, **kwargs: Any) -> None:
        if "section" in original:
            raise ValidationError("never")


class Walking(Named):
    def load(self, data: Any, **kwargs: Any) -> Any:
        return "loaded"


@pytest.mark.parametrize(
    "schema", [Renamed, Stored, Filled, Shown, Constant, Lenient, Prepared, Made, Looked, Original, Walking]
)
def test_a_schema_that_uses_more_of_marshmallow_is_left_to_it(schema: type[Schema]) -> None:
    made = schema()
    for article in (
        {"headline": "Ferry"},
        {"headline": "Ferry", "section": "World"},
        {"headline": "Ferry", "desk": "X"},
    ):
        assert load_by(compile_schema(made), article) == load_by(made.load, article)
    assert compile_schema(made) == made.load


def never(value: Any) -> None:
    raise ValidationError("never")


class Checked(Strict):
    """Nested objects with a validator, and a list whose field changes what it loads."""

    place = fields.Nested(PlaceSchema, validate=never)
    places = Several(fields.Nested(PlaceSchema, post_load=[lambda value: "changed"]), 2)
    ways = fields.Nested(PlaceSchema, many=True)


def test_a_validator_of_a_nested_field_is_called() -> None:
    made = Checked()
    for value in ({"name": "Oslo"}, [{"name": "Oslo"}], [{"name": "Oslo"}] * 3, None, []):
        for name in made.fields:
            assert load_by(compile_schema(made), {name: value}) == load_by(made.load, {name: value})
