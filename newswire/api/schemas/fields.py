"""Field types of the contract: text that XML can carry, addresses, times, whole numbers.

Every message is a `Reason`: a sentence with the fault's code, which `faults` turns into
JSON pointers. Relative addresses are resolved against `BASE`, the publisher's or the
article's own, for the time of one load.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

from marshmallow import ValidationError, fields, validate

from newswire.errors import Fault
from newswire.ingest.drafting import cleaned_markdown
from newswire.ingest.formats.html import NoBaseError, Sanitised, absolute_url, sanitise
from newswire.instant import parse_instant

BASE: ContextVar[str | None] = ContextVar("BASE", default=None)
BODY_BYTES = 2 * 1024 * 1024
LONGEST_ADDRESS = 2048
LARGEST_INTEGER = 2**53 - 1
# What XML 1.0 (2.2) cannot carry; lone surrogates cannot even be written as UTF-8.
UNCARRIABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]*$"
BASELESS = "is relative, and neither the article's url nor the publisher's address is known."
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")


class Reason(str):
    """A sentence about a fault, with its code."""

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


def refuse(code: str, sentence: str) -> ValidationError:
    return ValidationError([Reason(code, sentence)])


class Text(fields.String):
    """A string of at most `limit` characters; blank counts as absent. One line unless `lines`."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be a string."),
    }

    def __init__(self, limit: int, *, lines: bool = False, **settings: Any) -> None:
        metadata = {"maxLength": limit, "pattern": PATTERN} | settings.pop("metadata", {})
        if settings.get("required"):
            metadata |= {"minLength": 1}
        settings.setdefault("allow_none", not settings.get("required", False))
        super().__init__(metadata=metadata, **settings)
        self.limit = limit
        self.lines = lines

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = carriable(super()._deserialize(value, attr, data, **kwargs))
        if len(text) > self.limit:
            raise refuse("too_long", f"Must have at most {self.limit:,} characters; it has {len(text):,}.")
        text = text.replace("\r\n", "\n").strip() if self.lines else " ".join(text.split())
        if not text and self.required:
            raise refuse("required", "Must not be blank.")
        return text or None


def carriable(text: str) -> str:
    """The text itself; refused when it holds a character that XML 1.0 cannot carry."""
    if found := UNCARRIABLE.search(text):
        raise refuse(
            "unusable_character",
            f"Holds U+{ord(found[0]):04X} at position {found.start()}, which XML cannot carry; remove it.",
        )
    return text


