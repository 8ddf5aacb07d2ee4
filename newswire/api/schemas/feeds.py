"""Schemas of saved feeds: bodies that save or change one, parameters of its documents, and responses."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from marshmallow import ValidationError, fields, validate

from newswire.api.schemas.changes import ChangesParameters
from newswire.api.schemas.filters import ArticleParameters, FilterParameters, query_of
from newswire.api.schemas.parameters import Parameters, load_parameters, text_field
from newswire.api.schemas.responses import (
    Served,
    list_field,
    nullable_text_field,
    object_field,
    string_field,
    time_field,
    url_field,
)
from newswire.errors import Problem
from newswire.formats import LISTS
from newswire.schemas.article import Strict
from newswire.schemas.fields import COMMON, PATTERN, Reason, Text, check_characters, validation_error
from newswire.timestamps import now

FEED = "[a-z0-9][a-z0-9_-]{0,99}"
TITLE = 250
NARROWING = tuple(FilterParameters().fields)
SAVED = frozenset({*NARROWING, "sort"})
ARTICLES = ArticleParameters()


class SavedQuery(fields.Field[Any]):
    """A query as a query string (`section=world&q=cocoa`) or as an object; loaded as lists of values by parameter."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be a query such as section=world&q=cocoa, or an object of parameters."),
    }

    def __init__(self, **settings: Any) -> None:
        described = "Filters, `q` and `sort` as in an address, such as section=world&q=cocoa; or an object of them."
        forms = [{"type": "string"}, {"type": "object", "properties": {name: {} for name in sorted(SAVED)},
                                      "additionalProperties": False}]  # fmt: skip
        super().__init__(metadata={"description": described, "anyOf": forms}, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            found = self._parsed(check_characters(value).removeprefix("?"))
        elif isinstance(value, dict):
            found = {check_characters(name): values_as_sent(name, each) for name, each in value.items()}
        else:
            raise self.make_error("invalid")
        if faults := faults_of(found):
            raise ValidationError(faults)
        # Parameters that every address ignores, such as `utm_source`, pass the check and are not saved. Nor is
        # `strict`, in which every query is read that is saved.
        return {name: values for name, values in found.items() if name in SAVED and name != "strict"}

    def _parsed(self, query: str) -> dict[str, list[str]]:
        try:
            return parse_qs(query, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise validation_error("invalid_type", "Is not UTF-8 once it is unescaped.") from None


def values_as_sent(name: str, value: Any) -> list[str]:
    """The values of a parameter as a query string would have them; [] for a value that is not possible there.

    A comma in an item of an array is escaped, so that it does not separate two values.
    """
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int | str):
        return [str(value)]
    if name in ARTICLES.several and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [item.replace(",", "\\,") for item in value]
    return []


def faults_of(found: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The faults of a query that is to be saved, by parameter."""
    faults: dict[str, list[str]] = {}
    for name, values in found.items():
        if name == "collapse":
            faults[name] = [Reason("not_saved", "Is for GET /v1/articles alone: a feed holds every article.")]
        elif name in ARTICLES.names() and name not in SAVED:
            faults[name] = [Reason("not_saved", "Is given when the feed is read, not saved with it.")]
        elif not values:
            faults[name] = [Reason("invalid_type", "Must be a string, a number, or an array of strings.")]
    # Building the query finds the faults that no single parameter has, such as a syntax error in `q`.
    try:
        sent = {name: each for name, each in found.items() if name not in faults}
        query_of(load_parameters(ARTICLES, sent) | {"strict": "true"}, now())
    except Problem as problem:
        for fault in problem.errors:
            hint = f" Did you mean {fault.did_you_mean}?" if fault.did_you_mean else ""
            # The detail of the problem tells the place in `q` too.
            detail = problem.detail if fault.code == "invalid_query" else fault.detail
            faults.setdefault(fault.parameter or "", []).append(Reason(fault.code, detail + hint))
    return faults


def feed_name(**settings: Any) -> fields.String:
    reason = Reason("invalid_name", "Must have 1 to 100 small letters, digits, hyphens and underscores.")
    return fields.String(
        validate=validate.Regexp(f"{FEED}\\Z", error=reason), error_messages=Text.default_error_messages,
        metadata={"pattern": f"^{FEED}$"}, **settings,
    )  # fmt: skip


class FeedSchema(Strict):
    """The body that saves a query."""

    name = feed_name(required=True)
    title = Text(TITLE, metadata={"description": "How feed readers call it; default: made of the query."})
    query = SavedQuery(required=True)


class FeedPatchSchema(FeedSchema):
    """The body that changes a saved query: the members that it has are replaced."""

    name = feed_name()
    query = SavedQuery()


class FeedArticlesParameters(ArticleParameters):
    """The parameters of `GET /v1/feeds/{feed}/articles`: those of the list but for the saved ones."""

    class Meta(Parameters.Meta):
        exclude = (*NARROWING, "status", "sort", "collapse")


class FeedDocumentParameters(ArticleParameters):
    """The parameters of a saved feed as a document for feed readers, such as `/v1/feeds/{feed}.atom`."""

    class Meta(Parameters.Meta):
        exclude = (*FeedArticlesParameters.Meta.exclude, "fields_", "include", "count", "facets", "highlight")

    token = text_field("The token of the feed, for readers that cannot send headers.", 100, pattern=PATTERN)


class FeedChangesParameters(ChangesParameters):
    """The parameters of `GET /v1/feeds/{feed}/changes`: those of the wire but for the filters."""

    class Meta(Parameters.Meta):
        exclude = NARROWING


FeedLinks = Served.from_dict(
    {name: url_field() for name in ("self", "articles", "changes", *(each.suffix for each in LISTS))}, name="FeedLinks"
)


class FeedOut(Served):
    name = string_field(pattern=f"^{FEED}$")
    title = nullable_text_field()
    query = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    has_token = fields.Boolean(required=True)
    created_at = time_field()
    updated_at = time_field()
    links = object_field(FeedLinks)


class NewFeedOut(FeedOut):
    """A new feed. Only this response has its token, of which a hash is stored."""

    token = string_field()


class FeedList(Served):
    data = list_field(fields.Nested(FeedOut))


class TokenOut(Served):
    token = string_field()


def query_document(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """A saved query as served: the values of each parameter as one string."""
    return {name: ",".join(values) for name, values in query.items()}
