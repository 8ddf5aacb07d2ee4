"""The marshmallow fields of the contract: text that XML can carry, bodies, URLs, times, languages, whole numbers.

They check type, length and form. Resolving URLs and sanitising bodies need the publisher, and are in
`publishing.draft`. Every message is a `Reason`, a sentence with the code of its fault; `list_faults` turns a tree of
them into faults with JSON pointers.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from marshmallow import ValidationError, fields, validate

from newswire.article import UNCARRIABLE
from newswire.errors import Fault
from newswire.formats.html.picture_elements import pasted_length
from newswire.formats.markdown.pasted import pasted_in_markdown
from newswire.language_tags import TAG, canonical_tag
from newswire.plain_text import read_plain_text
from newswire.timestamps import parse_instant
from newswire.urls import URI

LARGEST_INTEGER = 2**53 - 1
# `UNCARRIABLE` as patterns for the OpenAPI document, in the dialect that JavaScript, Python, Java, Go, PHP and Ruby
# share. It cannot name U+FFFE and U+FFFF, nor JSON Schema surrogates: those are refused without a pattern.
CONTROLS = r"\x00-\x08\x0B\x0C\x0E-\x1F"
PATTERN = f"^[^{CONTROLS}]*$"
FILLED_PATTERN = rf"^[^{CONTROLS}]*[^\s\x00-\x1F][^{CONTROLS}]*$"
ONE_LINE_PATTERN = r"^[^\s\x00-\x1F]+( [^\s\x00-\x1F]+)*$"
TIME_DESCRIPTION = (
    "RFC 3339 with an offset, in the years 1800 to 2200. Also understood: no seconds, a comma before their fraction, an"
    " offset without its colon or minutes."
)
BODY_BYTES = 2 * 1024 * 1024
# With pasted pictures, as long as a request may be.
LONGEST_BODY = 8 * 1024 * 1024
LONGEST_URL = 2048
LONGEST_TAG = 40
LONGEST_EXTERNAL_ID = 250
MOST_MARKUP = 10
"""A plain text of more than this many times its limit is refused without a look at the markup in it."""


class Reason(str):
    """The message of a fault, a sentence, with the code of the fault."""

    code: str

    def __new__(cls, code: str, sentence: str) -> "Reason":
        made = super().__new__(cls, sentence)
        made.code = code
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return (self.code, str(self))


Messages: TypeAlias = dict[str, str | list[Any] | dict[Any, Any]]
COMMON: Messages = {
    "required": Reason("required", "This field is required."),
    "null": Reason("null", "This field cannot be null."),
    "validator_failed": Reason("invalid", "This value is not allowed."),
    "invalid": Reason("invalid_type", "This value has the wrong type."),
}


def validation_error(code: str, sentence: str) -> ValidationError:
    return ValidationError([Reason(code, sentence)])


class Text(fields.String):
    """A string of at most `limit` characters; a blank one counts as absent. White space is collapsed unless `lines`."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be a string."),
    }

    def __init__(self, limit: int, *, lines: bool = False, **settings: Any) -> None:
        needed = {"pattern": FILLED_PATTERN, "minLength": 1} if settings.get("required") else {"pattern": PATTERN}
        metadata = {"maxLength": limit} | needed | settings.pop("metadata", {})
        settings.setdefault("allow_none", not settings.get("required", False))
        super().__init__(metadata=metadata, **settings)
        self.limit = limit
        self.lines = lines

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = check_characters(value if type(value) is str else super()._deserialize(value, attr, data, **kwargs))
        if len(text) > self.limit and (length := self.count_characters(text)) > self.limit:
            raise validation_error("too_long", f"Must have at most {self.limit:,} characters; it has {length:,}.")
        text = text.replace("\r\n", "\n").strip() if self.lines else " ".join(text.split())
        if not text and self.required:
            raise validation_error("required", "Must not be blank.")
        return text or None

    def count_characters(self, text: str) -> int:
        """The number of characters that count towards the limit."""
        return len(text)


class PlainField(Text):
    """A field that is plain text: characters of entities and formatting tags, which are removed, do not count.

    The removal itself is in `publishing.plain_fields`, because what was sent is stored beside its result.
    """

    def count_characters(self, text: str) -> int:
        return len(text if len(text) > MOST_MARKUP * self.limit else read_plain_text(text, lines=self.lines).text)


class ExternalIdField(Text):
    """The publisher's own id; a whole number counts as the text of its digits, because databases number their rows."""

    def __init__(
        self, described: str = "The publisher's own id, unique among its articles.", limit: int = LONGEST_EXTERNAL_ID
    ) -> None:
        super().__init__(limit, metadata={"description": f"{described} A whole number is taken as its decimal digits."})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(digits_of_number(value), attr, data, **kwargs)


def digits_of_number(value: Any) -> Any:
    """The decimal digits of a whole JSON number; any other value unchanged.

    A number with a point or an exponent is read as a float, which is exact up to 2^53 only.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_INTEGER:
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def check_characters(text: str) -> str:
    """Returns the text; raises `ValidationError` if XML 1.0 cannot carry one of its characters."""
    if found := UNCARRIABLE.search(text):
        raise validation_error(
            "unusable_character",
            f"Holds U+{ord(found[0]):04X} at position {found.start()}, which XML cannot carry; remove it.",
        )
    return text


class Url(Text):
    """A URL, absolute or relative; `publishing.draft` resolves it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(LONGEST_URL, metadata={"format": "uri-reference"}, **settings)


