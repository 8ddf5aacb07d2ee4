"""ETags and dates of answers, preconditions of requests (RFC 9110, section 13), and the Idempotency-Key.

An article's ETag names its version, status and representation, never the head, so that a publication elsewhere
makes no update stale. `If-Match` compares id and version, and takes the ETag of any representation, compressed or
weakened by a proxy as it may be.
"""

import re
from datetime import datetime, timedelta

from flask import Request

from newswire.article import ArticleState
from newswire.errors import Fault, Problem
from newswire.publishing.receive import Condition
from newswire.timestamps import EPOCH

# Printable ASCII: what survives every proxy and means the same to all.
IDEMPOTENCY_KEY = re.compile("[ -~]*[!-~][ -~]*")
STRONG_AFTER = 5_000
"""Longer than a commit takes behind the statement that notes the time, and than clocks disagree."""
ARTICLE_TAG = re.compile(r'(?:W/)?"([0-9a-f-]{36})\.([0-9]{1,9})\.[a-z0-9.-]+"')


def article_tag(article_id: str, version: int, status: str, representation: str = "json") -> str:
    """The ETag of an article without its quotes: id.version.status.representation."""
    return f"{article_id}.{version}.{status}.{representation}"


def strong_date(changed_at: int, now: int) -> datetime | None:
    """The `Last-Modified` of what last changed at `changed_at`, both in milliseconds; None while it is too fresh.

    Dates are whole seconds. One that is given out within its own second would also be that of the next
    change, which its holder would miss (RFC 9110, 8.8.2.2).
    """
    return EPOCH + timedelta(seconds=changed_at // 1000) if changed_at and now - changed_at >= STRONG_AFTER else None


def if_match(request: Request, *, required: bool) -> Condition:
    """The condition that the request sets on the article that is stored: If-Match and If-None-Match: *."""
    expected = request.headers.get("If-Match")
    only_new = request.headers.get("If-None-Match", "").strip() == "*"
    if required and expected is None:
        raise Problem(
            "precondition_required",
            "Send If-Match with the ETag of the version that you change, so that no other change is overwritten.",
        )

    def condition(held: ArticleState | None) -> None:
        if only_new and held is not None:
            raise Problem("precondition_failed", f"The article {held.id} exists already.", article_id=held.id)
        if expected is not None and not names_version(expected, held):
            now = "there is none" if held is None else f"version {held.version} is stored"
            raise Problem("precondition_failed", f"If-Match names another version; {now}. Read it again.")

    return condition


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key of the request; raises `invalid_parameter` for an unusable one."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if len(key) > 255 or not IDEMPOTENCY_KEY.fullmatch(key):
        detail = "Must have 1 to 255 printable ASCII characters."
        raise Problem("invalid_parameter", f"Idempotency-Key: {detail}",
                      [Fault("invalid", detail, parameter="Idempotency-Key")])  # fmt: skip
    return key


def names_version(expected: str, held: ArticleState | None) -> bool:
    if held is None:
        return False
    if expected.strip() == "*":
        return True
    return any(found[1] == held.id and int(found[2]) == held.version for found in ARTICLE_TAG.finditer(expected))
