"""Fields that hold addresses and bodies: made absolute, cleaned, and refused when they cannot be.

Relative addresses are resolved against `BASE`, the publisher's or the article's own, for the
time of one load.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from marshmallow import ValidationError, fields

from newswire.formats.html.sanitise import NoBaseError, Sanitised, absolute_url, sanitise
from newswire.publishing.draft import cleaned_markdown
from newswire.schemas.fields import PATTERN, Reason, Text, carriable, refuse

BASE: ContextVar[str | None] = ContextVar("BASE", default=None)
BODY_BYTES = 2 * 1024 * 1024
LONGEST_ADDRESS = 2048
BASELESS = "is relative, and neither the article's url nor the publisher's address is known."


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
    encoded = [quote(part, safe="/:@!$&'()*+,;=%~?-._") for part in (parts.path, parts.query, parts.fragment)]
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
