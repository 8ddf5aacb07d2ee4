"""What articles are served in: pages, the wire, batches, problems, and what is said about callers and health."""

from marshmallow import Schema, fields

from newswire.api.schemas.served import (
    FullArticle,
    ListedArticle,
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
from newswire.errors import CODES


class PageOut(Schema):
    limit = whole()
    has_more = fields.Boolean(required=True)
    next_cursor = maybe()


class PageLinks(Schema):
    self = link()
    next = link(nullable=True)


class Meta(Schema):
    head = whole(description="Sequence number of the newest entry of the wire at the time of the answer.")


class ArticleList(Schema):
    data = items(fields.Nested(ListedArticle))
    page = one(PageOut)
    links = one(PageLinks)
    meta = one(Meta)


class VersionList(Schema):
    data = items(fields.Nested(VersionOut))
    page = one(PageOut)
    links = one(PageLinks)


class EntryOut(Schema):
    seq = whole(minimum=1)
    type = kind("article.published", "article.updated", "article.corrected", "article.canceled", "article.expired",
                "article.removed")  # fmt: skip
    at = instant()
    article_id = string()
    version = whole(minimum=1)
    digest = string()
    chain = string()
    article = fields.Nested(FullArticle, required=True, allow_none=True)


class ChangesPage(Schema):
    has_more = fields.Boolean(required=True)
    next_after = whole(minimum=0)


class ChangesOut(Schema):
    data = items(fields.Nested(EntryOut))
    page = one(ChangesPage)
    head = whole(minimum=0)
    wire = string()


class FaultOut(Schema):
    pointer = fields.String(metadata={"description": "JSON pointer (RFC 6901) into the body."})
    parameter = fields.String()
    code = string()
    detail = string()
    did_you_mean = fields.String()


class ProblemOut(Schema):
    """RFC 9457."""

    type = link()
    title = string()
    status = whole()
    detail = string()
    instance = fields.String()
    code = kind(*CODES)
    errors = items(fields.Nested(FaultOut))
    request_id = fields.String(allow_none=True)


class BatchResult(Schema):
    index = whole(minimum=0)
    status = whole(description="The HTTP status this article would have got alone.")
    id = maybe()
    version = whole(nullable=True)
    problem = fields.Nested(ProblemOut, required=True, allow_none=True)


class BatchOut(Schema):
    results = items(fields.Nested(BatchResult))


class MeOut(Schema):
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


class ProblemKind(Schema):
    code = string()
    status = whole()
    title = string()
    type = link()


class ProblemKinds(Schema):
    data = items(fields.Nested(ProblemKind))


class Health(Schema):
    status = string()
