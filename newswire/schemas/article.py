"""The schema of an article as sent, and its loading: from parsed JSON or ninjs to a `Draft`.

A refusal names all faults of a document at once, those that the schema finds and URLs that cannot be resolved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from newswire.article import ArticleWarning, Draft, Publisher
from newswire.errors import Fault, Problem
from newswire.formats.ninjs.read import Ninjs, is_ninjs, read_ninjs
from newswire.publishing.draft import BODIES, Kill, clean_fields, make_draft
from newswire.publishing.plain_fields import clean_plain_fields
from newswire.schemas.compiled import compile_schema
from newswire.schemas.fields import (
    COMMON,
    FILLED_PATTERN,
    LONGEST_URL,
    TIME_DESCRIPTION,
    ExternalIdField,
    Instant,
    Language,
    MarkupBody,
    PlainBody,
    PlainField,
    Reason,
    RefusedField,
    Several,
    Text,
    Uri,
    Url,
    Whole,
    list_faults,
)
from newswire.schemas.foreign_documents import refuse_foreign_document
from newswire.schemas.hints import with_hint


class Strict(Schema):
    """A schema that refuses unknown fields."""

    error_messages = {  # noqa: RUF012 (marshmallow's own declaration)
        "type": Reason("invalid_type", "Must be an object."),
        "unknown": Reason("unknown_field", "There is no such field."),
    }

    class Meta:
        unknown = RAISE


def choice_field(*values: str, **settings: Any) -> fields.String:
    error = Reason("invalid_choice", f"Must be one of: {', '.join(values)}.")
    return fields.String(
        allow_none=not settings.get("required", False), validate=validate.OneOf(values, error=error),
        error_messages=Text.default_error_messages, **settings,
    )  # fmt: skip


def nested_field(schema: type[Schema], **settings: Any) -> fields.Nested:
    return fields.Nested(
        schema, error_messages=COMMON | {"type": Reason("invalid_type", "Must be an object.")}, **settings
    )


DATE_DESCRIPTION = (
    f"{TIME_DESCRIPTION} Absent: the time of the first reception. One that is more than 24 hours after its reception is"
    " served as sent, and lists have the article at its reception."
)


EVOLVES_FROM = (
    "The story that this one continues, as an article of its own: your own id of it, the id that the wire gave it, or"
    " its URI."
)


class ChangeSchema(Strict):
    """Why a new version is sent."""

    type = choice_field("update", "correction")
    note = PlainField(5000, lines=True)

    @validates_schema
    def a_correction_says_what_was_wrong(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("type") == "correction" and not data.get("note"):
            raise ValidationError({"note": [Reason("required", "A correction must say in its note what was wrong.")]})


class SubjectSchema(Strict):
    """A concept of a controlled vocabulary, such as IPTC Media Topics."""

    code = Text(250)
    name = PlainField(250)
    scheme = Text(250)


class PlaceSchema(Strict):
    """Where it happened."""

    name = PlainField(250, required=True)
    country = Text(250)


class AuthorSchema(Strict):
    """Who wrote it."""

    name = PlainField(250, required=True)
    role = Text(250)
    bio = Text(5000, lines=True)
    url = Url()
    avatar_url = Url()
    organization = Text(250)


class ImageSchema(Strict):
    """A picture by its address, with the words that belong to it."""

    url = Url(required=True)
    image_id = RefusedField("Pictures cannot be uploaded to this wire; send the picture's url.")
    role = choice_field("lead", "inline", "gallery")
    caption = PlainField(20_000, lines=True)
    alt_text = PlainField(2000, lines=True)
    credit = PlainField(500)
    copyright_notice = Text(2000, lines=True)
    width = Whole(1, 1_000_000)
    height = Whole(1, 1_000_000)
    mime_type = Text(100)


LINK_IDS = ("external_id", "id", "uri")


class RelatedSchema(Strict):
    """Another story that belongs to this one, named in one of three ways, and what it is to this one."""

    external_id = ExternalIdField("Your own id of the other story.")
    id = Text(250, metadata={"description": "The id that the wire gave the other story."})
    uri = Uri()
    relation = Text(250, metadata={"description": "In your own words, such as background or sidebar."})

    @validates_schema
    def one_id_names_the_story(self, data: dict[str, Any], **kwargs: Any) -> None:
        named = [name for name in LINK_IDS if data.get(name)]
        if not named:
            raise ValidationError([Reason("no_id", f"One of {', '.join(LINK_IDS)} must name the other story.")])
        if len(named) > 1:
            raise ValidationError([Reason("several_ids", f"Only one of {' and '.join(named)} can name a story.")])


class ArticleSchema(Strict):
    """An article as a publisher sends it. Only the headline is required: a flash has no body."""

    headline = PlainField(500, required=True)
    external_id = ExternalIdField()
    source_version = Whole(0)
    url = Url()
    slugline = PlainField(250)
    summary = PlainField(5000, lines=True)
    body_html = MarkupBody()
    body_text = PlainBody()
    body_markdown = MarkupBody()
    byline = PlainField(500)
    dateline = PlainField(300)
    language = Language()
    section = PlainField(200)
    keywords = Several(PlainField(200, required=True), 200)
    subjects = Several(nested_field(SubjectSchema), 200)
    places = Several(nested_field(PlaceSchema), 200)
    urgency = Whole(1, 9)
    authors = Several(nested_field(AuthorSchema), 100)
    images = Several(nested_field(ImageSchema), 200)
    published_at = Instant(metadata={"description": DATE_DESCRIPTION})
    embargoed_until = Instant()
    expires_at = Instant()
    copyright_notice = Text(2000, lines=True)
    usage_terms = Text(5000, lines=True)
    editor_note = PlainField(5000, lines=True)
    evolves_from = ExternalIdField(EVOLVES_FROM, LONGEST_URL)
    related = Several(nested_field(RelatedSchema), 100)
    change = nested_field(ChangeSchema, allow_none=True)


class ArticlePatchSchema(ArticleSchema):
    """Parts of an article, for a merge-patch; null removes a field. It describes, it does not load."""


# A body has room for a million unknown fields. Nobody reads that many faults, and the search for similar names is slow.
MOST_FAULTS, MOST_HINTS = 500, 20
SCHEMA = ArticleSchema()
LOAD_FAULTLESS = compile_schema(SCHEMA)
NAMES: Mapping[str, tuple[str, ...]] = {
    "": tuple(SCHEMA.fields),
    **{name: tuple(schema().fields) for name, schema in {
        "change": ChangeSchema, "subjects": SubjectSchema, "places": PlaceSchema, "authors": AuthorSchema,
        "images": ImageSchema, "related": RelatedSchema,
    }.items()},
}  # fmt: skip
"""The names of the fields of an article and of the objects in it, in the order of their faults."""

NEWLY_READ = frozenset({"evolves_from", "related"})
"""Fields that earlier releases did not read from ninjs: by them alone a document that is sent again is no other one."""

# For the OpenAPI document, which leaves the details to the IPTC's schemas.
NINJS = {
    "type": "object",
    "description": "ninjs 1.0 to 3.1 (https://iptc.org/standards/ninjs/), or as a Superdesk sends it, with `guid`.",
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "minLength": 1, "maxLength": 250, "pattern": FILLED_PATTERN}},
}


def load_sent(content: Any, publisher: Publisher, *, named: bool = False) -> Draft | Kill:
    """Loads the draft, or the kill, from `content`: parsed JSON as it was sent, or ninjs that was read already.

    With `named` the URL of the request names the article, and the `uri` of a ninjs document is ignored. Raises one
    `Problem` with all faults.
    """
    if is_ninjs(content):
        content = read_ninjs(content)
    if isinstance(content, Ninjs):
        return load_ninjs(content, publisher, named=named)
    refuse_foreign_document(content)
    return load_draft(content, publisher)


def load_draft(data: Any, publisher: Publisher) -> Draft:
    """Loads a draft from `data`, parsed JSON of our own form; raises one `Problem` with all faults."""
    if not isinstance(data, dict):
        several = "; several are sent to /v1/articles/batch" if isinstance(data, list) else ""
        raise Problem("validation_failed", f"The article must be a JSON object{several}.",
                      [Fault("invalid_type", "Must be an object.", pointer="")])  # fmt: skip
    loaded, found = check_fields(data)
    # Even if fields were refused, the valid ones are cleaned, so that all faults are reported at once.
    warnings, blank = clean_plain_fields(loaded)
    cleaned, unresolved, warnings_of_urls = clean_fields(loaded, publisher.url)
    if blank or unresolved:
        found = sorted([*found, *blank, *unresolved], key=schema_position)
    found = [*found, *list_contradictions(cleaned, valid=not found)][:MOST_FAULTS]
    if found:
        found[:MOST_HINTS] = [with_hint(fault, data, NAMES) for fault in found[:MOST_HINTS]]
        raise Problem("validation_failed", describe_faults(found), found)
    return make_draft(cleaned, source_document(data, cleaned), publisher, [*warnings, *warnings_of_urls])


def source_document(data: Mapping[str, Any], loaded: Mapping[str, Any]) -> Mapping[str, Any]:
    """The article as sent; a number as an id is replaced by its digits, as it may be too long for orjson."""
    numbers = [name for name in ("external_id", "evolves_from") if isinstance(data.get(name), int | float)]
    if any(isinstance(item.get("external_id"), int | float) for item in data.get("related") or ()):
        items = zip(data["related"], loaded["related"], strict=True)
        data = {**data, "related": [sent | {"external_id": item["external_id"]} if "external_id" in sent else sent
                                    for sent, item in items]}  # fmt: skip
    return {**data, **{name: loaded[name] for name in numbers}} if numbers else data


def check_fields(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The valid fields of an article, each checked by itself, and the faults of the others."""
    try:
        return LOAD_FAULTLESS(data), []
    except ValidationError:
        # Nearly all articles have no fault. The others are loaded again, by marshmallow, which finds all of them.
        pass
    unknown = [*islice((name for name in data if name not in SCHEMA.fields), MOST_FAULTS)]
    if len(unknown) == MOST_FAULTS:
        # marshmallow makes a message for each of them, which takes 200 bytes.
        data = {name: data[name] for name in data if name in SCHEMA.fields} | {name: data[name] for name in unknown}
    try:
        return SCHEMA.load(data), []
    except ValidationError as error:
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return valid, list(islice(list_faults(error.messages), MOST_FAULTS))


