"""Options and parameter types of several commands; values that go into an article are checked like those in one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click
from marshmallow import ValidationError, fields

from newswire.accounts.partners import ENTITLEMENT_FILTERS
from newswire.api.schemas.filters import FilterParameters
from newswire.api.schemas.parameters import Moment
from newswire.errors import Problem, suggest_name
from newswire.publishing.draft import resolve_url
from newswire.schemas.fields import Language, Text, Url

UNITS = {"h": 3600_000, "d": 24 * 3600_000, "w": 7 * 24 * 3600_000}
LONGEST = 100 * 366 * UNITS["d"]
FILTER_NAMES = sorted(set(FilterParameters().names()) - {"q"})
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
INPUT_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)


class FieldType(click.ParamType[Any]):
    """A parameter type that accepts what a field of the article's schema accepts; blank is None."""

    def __init__(self, name: str, field: fields.Field[Any]) -> None:
        self.name = name
        self.field = field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.field.deserialize(value)
        except ValidationError as error:
            self.fail(str(error.messages[0]), param, ctx)


class UrlType(FieldType):
    """An absolute http or https URL; blank is None."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | None:
        try:
            text = self.field.deserialize(value)
            return None if text is None else resolve_url(text, None, "")
        except (ValidationError, Problem):
            self.fail("Must be an http or https address.", param, ctx)


NAME = FieldType("text", Text(250, required=True))
ADDRESS = UrlType("url", Url())
LANGUAGE = FieldType("tag", Language())
LABEL = FieldType("text", Text(250))


class Duration(click.ParamType[int]):
    """A duration such as 12h, 90d or 52w, in milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,6})([hdw])", value)
        if found is None or (length := int(found[1]) * UNITS[found[2]]) > LONGEST:
            self.fail("must be a duration such as 12h, 90d or 52w, a hundred years at most.", param, ctx)
        return length


Undated: TypeAlias = Literal["skip", "now"] | int
"""What becomes of a new article without a date: it is skipped, dated now, or dated so (milliseconds since 1970)."""


class UndatedChoice(click.ParamType[Undated]):
    """The words skip and now, or a date or RFC 3339 time."""

    name = "skip|now|DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Undated:
        if value in ("skip", "now"):
            return "skip" if value == "skip" else "now"
        try:
            moment = Moment().deserialize(value)
        except ValidationError:
            moment = None
        if not isinstance(moment, int):
            self.fail(f"{value!r} is not skip, now, a date such as 1998-01-31, or an RFC 3339 time.", param, ctx)
        return moment


def parse_entitlement(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Mapping[str, list[str]]:
    """The entitlement in several `--only KIND=A,B`; the names of one kind are joined."""
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
    """The filters in several `--only NAME=A,B`, as query parameters; the wire checks their values."""
    return list(parse_pairs(values, FILTER_NAMES, "the wire can be filtered by"))


def parse_pairs(values: Sequence[str], known: Sequence[str], what: str) -> Iterator[tuple[str, str]]:
    """Name and value of each NAME=VALUE; raises `BadParameter` for a name that is not `known`."""
    for text in values:
        name, _, value = text.partition("=")
        if name not in known:
            raise click.BadParameter(f"{name!r} is nothing that {what}. {suggest_name(name, known)}")
        yield name, value


only_option = click.option(
    "--only",
    multiple=True,
    metavar="KIND=A,B",
    callback=parse_entitlement,
    help="Limit what the partner sees: publisher, section, language, keyword or subject, and which. Repeatable: "
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
