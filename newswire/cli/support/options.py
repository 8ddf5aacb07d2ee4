"""Kinds of values on the command line, checked like the same values in an article."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from marshmallow import ValidationError, fields

from newswire.accounts.partners import ENTITLEMENT_FILTERS
from newswire.api.schemas.filters import FilterParameters
from newswire.errors import Problem, closest_name
from newswire.publishing.draft import resolve_url
from newswire.schemas.fields import Language, Text, Url

UNITS = {"h": 3600_000, "d": 24 * 3600_000, "w": 7 * 24 * 3600_000}
LONGEST = 100 * 366 * UNITS["d"]
FILTER_NAMES = sorted(set(FilterParameters().names()) - {"q"})


class FieldType(click.ParamType[Any]):
    """A value that a field of the article's schema accepts; blank is None. `refusal`: what is said instead."""

    def __init__(self, name: str, field: fields.Field[Any], refusal: str | None = None) -> None:
        self.name = name
        self.field = field
        self.refusal = refusal

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.field.deserialize(value)
        except ValidationError as error:
            self.fail(self.refusal or str(error.messages[0]), param, ctx)


class AddressType(FieldType):
    """An absolute http or https address; blank is None."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | None:
        text = super().convert(value, param, ctx)
        try:
            return None if text is None else resolve_url(text, None, "")
        except Problem as problem:
            self.fail(self.refusal or problem.detail, param, ctx)


NAME = FieldType("text", Text(250, required=True))
ADDRESS = AddressType("url", Url(), "Must be an http or https address.")
LANGUAGE = FieldType("tag", Language())
LABEL = FieldType("text", Text(250))


class Duration(click.ParamType[int]):
    """A length of time such as 12h, 90d or 52w, in milliseconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,6})([hdw])", value)
        if found is None or (length := int(found[1]) * UNITS[found[2]]) > LONGEST:
            self.fail("must be a length of time such as 12h, 90d or 52w, a hundred years at most.", param, ctx)
        return length


def parse_entitlement(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Mapping[str, list[str]]:
    """The entitlement in several `--only KIND=A,B`: alternatives of one kind are joined."""
    found: dict[str, list[str]] = {}
    for kind, text in parse_pairs(values, ENTITLEMENT_FILTERS, "an entitlement can be limited to"):
        names = [name.strip() for name in text.split(",") if name.strip()]
        if not names:
            raise click.BadParameter(f"say which: --only {kind}=A,B")
        if kind == "language":
            names = [LANGUAGE.convert(name, param, ctx) for name in names]
        found[kind] = list(dict.fromkeys([*found.get(kind, ()), *names]))
    return found


def parse_filters(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """The filters in several `--only NAME=A,B`, as parameters of an address; their values are the wire's to judge."""
    return list(parse_pairs(values, FILTER_NAMES, "the wire can be filtered by"))


def parse_pairs(values: Sequence[str], known: Sequence[str], what: str) -> Iterator[tuple[str, str]]:
    """Name and value of each NAME=VALUE; raises `BadParameter` for a name that is not `known`."""
    for text in values:
        name, _, value = text.partition("=")
        if name not in known:
            closest = closest_name(name, known)
            hint = f"Did you mean {closest}?" if closest else f"Known are {', '.join(known)}."
            raise click.BadParameter(f"{name!r} is nothing that {what}. {hint}")
        yield name, value


only_option = click.option(
    "--only",
    multiple=True,
    metavar="KIND=A,B",
    callback=parse_entitlement,
    help="Limit what the partner sees: publisher, section, language or keyword, and which. Repeatable: "
    "other values of one kind are alternatives, different kinds must all match.",
)

filter_option = click.option(
    "--only",
    "filters",
    multiple=True,
    metavar="NAME=A,B",
    callback=parse_filters,
    help="Filter as in the list of articles: section=world, not_publisher=gazette, urgency_max=3 … Repeatable: other "
    "values of one name are alternatives, different names must all match.",
)
query_option = click.option("--query", metavar="TEXT", help="Only what matches these words, as in a search.")


url_option = click.option("--url", metavar="URL", help="Where the wire is. Default: NEWSWIRE_URL.")
