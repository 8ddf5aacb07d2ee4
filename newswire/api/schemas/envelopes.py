"""Schemas of responses around articles: pages, the wire, batches, problems, the caller, and health."""

from typing import Any

from marshmallow import Schema, fields

from newswire.api.schemas.responses import (
    ChangeOut,
    CountOut,
    ListedArticle,
    Served,
    VersionOut,
    enum_field,
    integer_field,
    list_field,
    nullable_text_field,
    object_field,
    string_field,
    time_field,
    url_field,
)
from newswire.article import EntryType, Status
from newswire.errors import CODES
from newswire.reading.related import Relation


class PageOut(Served):
    limit = integer_field()
    has_more = fields.Boolean(required=True)
    next_cursor = nullable_text_field()


class PageLinks(Served):
    self = url_field()
    next = url_field(nullable=True)


class FacetValue(Served):
    value = string_field(description="As the filter of this name takes it; of an author the id.")
    count = object_field(CountOut)
    name = fields.String(metadata={"description": "Of an author, and of a subject."})


class Facets(Served):
    """The most frequent values, 20 of each kind at most, of the newest 10,000 matches."""

    publisher = fields.List(fields.Nested(FacetValue))
    section = fields.List(fields.Nested(FacetValue))
    language = fields.List(fields.Nested(FacetValue))
    keyword = fields.List(fields.Nested(FacetValue))
    subject = fields.List(fields.Nested(FacetValue))
    author = fields.List(fields.Nested(FacetValue))


class SuggestionOut(Served):
    q = string_field(description="`q` with other words in the place of mistyped ones.")
    count = object_field(
        CountOut, metadata={"description": "Articles that it finds with the other parameters, exact to 1,000."}
    )


def texts_field(description: str) -> fields.List[str]:
    return fields.List(fields.String(), required=True, metadata={"description": description})


class QueryOut(Served):
    """How `q` was understood."""

    words = texts_field("Each in any of its inflections.")
    phrases = texts_field("Words in this order, as they are.")
    near = texts_field("Words near each other, with their distance, as in `q`.")
    prefixes = texts_field("Beginnings of words.")
    fields_ = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), required=True, data_key="fields",
        metadata={"description": "What is looked for in one field only, by its name, as in `q`."},
    )  # fmt: skip
    excluded = texts_field("What must not occur, as in `q`.")
    left_out = texts_field("Punctuation and other text without a letter or digit, 20 at most.")
    synonyms = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), required=True,
        metadata={"description": "What the operator's dictionary has added, by the word or phrase of `q`."},
    )  # fmt: skip
    unknown_fields = texts_field("Names before a colon that are no fields; they are part of what is looked for.")


class MoreOut(Served):
    """What the same query finds with `match=most`, counted to 1,000, and the address of that list."""

    count = object_field(CountOut)
    link = url_field()


class Meta(Served):
    head = integer_field(description="Sequence number of the newest entry of the wire at the time of the answer.")
    count = fields.Nested(CountOut, metadata={"description": "All articles of the list, with `count=true`."})
    facets = fields.Nested(Facets, metadata={"description": "With `facets`."})
    did_you_mean = fields.List(
        fields.Nested(SuggestionOut),
        metadata={"description": "Corrections of `q`, 3 at most, that find more; on a first page, if there are any."},
    )
    query = fields.Nested(QueryOut, metadata={"description": "With `q`, on the first page only."})
    more = fields.Nested(MoreOut, metadata={"description": "On a first page that `q` does not fill."})


def page_of(name: str, item: type[Schema], **members: fields.Field[Any]) -> type[Schema]:
    """The schema, called `name`, of one page of a list: `data` of the schema `item`, `page`, `links`, other members."""
    envelope = {
        "data": list_field(fields.Nested(item)),
        "page": object_field(PageOut),
        "links": object_field(PageLinks),
    }
    return Served.from_dict(envelope | members, name=name)


ArticleList = page_of("ArticleList", ListedArticle, meta=object_field(Meta))
VersionList = page_of("VersionList", VersionOut)


class RelatedLinks(Served):
    self = url_field()


class RelatedMeta(Served):
    head = integer_field(description="Sequence number of the newest entry of the wire at the time of the answer.")