class Uri(Text):
    """An absolute URI (RFC 3986) of any scheme, such as `urn:uuid:…` or `tag:…`; it is a name, and never fetched."""

    def __init__(self) -> None:
        metadata = {"pattern": f"^({URI.pattern})?$", "description": "An absolute URI of any scheme, which is a name."}
        super().__init__(LONGEST_URL, metadata=metadata)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is not None and not URI.fullmatch(text):
            raise validation_error("invalid_uri", "Must be an absolute URI such as urn:uuid:…; other names are ids.")
        return text


class MarkupBody(fields.String):
    """HTML or Markdown of at most 2 MiB without pasted pictures, unchanged; a blank one counts as absent."""

    default_error_messages = Text.default_error_messages

    def __init__(self, **settings: Any) -> None:
        described = "At most 2 MiB in UTF-8, without pictures that are pasted into it (`data:`), which are removed."
        metadata = {"maxLength": LONGEST_BODY, "pattern": PATTERN, "description": described}
        super().__init__(allow_none=True, metadata=metadata, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = check_characters(super()._deserialize(value, attr, data, **kwargs))
        check_body_size(text, pasted_in_markdown if attr == "body_markdown" else pasted_length)
        return text if text.strip() else None


class PlainBody(Text):
    """Plain text of at most 2 MiB."""

    def __init__(self) -> None:
        super().__init__(BODY_BYTES, lines=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        return None if text is None else check_body_size(text)


def check_body_size(text: str, pasted: Callable[[str], int] = lambda text: 0) -> str:
    """Returns the text; raises `ValidationError` if it is larger than 2 MiB in UTF-8.

    `pasted` counts the bytes of the pictures in it (`data:`), which are removed and do not count.
    """
    if len(text) <= BODY_BYTES // 4:
        return text
    size = len(text.encode("utf-8"))
    if size > BODY_BYTES and size - pasted(text) > BODY_BYTES:
        raise validation_error("too_long", "A body must have at most 2 MiB in UTF-8.")
    return text


class Whole(fields.Integer):
    """A whole JSON number, neither a string nor a boolean; 3.0 is the integer 3 (JSON Schema, 4.2.3)."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be a whole number."),
    }

    def __init__(self, low: int, high: int = LARGEST_INTEGER, **settings: Any) -> None:
        outside = Reason("out_of_range", f"Must lie between {low:,} and {high:,}.")
        settings.setdefault("allow_none", not settings.get("required", False))
        super().__init__(validate=validate.Range(low, high, error=outside), **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.String):
    """A time with an offset, RFC 3339 or as `parse_instant` understands it, loaded as milliseconds since 1970."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be an RFC 3339 time such as 2026-11-22T09:30:00Z."),
    }

    def __init__(self, **settings: Any) -> None:
        described = {"description": TIME_DESCRIPTION, "format": "date-time"}
        metadata = described | settings.pop("metadata", {})
        super().__init__(allow_none=True, metadata=metadata, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return parse_instant(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            if isinstance(error, ValidationError):
                raise
            raise validation_error("invalid_time", str(error)) from None


class Language(Text):
    """A BCP 47 tag, loaded in its canonical form: `en_us` as en-US, `iw` as he."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(LONGEST_TAG, metadata={"pattern": f"^({TAG.pattern})?$"}, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        if not TAG.fullmatch(text):
            raise validation_error("invalid_language", "Must be a BCP 47 language tag such as en, pt-BR or zh-Hant.")
        return canonical_tag(text)


class RefusedField(fields.String):
    """A field that a later version of the contract may accept: the refusal says why. A blank one counts as absent."""

    def __init__(self, sentence: str) -> None:
        super().__init__(allow_none=True, metadata={"description": f"Not accepted yet. {sentence}", "maxLength": 0})
        self.sentence = sentence

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value != "":
            raise validation_error("unsupported", self.sentence)


class Several(fields.List[Any]):
    """An array of at most `limit` items; null counts as empty.

    If items are refused, `ValidationError.valid_data` has the valid part of each item at its own position, or None.
    marshmallow itself leaves refused items out, so that the pointers of later faults would name other items.
    """

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be an array."),
    }

    def __init__(self, item: Any, limit: int) -> None:
        super().__init__(item, allow_none=True, metadata={"maxItems": limit})
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        # Counted before they are checked: a body has room for millions of items, each with a fault of its own.
        if len(value) > self.limit:
            raise validation_error("too_many", f"Must have at most {self.limit} items; it has {len(value):,}.")
        valid: list[Any] = []
        messages: dict[int, Any] = {}
        for position, item in enumerate(value):
            try:
                valid.append(self.inner.deserialize(item, **kwargs))
            except ValidationError as error:
                valid.append(error.valid_data)
                messages[position] = error.messages
        if messages:
            raise ValidationError(messages, valid_data=valid)
        return valid


def list_faults(messages: Any, pointer: str = "") -> Iterator[Fault]:
    """Flattens marshmallow's tree of messages into faults with JSON pointers (RFC 6901)."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            step = "" if name == "_schema" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from list_faults(below, pointer + step)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield Fault(getattr(message, "code", "invalid"), str(message), pointer=printable_text(pointer))


def printable_text(text: str) -> str:
    """The text with lone surrogates escaped, which UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
