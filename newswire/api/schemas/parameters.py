"""Query strings: parsing, the marshmallow fields of parameters, and a loader that reports every fault at once.

The parameters themselves are declared in `filters`, `changes`, `feeds` and `directory`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from newswire.api.schemas.parameter_hints import LONGEST_NAME, find_hint
from newswire.article import UNCARRIABLE
from newswire.errors import Fault, Problem
from newswire.schemas.fields import CONTROLS, PATTERN, Reason, printable_text, validation_error
from newswire.timestamps import DATE, parse_instant

MOST_FAULTS = 20
PASSING = frozenset({"after", "chain", "cursor", "token"})
"""Parameters outside the cache of loaded ones: positions, which differ from page to page, and a secret."""
MOST_REMEMBERED, LONGEST_REMEMBERED = 1000, 500
"""Size of that cache, and the most characters of values in an entry."""
IGNORED = re.compile(r"utm_|_")
UNESCAPED_COMMA = re.compile(r"(?<!\\),")
# Exact, leap years included: generated clients and tests rely on the pattern and the loader accepting the same dates.
DAY_PATTERN = (
    "(((18|19|20|21)[0-9]{2}|2200)-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))"
    "|((18|19|21)(0[48]|[2468][048]|[13579][26])|20([02468][048]|[13579][26]))-02-29)"
)
HOUR_PATTERN = "([01][0-9]|2[0-3])"
# An offset in a query string whose + was not escaped: a blank follows the time of day.
UNESCAPED_PLUS = re.compile(r"^(.{10}[Tt ][0-9:.,]+ ?) ([0-9]{2}(?::?[0-9]{2})?)$")
AGO = re.compile("now(?:-([0-9]{1,4})([mhdw]))?")
UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
AGO_PATTERN = "now(-[0-9]{1,4}[mhdw])?"
MOMENT_PATTERN = (
    rf"^({AGO_PATTERN}|{DAY_PATTERN}"
    rf"([Tt ]{HOUR_PATTERN}:[0-5][0-9](:([0-5][0-9]|60)([.,][0-9]{{1,9}})?)?"
    rf"([Zz]| ?[+-]{HOUR_PATTERN}(:?[0-5][0-9])?))?)$"
)
ALTERNATIVE_PATTERN = rf"^[^{CONTROLS}]*[^\s,\x00-\x1F][^{CONTROLS}]*$"


class Alternatives(fields.List[str]):
    """A list of alternatives: values separated by commas, in one or several parameters of the same name."""

    def __init__(self, description: str, among: Sequence[str] = (), **settings: Any) -> None:
        longest = 250
        metadata = {"minLength": 1, "maxLength": longest, "pattern": ALTERNATIVE_PATTERN}
        if among:
            metadata["pattern"] = f"^(({'|'.join(map(re.escape, among))})(,|$))+$"
            metadata["x-pattern-message"] = f"Must be some of: {', '.join(among)}."
        item = fields.String(validate=validate.Length(1, longest), metadata=metadata)
        super().__init__(item, metadata={"description": description}, validate=validate.Length(1, 100), **settings)

    def deserialize(self, value: Any, *arguments: Any, **settings: Any) -> Any:
        """The values without repetitions, which count towards their number as the OpenAPI document says."""
        found = super().deserialize(value, *arguments, **settings)
        return list(dict.fromkeys(found)) if isinstance(found, list) else found


class Digits(fields.Integer):
    """A whole number in ASCII digits; marshmallow's own also takes signs, blanks and other digits."""

    def __init__(self, low: int, high: int, **settings: Any) -> None:
        self.low, self.high = low, high
        super().__init__(
            validate=validate.Range(low, high),
            **settings | {"metadata": {"minimum": low, "maximum": high} | settings.get("metadata", {})},
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch("[0-9]{1,19}", value) or not self.low <= int(value) <= self.high:
            raise validation_error("invalid", f"Must be a whole number from {self.low} to {self.high}.")
        return int(value)


class Ago(NamedTuple):
    """A time relative to now, as a distance into the past."""

    milliseconds: int


class Moment(fields.String):
    """A time or a date (its first moment in UTC), loaded as milliseconds since 1970; or now-2d, as `Ago`."""

    def __init__(self, **metadata: Any) -> None:
        super().__init__(metadata={"pattern": MOMENT_PATTERN} | metadata)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # In a query string an unescaped + means a blank: that of an offset such as +01:00 is restored.
        text = UNESCAPED_PLUS.sub(r"\1+\2", value)
        if found := AGO.fullmatch(text):
            return Ago(int(found[1] or 0) * UNITS[found[2] or "m"])
        try:
            return parse_instant(f"{text}T00:00Z" if DATE.fullmatch(text) else text)
        except ValueError as error:
            sentence = f"{error} A date such as 2026-11-22 and a distance such as now-2d are understood too."
            raise validation_error("invalid", sentence) from None


def choice_field(description: str, *values: str, **settings: Any) -> fields.String:
    error = Reason("invalid", f"Must be one of: {', '.join(values)}.")
    return fields.String(
        validate=validate.OneOf(values, error=error), metadata={"description": description}, **settings
    )


def text_field(description: str, longest: int, shortest: int = 1, **metadata: Any) -> fields.String:
    described = {"description": description, "minLength": shortest, "maxLength": longest, "pattern": PATTERN}
    return fields.String(validate=validate.Length(shortest, longest), metadata=described | metadata)


class Parameters(Schema):
    """The parameters of an address; others are refused, but for `utm_*` and names that begin with `_`.

    `several` are those that may be repeated, and whose values are separated by commas.
    """

    class Meta:
        unknown = RAISE

    several: ClassVar[frozenset[str]] = frozenset()

    def names(self) -> list[str]:
        """The names of the parameters as in a query string, sorted."""
        return sorted(field.data_key or name for name, field in self.fields.items())


class AnyParameters(Parameters):
    """The parameters of a page for people, which ignores them: links to pages carry what others have added."""

    class Meta:
        unknown = EXCLUDE


def split_query(sent: str) -> list[tuple[str, str]]:
    """Parses WSGI's QUERY_STRING into names and values, in order; bytes that are not UTF-8 become U+FFFD."""
    # PEP 3333 gives it as bytes decoded as Latin-1.
    return parse_qsl(sent.encode("latin-1").decode("utf-8", "replace"), keep_blank_values=True) if sent else []


def sent_parameters(sent: bytes, pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Groups the parsed query string by name; raises `invalid_parameter` when it is not UTF-8.

    `sent` is the query string as bytes, in which `pairs` no longer show what was not UTF-8.
    """
    if b"%" in sent or not sent.isascii():
        for pair in () if is_utf8(unquote_to_bytes(sent)) else sent.split(b"&"):
            if not is_utf8(unquote_to_bytes(pair)):
                name = unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "backslashreplace")[:100]
                fault = Fault("invalid", "Is not UTF-8.", parameter=name)
                raise Problem("invalid_parameter", f"{name}: Is not UTF-8.", [fault])
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def load_parameters(schema: Parameters, items: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Loads the parameters of a query string (values as sent, by name); raises one `Problem` with all faults.

    Loaded parameters are cached, but for those in `PASSING`, so that a walk from page to page is one entry.
    """
    if schema.unknown == EXCLUDE:
        return {}
    known = {name: values for name, values in items.items() if not IGNORED.match(name)}
    rest = tuple((name, tuple(values)) for name, values in known.items() if name not in PASSING)
    if sum(len(value) for _, values in rest for value in values) > LONGEST_REMEMBERED:
        return load_strictly(schema, known)
    try:
        found = dict(load_cached(schema, rest))
        for name in PASSING & known.keys():
            (value,) = known[name]
            if not value.isprintable():
                return load_strictly(schema, known)
            found[name] = schema.fields[name].deserialize(value)
    except (Problem, ValidationError, ValueError, KeyError):
        # Load them together once more, to report the faults of all parameters.
        return load_strictly(schema, known)
    return found


@lru_cache(MOST_REMEMBERED)
def load_cached(schema: Parameters, sent: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, Any]:
    return load_strictly(schema, dict(sent))


def load_strictly(schema: Parameters, known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Loads parameters without the cache; raises one `Problem` with all faults."""
    unknown = [name for name in known if name not in schema.names()]
    if unknown:
        known_names = ", ".join(schema.names()) or "none"
        raise Problem(
            "unknown_parameter",
            f"There is no parameter {printable_text(unknown[0])[:100]!r} here; known are: {known_names}."
            f" {find_hint(unknown[0], schema.names()).sentence}".rstrip(),
            [unknown_fault(name, schema) for name in unknown[:MOST_FAULTS]],
        )
    found: list[Fault] = []
    values: dict[str, Any] = {}
    for name, sent in known.items():
        if any(UNCARRIABLE.search(value) for value in sent):
            found.append(Fault("unusable_character", "Holds a control character.", parameter=name))
        elif name in schema.several:
            values[name] = split_alternatives(sent)
        elif len(sent) > 1:
            found.append(Fault("repeated", "Can be given once only.", parameter=name))
        else:
            values[name] = sent[0]
    try:
        result: dict[str, Any] = schema.load(values)
    except ValidationError as error:
        found += [
            Fault("invalid", first_message(messages), parameter=name) for name, messages in error.messages_dict.items()
        ]
        result = {}
    if found:
        code = "invalid_query" if [fault.parameter for fault in found] == ["q"] else "invalid_parameter"
        raise Problem(code, f"{found[0].parameter}: {found[0].detail}", found)
    return result


def split_alternatives(sent: Sequence[str]) -> list[str]:
    """Splits values at commas; a comma with a backslash before it is part of a value."""
    parts = (part.replace("\\,", ",").strip() for value in sent for part in UNESCAPED_COMMA.split(value))
    return [part for part in parts if part]


def first_message(messages: Any) -> str:
    """The first message among those of one parameter, which marshmallow nests by the index of a value."""
    while isinstance(messages, dict | list) and messages:
        messages = next(iter(messages.values())) if isinstance(messages, dict) else messages[0]
    return str(messages)


def unknown_fault(name: str, schema: Parameters) -> Fault:
    hint = find_hint(name, schema.names())
    detail = f"There is no such parameter here. {hint.sentence}".rstrip()
    return Fault("unknown_parameter", detail, parameter=printable_text(name)[:LONGEST_NAME], did_you_mean=hint.name)
