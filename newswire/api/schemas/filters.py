"""Parameters of lists and of publishing requests, and the conversion of loaded parameters to a `Query`.

The types of fields and the loader are in `parameters`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

from marshmallow import post_load

from newswire.api.schemas.parameters import Ago, Alternatives, Digits, Moment, Parameters, choice_field, text_field
from newswire.article import SERVED_FIELDS, Status
from newswire.errors import Fault, Problem, closest_name
from newswire.search.analysis import FIELDS
from newswire.search.expression import Expression
from newswire.search.price import check_price
from newswire.search.query import Query, Times
from newswire.search.query_summary import summarize_query
from newswire.search.relaxation import ALL, MATCHES, relax_expression
from newswire.search.synonyms import NO_SYNONYMS, Added, Expanded
from newswire.search.syntax import LONGEST_QUERY, ExpressionError, NothingSought, understand_query
from newswire.search.tokens import GRAMMAR
from newswire.visibility import FACETS, NOTHING, Filter

MINUTE = 60_000
FILTERS = ("publisher", "author", "section", "keyword", "subject", "place", "language", "external_id", "ids")
GRAMMAR_OF_FEED = " grammar"
"""The key among loaded parameters for the grammar of a saved `q`. No parameter has a blank in its name."""
RELEVANCE = "relevance"
TIER_READINGS = 1
"""What `match=most` and `any` search besides by relevance: the tiers of `newswire.reading.coverage`."""
SYNONYMS = " synonyms"
"""The key among loaded parameters for the operator's `Synonyms`. No parameter has a blank in its name."""
SORTS = ("-published_at", "published_at", "-updated_at", "updated_at", RELEVANCE)


class DryRunParameters(Parameters):
    dry_run = choice_field("`true` validates everything and stores nothing.", "true", "false", load_default="false")


class KillParameters(DryRunParameters):
    reason = text_field("Why the article must not be used any more; readers are told.", 5000)


class PageParameters(Parameters):
    """The parameters of a list without filters."""

    limit = Digits(1, 100, load_default=25, metadata={"description": "Items on a page."})
    cursor = text_field("Where the page begins: `next_cursor` of the page before.", 9, pattern="^[0-9]+$")


class RelatedParameters(Parameters):
    """The parameters of the stories around an article."""

    limit = Digits(1, 20, load_default=10, metadata={"description": "Stories at most."})