def list_contradictions(loaded: Mapping[str, Any], *, valid: bool) -> Iterator[Fault]:
    """The faults of fields that contradict each other; times are compared only if all fields are `valid`."""
    expires, embargo = loaded.get("expires_at"), loaded.get("embargoed_until")
    if valid and expires is not None and embargo is not None and expires < embargo:
        yield Fault("out_of_range", "Must not lie before embargoed_until.", pointer="/expires_at")
    named = [name for name in sorted(BODIES) if loaded.get(name)]
    if len(named) > 1:
        for name in named:
            yield Fault("several_bodies", f"Only one of {' and '.join(named)} can be sent.", pointer=f"/{name}")


def schema_position(fault: Fault) -> tuple[int, ...]:
    """The sort key of a fault: the position of its field in the schema; unknown fields come last, as in marshmallow."""
    position = []
    steps = (fault.pointer or "").split("/")[1:]
    for depth, step in enumerate(steps):
        if depth == 1 and steps[0] != "change" and step.isdecimal():
            position.append(int(step))
        else:
            siblings = NAMES.get(steps[0] if depth else "", ())
            position.append(siblings.index(step) if step in siblings else len(siblings))
    return tuple(position)


def load_ninjs(read: Ninjs, publisher: Publisher, *, named: bool) -> Draft | Kill:
    """Loads a draft or a kill from ninjs; raises one `Problem` with all faults, which point into the document."""
    sent = {name: value for name, value in read.article.items() if not (named and name == "external_id")}
    if read.canceled:
        # A kill needs the id and the reason only: faults in the rest must not stop it.
        sent = {"headline": "-"} | {name: sent[name] for name in ("external_id", "editor_note") if name in sent}
    found = list(read.faults)
    if not named and not str(sent.get("external_id") or "").strip():
        found.append(Fault("required", "A ninjs document must have a uri, or a guid as a Superdesk sends it.", "/uri"))
    try:
        draft = load_draft(sent, publisher)
    except Problem as problem:
        found += [
            replace(each, pointer=pointer_in_document(each.pointer or "", read.pointers)) for each in problem.errors
        ]
    if found:
        raise Problem("validation_failed", describe_faults(found), found)
    if read.canceled:
        return Kill(draft.external_id, draft.content["editor_note"])
    placed = [
        ArticleWarning(
            pointer=pointer_in_document(each["pointer"], read.pointers), code=each["code"], detail=each["detail"]
        )
        for each in draft.warnings
    ]
    date_pointer = pointer_in_document(draft.date_pointer, read.pointers)
    return replace(draft, warnings=(*read.warnings, *placed), date_pointer=date_pointer, newly_read=NEWLY_READ)


def pointer_in_document(pointer: str, pointers: Mapping[str, str]) -> str:
    """The pointer into the ninjs document of the value, or else of its parent, that the article has at `pointer`."""
    while pointer and pointer not in pointers:
        pointer = pointer.rpartition("/")[0]
    return pointers.get(pointer, "")


def describe_faults(found: list[Fault]) -> str:
    """The first fault in a sentence, with the number of the others."""
    first = found[0]
    where = (first.pointer or "")[:200] or "the body"
    number = f"at least {len(found) - 1}" if len(found) == MOST_FAULTS else len(found) - 1
    more = f" (and {number} more)" if len(found) > 1 else ""
    return f"{where}: {first.detail}{more}"
