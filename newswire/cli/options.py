"""Kinds of values on the command line, checked like the same values in an article."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

import click
from marshmallow import ValidationError, fields

from newswire.api.schemas.documents import Address
from newswire.api.schemas.fields import Language, Text
from newswire.parties import LIMITS

UNITS = {"h": 3600_000, "d": 24 * 3600_000, "w": 7 * 24 * 3600_000}
LONGEST = 100 * 366 * UNITS["d"]


class Checked(click.ParamType[Any]):
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


NAME = Checked("text", Text(250, required=True))
ADDRESS = Checked("url", Address(), "Must be an http or https address.")
LANGUAGE = Checked("tag", Language())
LABEL = Checked("text", Text(250))


class Span(click.ParamType[int]):
    """A length of time such as 12h, 90d or 52w, in milliseconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,6})([hdw])", value)
        if found is None or (length := int(found[1]) * UNITS[found[2]]) > LONGEST:
            self.fail("must be a length of time such as 12h, 90d or 52w, a hundred years at most.", param, ctx)
        return length


def limits(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Mapping[str, list[str]]:
    """The entitlement in several `--only KIND=A,B`: alternatives of one kind are joined."""
    found: dict[str, list[str]] = {}
    for text in values:
        kind, _, rest = text.partition("=")
        if kind not in LIMITS:
            close = difflib.get_close_matches(kind, LIMITS, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(LIMITS)}."
            raise click.BadParameter(f"{kind!r} is nothing that an entitlement can be limited to. {hint}")
        names = [name.strip() for name in rest.split(",") if name.strip()]
        if not names:
            raise click.BadParameter(f"say which: --only {kind}=A,B")
        if kind == "language":
            names = [LANGUAGE.convert(name, param, ctx) for name in names]
        found[kind] = list(dict.fromkeys([*found.get(kind, ()), *names]))
    return found


only_option = click.option(
    "--only",
    multiple=True,
    metavar="KIND=A,B",
    callback=limits,
    help="Limit what the partner sees: publisher, section, language or keyword, and which. Repeatable: "
    "other values of one kind are alternatives, different kinds must all match.",
)
