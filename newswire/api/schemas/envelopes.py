"""What articles are served in: pages, the wire, batches, problems, and what is said about callers and health."""

from typing import Any

from marshmallow import Schema, fields

from newswire.api.schemas.responses import (
    ChangeOut,
    ListedArticle,
    Served,
    VersionOut,
    instant,
    items,
    kind,
    link,
    maybe,
    one,
    string,
    whole,
)
from newswire.article import EntryType
from newswire.errors import CODES


class PageOut(Served):
    limit = whole()
    has_more = fields.Boolean(required=True)
    next_cursor = maybe()


class PageLinks(Served):
    self = link()
    next = link(nullable=True)


class CountOut(Served):
    value = whole(minimum=0)
    relation = kind("eq", "gte")


class FacetValue(Served):
    value = string(description="As the filter of this name takes it; of an author the id.")
    count = one(CountOut)
    name = fields.String(metadata={"description": "Of an author."})


class Facets(Served):
    """The most frequent values, 20 of each kind at most, of the newest 10,000 matches."""

    publisher = fields.List(fields.Nested(FacetValue))
    section = fields.List(fields.Nested(FacetValue))
    language = fields.List(fields.Nested(FacetValue))
    keyword = fields.List(fields.Nested(FacetValue))
    author = fields.List(fields.Nested(FacetValue))


class Meta(Served):
    head = whole(description="Sequence number of the newest entry of the wire at the time of the answer.")
    count = fields.Nested(CountOut, metadata={"description": "All articles of the list, with `count=true`."})
    facets = fields.Nested(Facets, metadata={"description": "With `facets`."})


def page_of(name: str, item: type[Schema], **members: fields.Field[Any]) -> type[Schema]:
    """The schema, called `name`, of one page of a list of `item`: its items, where it stands, and links."""
    envelope = {"data": items(fields.Nested(item)), "page": one(PageOut), "links": one(PageLinks)}
    return Served.from_dict(envelope | members, name=name)


ArticleList = page_of("ArticleList", ListedArticle, meta=one(Meta))
VersionList = page_of("VersionList", VersionOut)


class EntryOut(Served):
    seq = whole(minimum=1)
    type = kind(*EntryType)
    at = instant()
    article_id = string()
    version = whole(minimum=1)
    digest = string()
    chain = string()
    article = fields.Nested(VersionOut, required=True, allow_none=True)
    change = fields.Nested(ChangeOut, metadata={"description": "Of a kill only: its reason, for everyone who is told."})


class ChangesPage(Served):
    has_more = fields.Boolean(required=True)
    next_after = whole(minimum=0)


class ChangesOut(Served):
    data = items(fields.Nested(EntryOut))
    page = one(ChangesPage)
    head = whole(minimum=0)
    wire = string()


class FaultOut(Served):
    pointer = fields.String(metadata={"description": "JSON pointer (RFC 6901) into the body."})
    parameter = fields.String()
    code = string()
    detail = string()
    did_you_mean = fields.String()


class ProblemOut(Served):
    """RFC 9457."""

    type = string(format="uri-reference")
    title = string()
    status = whole()
    detail = string()
    instance = fields.String()
    code = kind(*CODES)
    errors = items(fields.Nested(FaultOut))
    request_id = fields.String(allow_none=True)
    article_id = fields.String(metadata={"description": "The article that stands in the way."})
    head = fields.Integer(metadata={"description": "Where the wire stands, for `cursor_ahead`."})
    position = fields.Integer(metadata={"description": "Index of the character in `q`, for `invalid_query`."})


class BatchResult(Served):
    index = whole(minimum=0)
    status = whole(description="The HTTP status this article would have got alone.")
    id = maybe()
    version = whole(nullable=True)
    problem = fields.Nested(ProblemOut, required=True, allow_none=True)


class BatchOut(Served):
    results = items(fields.Nested(BatchResult))


class MeOut(Served):
    kind = kind("publisher", "partner", "admin", "public")
    slug = maybe()
    name = maybe()
    scopes = items(fields.String())
    label = maybe()
    expires_at = instant(nullable=True)
    entitlement = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), required=True,
        metadata={"description": "What a partner may see, e.g. {\"section\": [\"world\"]}; {} is everything."},
    )  # fmt: skip


class ProblemKind(Served):
    code = string()
    status = whole()
    title = string()
    type = link()


class ProblemKinds(Served):
    data = items(fields.Nested(ProblemKind))


class Health(Served):
    status = string()


class Readiness(Health):
    warning = maybe(description="What limits this wire: its search index has to be rebuilt.")