class RelatedStoryOut(Served):
    """A story around an article; one that was killed has no article."""

    relation = enum_field(*Relation)
    id = string_field()
    status = enum_field(*Status)
    article = fields.Nested(ListedArticle, required=True, allow_none=True)


class RelatedList(Served):
    data = list_field(fields.Nested(RelatedStoryOut))
    links = object_field(RelatedLinks)
    meta = object_field(RelatedMeta)


class EntryOut(Served):
    seq = integer_field(minimum=1)
    type = enum_field(*EntryType)
    at = time_field()
    article_id = string_field()
    version = integer_field(minimum=1)
    digest = string_field()
    chain = string_field()
    article = fields.Nested(VersionOut, required=True, allow_none=True)
    change = fields.Nested(ChangeOut, metadata={"description": "Of a kill only: its reason, for everyone who is told."})


class ChangesPage(Served):
    has_more = fields.Boolean(required=True)
    next_after = integer_field(minimum=0)
    next_chain = string_field(
        pattern="^[0-9a-f]{64}$",
        description="The chain value of entry `next_after`, 64 zeros for 0: send it back as `chain` beside `after`.",
    )


class ChangesOut(Served):
    data = list_field(fields.Nested(EntryOut))
    page = object_field(ChangesPage)
    head = integer_field(minimum=0)
    wire = string_field()


class FaultOut(Served):
    pointer = fields.String(metadata={"description": "JSON pointer (RFC 6901) into the body."})
    parameter = fields.String()
    code = string_field()
    detail = string_field()
    did_you_mean = fields.String()


class ProblemOut(Served):
    """RFC 9457."""

    type = string_field(format="uri-reference")
    title = string_field()
    status = integer_field()
    detail = string_field()
    instance = fields.String()
    code = enum_field(*CODES)
    errors = list_field(fields.Nested(FaultOut))
    request_id = fields.String(allow_none=True)
    article_id = fields.String(metadata={"description": "The article that stands in the way."})
    head = fields.Integer(metadata={"description": "Where the wire stands, for `cursor_ahead`."})
    seq = fields.Integer(metadata={"description": "The number of your position, for `wire_forked`."})
    chain = fields.String(
        allow_none=True,
        metadata={"description": "The wire's own chain value at that number, if known, for `wire_forked`."},
    )
    position = fields.Integer(metadata={"description": "Index of the character in `q`, for `invalid_query`."})


class BatchResult(Served):
    index = integer_field(minimum=0)
    status = integer_field(description="The HTTP status this article would have got alone.")
    id = nullable_text_field()
    version = integer_field(nullable=True)
    problem = fields.Nested(ProblemOut, required=True, allow_none=True)


class BatchOut(Served):
    results = list_field(fields.Nested(BatchResult))


class QuotaOut(Served):
    requests = integer_field()
    seconds = integer_field()


class MeOut(Served):
    kind = enum_field("publisher", "partner", "admin", "public")
    slug = nullable_text_field()
    name = nullable_text_field()
    scopes = list_field(fields.String())
    label = nullable_text_field()
    expires_at = time_field(nullable=True)
    limits = fields.Dict(
        keys=fields.String(), values=fields.Nested(QuotaOut), required=True,
        metadata={"description": "Most requests in a window of seconds, by scope; {} is no limit."},
    )  # fmt: skip
    entitlement = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), required=True,
        metadata={"description": "What a partner may see, e.g. {\"section\": [\"world\"]}; {} is everything."},
    )  # fmt: skip


class ProblemKind(Served):
    code = string_field()
    status = integer_field()
    title = string_field()
    type = url_field()


class ProblemKinds(Served):
    data = list_field(fields.Nested(ProblemKind))


class IndexOut(Served):
    name = string_field()
    version = string_field()
    public_read = fields.Boolean(required=True, metadata={"description": "Whether everyone may read without a key."})
    links = fields.Dict(
        keys=fields.String(), values=url_field(), required=True,
        metadata={"description": "The main addresses, by what is there."},
    )  # fmt: skip


class Health(Served):
    status = string_field()


class Readiness(Health):
    warning = nullable_text_field(description="What limits this wire: an old search index, entries that were lost.")
