"""Articles as they are served: schemas that describe stored bytes for the OpenAPI document and dump nothing."""

from collections.abc import Container
from copy import copy
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from newswire.article import Status
from newswire.schemas.fields import PATTERN


def string(*, nullable: bool = False, **metadata: Any) -> fields.String:
    return fields.String(required=True, allow_none=nullable, metadata=metadata)


def maybe(**metadata: Any) -> fields.String:
    return string(nullable=True, pattern=PATTERN, **metadata)


def instant(*, nullable: bool = False) -> fields.String:
    return string(nullable=nullable, format="date-time")


def link(*, nullable: bool = False) -> fields.String:
    return string(nullable=nullable, format="uri")


def whole(*, nullable: bool = False, **metadata: Any) -> fields.Integer:
    return fields.Integer(required=True, allow_none=nullable, metadata=metadata)


def items(of: Any, **settings: Any) -> fields.List[Any]:
    return fields.List(of, required=True, **settings)


def one(schema: type[Schema], **settings: Any) -> fields.Nested:
    return fields.Nested(schema, required=True, **settings)


def kind(*values: str) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(values))


class Served(Schema):
    """Open: whoever reads passes over what he does not know, so that fields can be added."""

    class Meta:
        unknown = EXCLUDE


class PublisherOut(Served):
    slug = string()
    name = string()
    url = link(nullable=True)


class ChangeOut(Served):
    type = kind("new", "update", "correction", "kill")
    note = maybe()
    fields_ = items(
        fields.String(), data_key="fields", metadata={"description": "What differs from the version before."}
    )


class SubjectOut(Served):
    code = maybe()
    name = maybe()
    scheme = maybe()


class PlaceOut(Served):
    name = string()
    country = maybe()


class AuthorOut(Served):
    id = string()
    name = string()
    role = maybe()
    bio = maybe()
    url = link(nullable=True)
    avatar_url = link(nullable=True)
    organization = maybe()


class RenditionOut(Served):
    name = string()
    url = link()
    mime_type = maybe()
    width = whole(nullable=True)
    height = whole(nullable=True)
    size_bytes = whole(nullable=True)


class ImageOut(Served):
    id = string()
    role = kind("lead", "inline", "gallery")
    url = link()
    caption = maybe()
    alt_text = maybe()
    credit = maybe()
    copyright_notice = maybe()
    mime_type = maybe()
    width = whole(nullable=True)
    height = whole(nullable=True)
    renditions = items(fields.Nested(RenditionOut))


class ArticleLinks(Served):
    self = link()
    versions = link()


class Identity(Served):
    """What an article and its tombstone share."""

    id = string()
    uri = string(format="uri", description="A name of the article that no host owns: urn:uuid:…")
    external_id = maybe()
    version = whole(minimum=1)
    publisher = one(PublisherOut)
    seq = whole(nullable=True, description="Number of its newest entry in the log; null while none tells of it.")
    status = kind(*Status)
    change = one(ChangeOut)
    published_at = instant()
    updated_at = instant()
    digest = string(pattern="^[0-9a-f]{64}$", description="SHA-256 over the canonical form (RFC 8785).")
    links = one(ArticleLinks)


class FullArticle(Identity):
    """An article with its bodies."""

    headline = string()
    slugline = maybe()
    summary = maybe()
    body_html = maybe()
    body_text = maybe()
    word_count = whole(minimum=0)
    byline = maybe()
    dateline = maybe()
    language = string()
    section = maybe()
    keywords = items(fields.String())
    subjects = items(fields.Nested(SubjectOut))
    places = items(fields.Nested(PlaceOut))
    urgency = whole(nullable=True, minimum=1, maximum=9)
    authors = items(fields.Nested(AuthorOut))
    images = items(fields.Nested(ImageOut))
    url = link(nullable=True)
    copyright_notice = maybe()
    usage_terms = maybe()
    editor_note = maybe()
    created_at = instant()
    embargoed_until = instant(nullable=True)
    expires_at = instant(nullable=True)


class WarningOut(Served):
    code = string()
    detail = string()


class StoredArticle(FullArticle):
    """The answer to a publisher: the article, and what was removed from it."""

    warnings = fields.List(fields.Nested(WarningOut))


class Tombstone(Identity):
    """What remains of a killed article."""


class HighlightsOut(Served):
    """Where an article matches `q`: HTML that holds no element but `<mark>`."""

    headline = items(fields.String(), metadata={"description": "The whole headline, where it matches."})
    body = items(fields.String(), metadata={"description": "Up to three fragments of the body around what matches."})


def sparse(name: str, required: Container[str], **others: fields.Field[Any]) -> type[Schema]:
    """A schema of articles that have the required fields, and perhaps any other."""
    found = dict(others)
    for each, field in FullArticle._declared_fields.items():
        found[each] = copy(field)
        found[each].required = each in required
    return Served.from_dict(dict(found), name=name)


# An article in a list; its bodies come with `include=body`, and with `fields` only those and the id.
ListedArticle = sparse(
    "ListedArticle", {"id"},
    highlights=fields.Nested(HighlightsOut, metadata={"description": "With `highlight=true`."}),
)  # fmt: skip
# The answer to ninjs, which can be a kill.
StoredOrKilled = sparse("StoredOrKilled", Identity._declared_fields,
                        warnings=fields.List(fields.Nested(WarningOut)))  # fmt: skip
# One version: an article as it was, or its tombstone.
VersionOut = sparse("VersionOut", Identity._declared_fields)
