"""Schemas of articles as served. They document stored bytes in OpenAPI; nothing is serialised with them."""

from collections.abc import Container
from copy import copy
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from newswire.article import Status


def string_field(*, nullable: bool = False, **metadata: Any) -> fields.String:
    return fields.String(required=True, allow_none=nullable, metadata=metadata)


def nullable_text_field(**metadata: Any) -> fields.String:
    return string_field(nullable=True, **metadata)


def time_field(*, nullable: bool = False) -> fields.String:
    return string_field(nullable=nullable, format="date-time")


def url_field(*, nullable: bool = False) -> fields.String:
    return string_field(nullable=nullable, format="uri")


def integer_field(*, nullable: bool = False, **metadata: Any) -> fields.Integer:
    return fields.Integer(required=True, allow_none=nullable, metadata=metadata)


def list_field(of: Any, **settings: Any) -> fields.List[Any]:
    return fields.List(of, required=True, **settings)


def object_field(schema: type[Schema], **settings: Any) -> fields.Nested:
    return fields.Nested(schema, required=True, **settings)


def enum_field(*values: str) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(values))


class Served(Schema):
    """A schema that ignores unknown fields, so that fields can be added without breaking clients."""

    class Meta:
        unknown = EXCLUDE


class PublisherOut(Served):
    slug = string_field()
    name = string_field()
    url = url_field(nullable=True)


class ChangeOut(Served):
    type = enum_field("new", "update", "correction", "kill")
    note = nullable_text_field()
    fields_ = list_field(
        fields.String(), data_key="fields", metadata={"description": "What differs from the version before."}
    )


class SubjectOut(Served):
    code = nullable_text_field()
    name = nullable_text_field()
    scheme = nullable_text_field()


class PlaceOut(Served):
    name = string_field()
    country = nullable_text_field()


class AuthorOut(Served):
    id = string_field()
    name = string_field()
    role = nullable_text_field()
    bio = nullable_text_field()
    url = url_field(nullable=True)
    avatar_url = url_field(nullable=True)
    organization = nullable_text_field()


class RelatedLinkOut(Served):
    """A link as it was sent, with the one id that names the other story."""

    external_id = fields.String(metadata={"description": "The publisher's own id of the other story."})
    id = fields.String(metadata={"description": "The id of the other story."})
    uri = fields.String(metadata={"description": "The URI of the other story."})
    relation = fields.String(metadata={"description": "In the publisher's words, such as background."})


class RenditionOut(Served):
    name = string_field()
    url = url_field()
    mime_type = nullable_text_field()
    width = integer_field(nullable=True)
    height = integer_field(nullable=True)
    size_bytes = integer_field(nullable=True)


class ImageOut(Served):
    id = string_field()
    role = enum_field("lead", "inline", "gallery")
    url = url_field()
    caption = nullable_text_field()
    alt_text = nullable_text_field()
    credit = nullable_text_field()
    copyright_notice = nullable_text_field()
    mime_type = nullable_text_field()
    width = integer_field(nullable=True)
    height = integer_field(nullable=True)
    renditions = list_field(fields.Nested(RenditionOut))


class ArticleLinks(Served):
    self = url_field()
    versions = url_field()


class Identity(Served):
    """The fields that an article and its tombstone share."""

    id = string_field()
    uri = string_field(format="uri", description="A name of the article that no host owns: urn:uuid:…")
    external_id = nullable_text_field()
    version = integer_field(minimum=1)
    publisher = object_field(PublisherOut)
    seq = integer_field(
        nullable=True, description="Number of its newest entry in the log; null while none tells of it."
    )
    status = enum_field(*Status)
    change = object_field(ChangeOut)
    published_at = time_field()
    updated_at = time_field()
    digest = string_field(pattern="^[0-9a-f]{64}$", description="SHA-256 over the canonical form (RFC 8785).")
    links = object_field(ArticleLinks)


class FullArticle(Identity):
    """An article with its bodies."""

    headline = string_field()
    slugline = nullable_text_field()
    summary = nullable_text_field()
    body_html = nullable_text_field()
    body_text = nullable_text_field()
    word_count = integer_field(minimum=0)
    byline = nullable_text_field()
    dateline = nullable_text_field()
    language = string_field()
    section = nullable_text_field()
    keywords = list_field(fields.String())
    subjects = list_field(fields.Nested(SubjectOut))
    places = list_field(fields.Nested(PlaceOut))
    urgency = integer_field(nullable=True, minimum=1, maximum=9)
    authors = list_field(fields.Nested(AuthorOut))
    images = list_field(fields.Nested(ImageOut))
    url = url_field(nullable=True)
    copyright_notice = nullable_text_field()
    usage_terms = nullable_text_field()
    editor_note = nullable_text_field()
    evolves_from = nullable_text_field(description="The story that this one continues, as its publisher names it.")
    related = list_field(fields.Nested(RelatedLinkOut))
    created_at = time_field()
    embargoed_until = time_field(nullable=True)
    expires_at = time_field(nullable=True)


class WarningOut(Served):
    """What was removed from the article, or changed in it."""

    pointer = string_field(description="Where: a JSON pointer (RFC 6901) into what was sent.")
    code = string_field()
    detail = string_field()


class StoredArticle(FullArticle):
    """The answer to a publisher: the article, and what was removed from it."""

    warnings = fields.List(fields.Nested(WarningOut))


class Tombstone(Identity):
    """A killed article: its identity, without content."""


class HighlightsOut(Served):
    """The passages that match `q`, in HTML whose only element is `<mark>`."""

    headline = list_field(fields.String(), metadata={"description": "The whole headline, where it matches."})
    body = list_field(
        fields.String(), metadata={"description": "Up to three fragments of the body around what matches."}
    )


def sparse_article(name: str, required: Container[str], **others: fields.Field[Any]) -> type[Schema]:
    """A schema of articles in which only the fields in `required` are sure to be there."""
    found = dict(others)
    for each, field in FullArticle._declared_fields.items():
        found[each] = copy(field)
        found[each].required = each in required
    return Served.from_dict(dict(found), name=name)


class CountOut(Served):
    value = integer_field(minimum=0)
    relation = enum_field("eq", "gte")


class DuplicateOut(Served):
    """A near-duplicate of an article in a list."""

    id = string_field()
    publisher = object_field(PublisherOut)
    headline = string_field()
    published_at = time_field()


# An article in a list; its bodies come with `include=body`, and with `fields` only those and the id.
ListedArticle = sparse_article(
    "ListedArticle", {"id"},
    highlights=fields.Nested(HighlightsOut, metadata={"description": "With `highlight=true`."}),
    duplicates=fields.List(fields.Nested(DuplicateOut), metadata={
        "description": "With `collapse=story`: the first 20 near-duplicates of it in this list, in its order."}),
    duplicate_count=fields.Nested(CountOut, metadata={"description": "With `collapse=story`: how many there are."}),
)  # fmt: skip
# The answer to ninjs, which can be a kill.
StoredOrKilled = sparse_article("StoredOrKilled", Identity._declared_fields,
                        warnings=fields.List(fields.Nested(WarningOut)))  # fmt: skip
# One version: an article as it was, or its tombstone.
VersionOut = sparse_article("VersionOut", Identity._declared_fields)