class FilterParameters(Parameters):
    """The filters, which lists and the wire share."""

    q = text_field('Words (all must occur), `"a phrase"`, `OR`, `-not`, `prefix*`, `title:word`, `"a b"~5`, groups.',
                   LONGEST_QUERY, 0)  # fmt: skip
    strict = choice_field("`true`: whatever of `q` is broken is refused, not read as punctuation.", "true", "false")
    search_in = Alternatives(f"Where `q` looks: {', '.join(FIELDS)}; default all.", FIELDS)
    match = choice_field("With `q`: `all` its words must occur (default), `most` of them, or `any` of them.", *MATCHES)
    published_from = Moment(description="The earliest time of publication, inclusive.")
    published_to = Moment(description="The latest time of publication, exclusive.")
    updated_from = Moment(description="The earliest time of the newest version, inclusive.")
    updated_to = Moment(description="The latest time of the newest version, exclusive.")
    publisher = Alternatives("Slugs of publishers.")
    author = Alternatives("Ids or names of authors.")
    section = Alternatives("Sections.")
    keyword = Alternatives("Keywords.")
    subject = Alternatives(
        "Codes or names of subjects; a Media Topic such as `medtop:15000000` with all narrower ones."
    )
    place = Alternatives("Names of places.")
    language = Alternatives("Language ranges (RFC 4647): `en` includes `en-GB`, `zh-Hant` includes `zh-Hant-TW`.")
    external_id = Alternatives("The publishers' own ids.")
    ids = Alternatives("Ids of articles.")
    not_publisher = Alternatives("Not of these publishers.")
    not_author = Alternatives("Not by these authors.")
    not_section = Alternatives("Not in these sections.")
    not_keyword = Alternatives("Without these keywords.")
    not_subject = Alternatives("Not on these subjects, nor on one that is narrower.")
    not_place = Alternatives("Not from these places.")
    not_language = Alternatives("Not in these language ranges.")
    not_external_id = Alternatives("Without these of the publishers' own ids.")
    not_ids = Alternatives("Without these articles.")
    urgency_max = Digits(1, 9, metadata={"description": "The least urgent that is shown; 1 is the most urgent."})
    has_image = choice_field("With (`true`) or without (`false`) pictures.", "true", "false")

    several: ClassVar[frozenset[str]] = frozenset({"search_in", *FILTERS, *(f"not_{name}" for name in FILTERS)})

    @post_load
    def drop_blank_query(self, parameters: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A search form without words sends `q=`, and asks for the list."""
        if not parameters.get("q", "q").strip():
            del parameters["q"]
        return parameters


class DocumentParameters(FilterParameters):
    """The parameters of a list as a document for feed readers, which has whole articles only."""

    status = choice_field("`withheld`: your own articles under embargo; a partner finds usable ones only.", "usable",
                    "withheld", load_default="usable")  # fmt: skip
    sort = choice_field("The order; `updated_at` not together with `q`, `relevance` only with it.", *SORTS,
                  load_default="-published_at")  # fmt: skip
    limit = Digits(1, 100, load_default=25, metadata={"description": "Articles on a page."})
    cursor = text_field("Where the page begins; follow the document's link to the next page.", 1000,
                  pattern="^[A-Za-z0-9_-]+$")  # fmt: skip


class ArticleParameters(DocumentParameters):
    """The parameters of `GET /v1/articles`."""

    status = choice_field("Your own articles in another state; a partner finds usable ones only.", *Status,
                    load_default=Status.USABLE.value)  # fmt: skip
    cursor = text_field("Where the page begins: `next_cursor` of the page before.", 1000, pattern="^[A-Za-z0-9_-]+$")
    fields_ = Alternatives("Only these fields of each article, and its `id`.", SERVED_FIELDS, data_key="fields")
    include = choice_field("`body` adds the bodies.", "body")
    count = choice_field("`true` adds `meta.count`, exact to 10,000.", "true", "false", load_default="false")
    facets = Alternatives(f"Adds `meta.facets`, how the newest 10,000 matches divide by: {', '.join(FACETS)}.", FACETS)
    highlight = choice_field("With `q`: `true` adds `highlights` to each article, where its words are marked.",
                       "true", "false", load_default="false")  # fmt: skip
    collapse = choice_field("`story` shows near-duplicates once: the first of the list, with the others in its "
                      "`duplicates`; `count` then counts stories.", "story")  # fmt: skip

    several: ClassVar[frozenset[str]] = FilterParameters.several | {"fields", "facets"}


def filter_query(parameters: Mapping[str, Any], now: int, readings: int = 0) -> Query:
    """The `Query` with the filters, times and `q` that lists and the wire share.

    Raises `invalid_query` with the position of a syntax error in `q`, and of what would cost too much where the index
    is searched as often as `readings`; `invalid_parameter` for another `match` than `all` without `q`.
    """
    match = parameters.get("match", ALL)
    if "q" not in parameters and match != ALL:
        raise invalid_parameter("match", "Says how much of q must occur: send it together with q.")
    sought = parse_search(parameters, match, readings)
    # A `q` without anything to look for, such as an emoji, finds nothing.
    finds_nothing = sought.expression is None and "q" in parameters
    return Query(
        text=parameters.get("q"),
        **sought._asdict(),
        match=match,
        filter=filter_of(parameters) & NOTHING if finds_nothing else filter_of(parameters),
        times=Times(*(resolve_moment(parameters.get(name), now) for name in Times._fields)),
    )


def query_of(parameters: Mapping[str, Any], now: int) -> Query:
    """The `Query` of a list, as `ArticleParameters` or `DocumentParameters` loaded its parameters.

    Raises `invalid_query` as `filter_query` does, and `invalid_parameter` for parameters that exclude each other.
    """
    typed, sort = parameters.get("q"), parameters["sort"]
    if typed is not None and sort.endswith("updated_at"):
        raise invalid_parameter("sort", "Articles found by q are sorted by published_at or relevance.")
    if typed is None and sort == RELEVANCE:
        raise invalid_parameter("sort", "Only articles found by q are sorted by relevance.")
    if typed is None and parameters.get("highlight") == "true":
        raise invalid_parameter("highlight", "Words are marked only in articles found by q.")
    readings = 1 + (parameters.get("count") == "true") + ("facets" in parameters) + 2 * ("collapse" in parameters)
    if sort == RELEVANCE and parameters.get("match", ALL) != ALL:
        readings += TIER_READINGS
    found = filter_query(parameters, now, readings)
    return replace(
        found,
        status=parameters["status"],
        asked=(*(str(parameters.get(name)) for name in Times._fields), *sorted(parameters.get("search_in", ()))),
        order="published_at" if sort == RELEVANCE else sort.removeprefix("-"),
        descending=sort == RELEVANCE or sort.startswith("-"),
        limit=parameters["limit"],
        include_body=parameters.get("include") == "body"
        or not {"body_html", "body_text"}.isdisjoint(parameters.get("fields_", ())),
        highlight=parameters.get("highlight") == "true",
        ranked_at=now // MINUTE * MINUTE if sort == RELEVANCE and found.expression else None,
        cursor=parameters.get("cursor"),
        collapse="collapse" in parameters,
    )


def is_relative(parameters: Mapping[str, Any]) -> bool:
    """Whether the query depends on the minute in which it is asked."""
    return parameters.get("sort") == RELEVANCE or any(isinstance(value, Ago) for value in parameters.values())


def filter_of(parameters: Mapping[str, Any]) -> Filter:
    """The filters among the parameters as a `Filter`, whose values are index terms."""
    chosen = {filter_kind(name): parameters[name] for name in FILTERS if name in parameters}
    if "urgency_max" in parameters:
        chosen["urgency"] = [str(urgency) for urgency in range(1, parameters["urgency_max"] + 1)]
    if "has_image" in parameters:
        chosen["image"] = ["yes" if parameters["has_image"] == "true" else "no"]
    excluded = {filter_kind(name): parameters[f"not_{name}"] for name in FILTERS if f"not_{name}" in parameters}
    return Filter.of(chosen, excluded)


def filter_kind(name: str) -> str:
    return "id" if name == "ids" else name


def resolve_moment(moment: int | Ago | None, now: int) -> int | None:
    """A `Moment` in milliseconds. `Ago` counts from the last full minute, so that a repeated request gets a 304."""
    return now // MINUTE * MINUTE - moment.milliseconds if isinstance(moment, Ago) else moment


def sparse_fields(parameters: Mapping[str, Any]) -> frozenset[str] | None:
    """The names in `fields`, or None without that parameter."""
    return chosen_names("fields", {"fields": parameters.get("fields_")}, SERVED_FIELDS)


def facets_of(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The kinds in `facets`, empty without that parameter."""
    return chosen_names("facets", parameters, FACETS) or frozenset()


def chosen_names(name: str, parameters: Mapping[str, Any], known: tuple[str, ...]) -> frozenset[str] | None:
    """The values of a parameter, None if it is absent; raises `invalid_parameter` for a value that is not `known`."""
    values = parameters.get(name)
    if values is None:
        return None
    for value in values:
        if value not in known:
            raise invalid_parameter(
                name, f"{value[:100]!r} is none of: {', '.join(known)}.", closest_name(value, known)
            )
    return frozenset(values)


def invalid_parameter(parameter: str, detail: str, did_you_mean: str | None = None) -> Problem:
    fault = Fault("invalid", detail, parameter=parameter, did_you_mean=did_you_mean)
    return Problem("invalid_parameter", f"{parameter}: {detail}", [fault])


class Sought(NamedTuple):
    """What `q` asks for: members of `Query` of the same names; no expression where there is nothing to look for."""

    expression: Expression | None = None
    items: tuple[Expression, ...] = ()
    summary: dict[str, Any] | None = None
    synonyms: tuple[Added, ...] = ()


def parse_search(parameters: Mapping[str, Any], match: str, readings: int) -> Sought:
    """Parses `q`, limited to the fields in `search_in`, and relaxes it by `match`.

    Raises `invalid_query` with the position of the fault.
    """
    search_in, strict = chosen_names("search_in", parameters, FIELDS), parameters.get("strict") == "true"
    if "q" not in parameters:
        return Sought()
    try:
        parsed = understand_query(
            parameters["q"], search_in, strict=strict, grammar=parameters.get(GRAMMAR_OF_FEED, GRAMMAR)
        )
        check_price(relax_expression(parsed.expression, match).expression, readings)
    except ExpressionError as error:
        if isinstance(error, NothingSought) and not strict:
            return Sought(summary=summarize_query(None, error.left_out, (), search_in))
        raise Problem(
            "invalid_query", f"q, at character {error.position + 1}: {error.detail}",
            [Fault("invalid_query", error.detail, parameter="q")], position=error.position,
        ) from None  # fmt: skip
    expanded = affordable_synonyms(parameters, parsed.expression, match, readings)
    summary = summarize_query(*parsed, search_in, expanded.added)
    return Sought(*relax_expression(expanded.expression, match), summary, expanded.added)


def affordable_synonyms(parameters: Mapping[str, Any], expression: Expression, match: str, readings: int) -> Expanded:
    """The query with its synonyms, or without any where they cost too much: no dictionary makes a query invalid."""
    expanded: Expanded = parameters.get(SYNONYMS, NO_SYNONYMS).expand(expression)
    try:
        check_price(relax_expression(expanded.expression, match).expression, readings)
    except ExpressionError:
        return Expanded(expression, ())
    return expanded
