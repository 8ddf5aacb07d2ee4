"""The article as sent: one schema that reports every fault at once, and the way from it to a `Draft`."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from newswire.article import SENDABLE, Draft, Publisher
from newswire.errors import Fault, Problem, closest_name
from newswire.publishing.draft import draft
from newswire.publishing.merge_patch import BODIES
from newswire.schemas.documents import BASE, Address, PlainBody, html_body, markdown_body
from newswire.schemas.fields import COMMON, Instant, Language, Reason, Refused, Several, Text, Whole, faults


class Strict(Schema):
    """Knows its fields and refuses all others."""

    error_messages = {  # noqa: RUF012 (marshmallow's own declaration)
        "type": Reason("invalid_type", "Must be an object."),
        "unknown": Reason("unknown_field", "There is no such field."),
    }

    class Meta:
        unknown = RAISE


def one_of(*values: str, **settings: Any) -> fields.String:
    error = Reason("invalid_choice", f"Must be one of: {', '.join(values)}.")
    return fields.String(
        allow_none=not settings.get("required", False), validate=validate.OneOf(values, error=error),
        error_messages=Text.default_error_messages, **settings,
    )  # fmt: skip


def nested(schema: type[Schema], **settings: Any) -> fields.Nested:
    return fields.Nested(
        schema, error_messages=COMMON | {"type": Reason("invalid_type", "Must be an object.")}, **settings
    )


class ChangeSchema(Strict):
    """Why a new version is sent."""

    type = one_of("update", "correction")
    note = Text(5000, lines=True)

    @validates_schema
    def a_correction_says_what_was_wrong(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("type") == "correction" and not data.get("note"):
            raise ValidationError({"note": [Reason("required", "A correction must say in its note what was wrong.")]})


class SubjectSchema(Strict):
    """A concept of a controlled vocabulary, such as IPTC Media Topics."""

    code = Text(250)
    name = Text(250)
    scheme = Text(250)


class PlaceSchema(Strict):
    """Where it happened."""

    name = Text(250, required=True)
    country = Text(250)


class AuthorSchema(Strict):
    """Who wrote it."""

    name = Text(250, required=True)
    role = Text(250)
    bio = Text(5000, lines=True)
    url = Address()
    avatar_url = Address()
    organization = Text(250)


class ImageSchema(Strict):
    """A picture by its address, with the words that belong to it."""

    url = Address(required=True)
    image_id = Refused("Pictures cannot be uploaded to this wire; send the picture's url.")
    role = one_of("lead", "inline", "gallery")
    caption = Text(20_000, lines=True)
    alt_text = Text(2000, lines=True)
    credit = Text(500)
    copyright_notice = Text(2000, lines=True)
    width = Whole(1, 1_000_000)
    height = Whole(1, 1_000_000)
    mime_type = Text(100)


class ArticleSchema(Strict):
    """An article as a publisher sends it. Only the headline is required: a flash has no body."""

    headline = Text(500, required=True)
    external_id = Text(250)
    source_version = Whole(0)
    url = Address()
    slugline = Text(250)
    summary = Text(5000, lines=True)
    body_html = html_body()
    body_text = PlainBody()
    body_markdown = markdown_body()
    byline = Text(500)
    dateline = Text(300)
    language = Language()
    section = Text(200)
    keywords = Several(Text(200, required=True), 200)
    subjects = Several(nested(SubjectSchema), 200)
    places = Several(nested(PlaceSchema), 200)
    urgency = Whole(1, 9)
    authors = Several(nested(AuthorSchema), 100)
    images = Several(nested(ImageSchema), 200)
    published_at = Instant(metadata={"example": "2026-11-22T09:30:00Z"})
    embargoed_until = Instant(metadata={"example": "2026-11-22T12:00:00Z"})
    expires_at = Instant(metadata={"example": "2036-11-22T00:00:00Z"})
    copyright_notice = Text(2000, lines=True)
    usage_terms = Text(5000, lines=True)
    editor_note = Text(5000, lines=True)
    change = nested(ChangeSchema, allow_none=True)

    @validates_schema(skip_on_field_errors=False)
    def there_is_one_body(self, data: dict[str, Any], **kwargs: Any) -> None:
        named = [name for name in sorted(BODIES) if data.get(name)]
        if len(named) > 1:
            raise ValidationError(
                {name: [Reason("several_bodies", f"Only one of {' and '.join(named)} can be sent.")] for name in named}
            )

    @validates_schema
    def it_does_not_expire_under_its_embargo(self, data: dict[str, Any], **kwargs: Any) -> None:
        expires, embargo = data.get("expires_at"), data.get("embargoed_until")
        if expires is not None and embargo is not None and expires < embargo:
            raise ValidationError({"expires_at": [Reason("out_of_range", "Must not lie before embargoed_until.")]})


class ArticlePatchSchema(ArticleSchema):
    """Parts of an article, for a merge-patch; null removes a field. It describes, it does not load."""


# A body has room for a million unknown fields; nobody reads on, and hints are the slow part.
MOST_FAULTS, MOST_HINTS, LONGEST_NAME = 500, 20, 50
SCHEMA = ArticleSchema()


def load_draft(data: Any, publisher: Publisher) -> Draft:
    """The draft that `data` (parsed JSON, as sent) asks for; raises one `Problem` with all faults."""
    if not isinstance(data, dict):
        raise Problem("validation_failed", "The article must be a JSON object.",
                      [Fault("invalid_type", "Must be an object.", pointer="")])  # fmt: skip
    token = BASE.set(base_of(data, publisher))
    try:
        loaded = SCHEMA.load(data)
    except ValidationError as error:
        found = list(islice(faults(error.messages), MOST_FAULTS))
        found[:MOST_HINTS] = map(suggested, found[:MOST_HINTS])
        raise Problem("validation_failed", described(found), found) from None
    finally:
        BASE.reset(token)
    return draft(loaded, data, publisher)


def base_of(data: Mapping[str, Any], publisher: Publisher) -> str | None:
    """What relative addresses are relative to: the article's own url, else the publisher's."""
    if data.get("url") is None:
        return publisher.url
    token = BASE.set(publisher.url)
    try:
        own: str | None = SCHEMA.fields["url"].deserialize(data["url"])
        return own or publisher.url
    except ValidationError:
        return publisher.url
    finally:
        BASE.reset(token)


def suggested(fault: Fault) -> Fault:
    """An unknown field gets the known one that it resembles."""
    if fault.code != "unknown_field" or fault.pointer is None or len(fault.pointer) > LONGEST_NAME:
        return fault
    steps = fault.pointer.split("/")
    siblings = SENDABLE.get(steps[1] if len(steps) > 2 else "", ())
    return replace(fault, did_you_mean=closest_name(steps[-1], siblings))


def described(found: list[Fault]) -> str:
    first = found[0]
    where = (first.pointer or "")[:200] or "the body"
    number = f"at least {len(found) - 1}" if len(found) == MOST_FAULTS else len(found) - 1
    more = f" (and {number} more)" if len(found) > 1 else ""
    return f"{where}: {first.detail}{more}"