class Whole(fields.Integer):
    """A JSON integer, neither a string nor a fraction nor a boolean."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be a whole number."),
    }

    def __init__(self, low: int, high: int = LARGEST_INTEGER, **settings: Any) -> None:
        outside = Reason("out_of_range", f"Must lie between {low:,} and {high:,}.")
        super().__init__(validate=validate.Range(low, high, error=outside), allow_none=True, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.String):
    """An RFC 3339 time with an offset, loaded as milliseconds since 1970."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be an RFC 3339 time such as 2026-11-22T09:30:00Z."),
    }

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_none=True, metadata={"format": "date-time"}, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return parse_instant(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            if isinstance(error, ValidationError):
                raise
            raise refuse("invalid_time", str(error)) from None


class Language(Text):
    """A BCP 47 tag in its usual spelling: en, pt-BR, zh-Hant."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(35, metadata={"pattern": f"^{LANGUAGE.pattern}$"}, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        if not LANGUAGE.fullmatch(text):
            raise refuse("invalid_language", "Must be a BCP 47 language tag such as en, pt-BR or zh-Hant.")
        first, *others = text.split("-")
        spelled = [{2: part.upper(), 4: part.title()}.get(len(part), part.lower()) for part in others]
        return "-".join([first.lower(), *spelled])


class Address(Text):
    """An http or https address; a relative one is resolved against `BASE`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(LONGEST_ADDRESS, metadata={"format": "uri-reference"}, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        return None if text is None else absolute(text)


def absolute(text: str) -> str:
    """The address, resolved as a browser would and in ASCII (RFC 3986); refuses what is not http or https."""
    try:
        joined = absolute_url(text, BASE.get())
    except NoBaseError:
        raise refuse("relative_url", f"The address {BASELESS}") from None
    result = None if joined is None else in_ascii(joined)
    if result is None:
        raise refuse("invalid_url", "Must be an http or https address.")
    if len(result) > LONGEST_ADDRESS:
        raise refuse("too_long", "Must have at most 2,048 characters once it is absolute and percent-encoded.")
    return result


def in_ascii(url: str) -> str | None:
    """The address with its host in IDNA and the rest percent-encoded; None when its authority is not one."""
    parts = urlsplit(url)
    try:
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return None
    if not re.fullmatch(r"[A-Za-z0-9._~-]+|[0-9a-f:.]*:[0-9a-f:.]*", host):
        return None
    user, at, _ = parts.netloc.rpartition("@")
    netloc = quote(user, safe=":%") + at + (f"[{host}]" if ":" in host else host) + port
    encoded = [quote(part, safe="/:@!$&'()*+,;=%~?-._[]") for part in (parts.path, parts.query, parts.fragment)]
    return urlunsplit((parts.scheme, netloc, *encoded))


class Body(fields.String):
    """HTML or Markdown of at most 2 MiB, loaded as `Sanitised`; its relative addresses are resolved."""

    default_error_messages = Text.default_error_messages

    def __init__(self, clean: Callable[[str, str | None], Sanitised], **settings: Any) -> None:
        super().__init__(allow_none=True, metadata={"maxLength": BODY_BYTES, "pattern": PATTERN}, **settings)
        self.clean = clean

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = sized(carriable(super()._deserialize(value, attr, data, **kwargs)))
        if not text.strip():
            return None
        cleaned = self.clean(text, BASE.get())
        if cleaned.unresolved:
            raise ValidationError(
                [Reason("relative_url", f"{address[:200]!r} {BASELESS}") for address in cleaned.unresolved[:20]]
            )
        return cleaned


def html_body() -> Body:
    return Body(sanitise)


def markdown_body() -> Body:
    return Body(cleaned_markdown)


class PlainBody(Text):
    """Plain text of at most 2 MiB."""

    def __init__(self) -> None:
        super().__init__(BODY_BYTES, lines=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        return None if text is None else sized(text)


def sized(text: str) -> str:
    if len(text.encode("utf-8")) > BODY_BYTES:
        raise refuse("too_long", "A body must have at most 2 MiB in UTF-8.")
    return text


class Refused(fields.String):
    """A field of a later version of the contract: known, so that the refusal can say why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(allow_none=True, metadata={"description": f"Not accepted yet. {sentence}", "maxLength": 0})
        self.sentence = sentence

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        raise refuse("unsupported", self.sentence)


class Several(fields.List[Any]):
    """An array of at most `limit` items; null counts as empty."""

    default_error_messages = COMMON | {
        "invalid": Reason("invalid_type", "Must be an array."),
    }

    def __init__(self, item: Any, limit: int) -> None:
        super().__init__(item, allow_none=True, metadata={"maxItems": limit})
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # Counted before they are looked at: a body has room for millions, each with a fault of its own.
        if isinstance(value, list) and len(value) > self.limit:
            raise refuse("too_many", f"Must have at most {self.limit} items; it has {len(value):,}.")
        return super()._deserialize(value, attr, data, **kwargs)


def faults(messages: Any, pointer: str = "") -> Iterator[Fault]:
    """marshmallow's tree of messages as faults with JSON pointers (RFC 6901)."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            step = "" if name == "_schema" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from faults(below, pointer + step)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield Fault(getattr(message, "code", "invalid"), str(message), pointer=printable(pointer))


def printable(text: str) -> str:
    """Text that can be encoded, whatever was sent."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
