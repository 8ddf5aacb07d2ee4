"""Problem details (RFC 9457): the closed list of codes, and the exception that carries one.

Every refusal in the project is a `Problem` with a code of `CODES`. `api.problems` makes the HTTP response of it, the
command line prints `detail`. HTTP status numbers are all that is known of HTTP here.
"""

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self


class Kind(NamedTuple):
    """A code of the closed list: its HTTP status, and its title, which never changes."""

    status: int
    title: str


CODES: dict[str, Kind] = {
    "malformed_json": Kind(400, "The body cannot be read"),
    "unknown_parameter": Kind(400, "Unknown query parameter"),
    "invalid_parameter": Kind(400, "A query parameter has an unusable value"),
    "invalid_query": Kind(400, "The search query cannot be understood"),
    "invalid_cursor": Kind(400, "The cursor was not made by this wire"),
    "cursor_mismatch": Kind(400, "The cursor belongs to another query"),
    "unauthenticated": Kind(401, "A valid key is needed"),
    "insufficient_scope": Kind(403, "The key may not do this"),
    "not_found": Kind(404, "Not found"),
    "method_not_allowed": Kind(405, "Method not allowed"),
    "not_acceptable": Kind(406, "No acceptable representation"),
    "duplicate_external_id": Kind(409, "An article with this external_id exists"),
    "stale_version": Kind(409, "A newer source_version is already stored"),
    "cursor_ahead": Kind(409, "The position lies beyond the head of the wire"),
    "wire_changed": Kind(409, "The position belongs to another wire"),
    "wire_forked": Kind(409, "The position belongs to a history that this wire has lost"),
    "article_canceled": Kind(410, "The article was killed"),
    "cursor_expired": Kind(410, "The position lies before the retained history"),
    "precondition_failed": Kind(412, "A precondition does not hold"),
    "too_large": Kind(413, "The body is too large"),
    "unsupported_media_type": Kind(415, "The body has an unsupported type or encoding"),
    "validation_failed": Kind(422, "The content is not valid"),
    "idempotency_key_reused": Kind(422, "The Idempotency-Key was used with another request"),
    "precondition_required": Kind(428, "If-Match is required"),
    "quota_exceeded": Kind(429, "Too many requests for the quota"),
    "internal": Kind(500, "Internal error"),
    "query_too_slow": Kind(503, "The query takes too long"),
    "unavailable": Kind(503, "Temporarily unavailable"),
}


@dataclass(frozen=True)
class Fault:
    """One fault of a request: where it is (a JSON pointer, RFC 6901, or a parameter), what, and what to do.

    `code` is more specific than the code of the problem: required, unknown_field, too_long, invalid …
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    did_you_mean: str | None = None

    def under(self, prefix: str) -> Self:
        """The same fault seen from the document that holds this one at the pointer `prefix`."""
        return replace(self, pointer=prefix + (self.pointer or ""))

    def as_dict(self) -> dict[str, Any]:
        location = {"parameter": self.parameter} if self.parameter is not None else {"pointer": self.pointer or ""}
        hint = {"did_you_mean": self.did_you_mean} if self.did_you_mean else {}
        return {**location, "code": self.code, "detail": self.detail, **hint}


class Problem(Exception):
    """The refusal of a request: a `code` of `CODES`, a sentence for the caller, and the faults."""

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Sequence[Fault] = (),
        *,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}
        self.members = members

    @property
    def status(self) -> int:
        return CODES[self.code].status

    def as_dict(self) -> dict[str, Any]:
        """The members of RFC 9457 that do not depend on the request."""
        return {
            "title": CODES[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [fault.as_dict() for fault in self.errors],
            **self.members,
        }


class DamageError(Problem):
    """Stored data is not what was written (bit rot, a failed disk). `reason` is for the operator, not for callers."""

    def __init__(self, reason: str) -> None:
        detail = "The database is damaged: nothing is served or stored until its operator has put it right."
        super().__init__("unavailable", detail, headers={"Retry-After": "300"})
        self.reason = reason


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that a mistyped one resembles most (difflib's ratio, 0.6 at least), or None."""
    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def suggest_name(name: str, known: Collection[str]) -> str:
    """The hint for a name that is not `known`: the closest one of them, or all."""
    closest = closest_name(name, known)
    return f"Did you mean {closest}?" if closest else f"Known are: {', '.join(known)}."


def invalid_at(pointer: str, code: str, detail: str) -> Problem:
    """A 422 about one member of the body."""
    return Problem("validation_failed", detail, [Fault(code, detail, pointer=pointer)])
