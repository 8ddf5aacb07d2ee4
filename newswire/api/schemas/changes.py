"""Schemas of the wire: parameters of `GET /v1/changes`, the stored position of a consumer, and their responses."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from newswire.api.schemas.filters import FilterParameters, chosen_names, invalid_parameter
from newswire.api.schemas.parameters import MOMENT_PATTERN, Alternatives, Digits, Moment, text_field
from newswire.api.schemas.responses import Served, integer_field, list_field, string_field, time_field
from newswire.article import EntryType
from newswire.changes.positions import CHAIN_PATTERN
from newswire.schemas.article import Strict
from newswire.schemas.fields import COMMON, Reason, Whole

LARGEST_SEQUENCE = 2**63 - 1
TYPES = tuple(each.value for each in EntryType)
START_PATTERN = rf"^(oldest|{MOMENT_PATTERN[1:-1]})$"
CONSUMER = "[a-z0-9][a-z0-9._-]{0,99}"


class Start(Moment):
    """`oldest` or `now`, loaded as they are, or a `Moment`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return value if value in ("oldest", "now") else super()._deserialize(value, attr, data, **kwargs)


def chain_field(description: str) -> fields.String:
    """A chain value as a client sends it: 64 hexadecimal digits, or the first 16 of them."""
    malformed = Reason("invalid", "Must be a chain value: 64 hexadecimal digits, or the first 16 of them.")
    return fields.String(
        # \Z, because $ would also match before a line feed at the end.
        validate=validate.Regexp(rf"{CHAIN_PATTERN}\Z", error=malformed),
        error_messages=COMMON | {"invalid": Reason("invalid_type", "Must be a string.")},
        metadata={"description": description, "pattern": f"^{CHAIN_PATTERN}$"},
    )


class ChangesParameters(FilterParameters):
    """The parameters of `GET /v1/changes`."""

    after = Digits(0, LARGEST_SEQUENCE, metadata={"description": "The last sequence number that you have; default 0."})
    chain = chain_field("With `after`: the chain value of that entry, `page.next_chain`. 409 `wire_forked` where this "
                        "wire has another entry at that number.")  # fmt: skip
    start = Start(
        description="Where to begin instead: `oldest`, `now`, or with the first entry at or after a time.",
        pattern=START_PATTERN,
    )  # fmt: skip
    consumer = text_field("Continue behind the position that this consumer of yours has stored.", 100,
                    pattern=f"^{CONSUMER}$")  # fmt: skip
    limit = Digits(1, 500, load_default=100, metadata={"description": "Entries on a page."})
    wait = Digits(0, 30, load_default=0,
                  metadata={"description": "Seconds to wait for an entry when there is none yet."})  # fmt: skip
    types = Alternatives("Entries of these types only.", TYPES)
    wire = text_field("The id of the wire that your position belongs to: 409 when this is another.", 100)

    several: ClassVar[frozenset[str]] = FilterParameters.several | {"types"}


class ConsumerSchema(Strict):
    """The body that stores the position of a consumer."""

    after = Whole(0, required=True, metadata={"description": "The last number you have."})
    chain = chain_field("The chain value of that entry: 409 `wire_forked` where this wire has another entry there.")


def wanted_types(parameters: Mapping[str, Any]) -> frozenset[str] | None:
    """The entry types in `types`, or None without that parameter."""
    return chosen_names("types", parameters, TYPES)


def check_beginning(parameters: Mapping[str, Any]) -> None:
    """Raises `invalid_parameter` for two of `after`, `start` and `consumer`, and for `chain` without `after`."""
    sent = [name for name in ("after", "start", "consumer") if name in parameters]
    if len(sent) > 1:
        raise invalid_parameter(sent[1], f"Cannot be given together with {sent[0]}; keep one of them.")
    if "chain" in parameters and "after" not in parameters:
        raise invalid_parameter("chain", "Is the chain value of the entry in `after`: send both.")


class WireOut(Served):
    wire = string_field()
    head = integer_field(minimum=0)
    chain = string_field(pattern="^[0-9a-f]{64}$")


class ConsumerOut(Served):
    name = string_field()
    after = integer_field(minimum=0)
    chain = string_field(nullable=True, pattern="^[0-9a-f]{64}$")
    lag = integer_field(minimum=0)
    updated_at = time_field()


class ConsumerList(Served):
    data = list_field(fields.Nested(ConsumerOut))
