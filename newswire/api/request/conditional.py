"""ETags and dates of responses, preconditions of requests (RFC 9110, section 13), and the Idempotency-Key.

An article's ETag consists of its id, version, status and representation. The head is not part of it, so that the
publication of another article does not make an update fail. `If-Match` compares only id and version: the ETag of any
representation will do, also a compressed one or one that a proxy has weakened.
"""

import re
from datetime import datetime, timedelta

from flask import Request

from newswire.article import ArticleState
from newswire.errors import Fault, Problem
from newswire.publishing.receive import Condition
from newswire.timestamps import EPOCH

# Printable ASCII with at least one character that is no blank: proxies change or refuse other header values.
IDEMPOTENCY_KEY = re.compile("[ -~]*[!-~][ -~]*")
STRONG_AFTER = 5_000
"""Milliseconds; longer than from noting the time of a change to its commit, and than the clocks of servers differ."""
ARTICLE_TAG = re.compile(r'(?:W/)?"([0-9a-f-]{36})\.([0-9]{1,9})\.[a-z0-9.;:-]+"')
ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)')
"""One of the ETags in a header; the second group is one that a client sends without its quotes."""
PROXY_MARK = re.compile("[-;:]{1,2}(?:gzip|br|zstd|deflate)")
"""What a proxy that compresses appends to an ETag: `-gzip` by Apache, `--gzip` by Jetty, `;gzip`, `-br` or `-zstd`."""


def article_tag(article_id: str, version: int, status: str, representation: str = "json") -> str:
    """The ETag of an article without its quotes: id.version.status.representation."""
    return f"{article_id}.{version}.{status}.{representation}"


def names_tag(header: str, *tags: str) -> bool:
    """Whether an If-None-Match header holds `*` or one of our `tags` (without quotes), by weak comparison.

    Also as a proxy returns it that has compressed the response: weakened, or with a mark at its end.
    """
    if header.strip() == "*":
        return True
    for found in ENTITY_TAG.finditer(header):
        held = found[1] or found[2] or ""
        # None of our own tags ends with such a mark.
        for tag in tags:
            if held == tag or (held.startswith(tag) and PROXY_MARK.fullmatch(held, len(tag))):
                return True
    return False


def strong_date(changed_at: int, now: int) -> datetime | None:
    """The `Last-Modified` for a change at `changed_at` (milliseconds); None until `STRONG_AFTER` has passed since.

    HTTP dates are whole seconds. A second change within the same second would have the same date, and a client with
    the date of the first would never see it (RFC 9110, 8.8.2.2).
    """
    return EPOCH + timedelta(seconds=changed_at // 1000) if changed_at and now - changed_at >= STRONG_AFTER else None


def if_match(request: Request, *, required: bool) -> Condition:
    """The request's precondition for the stored article, from If-Match and `If-None-Match: *`.

    With `required`, a request without If-Match raises `precondition_required`. The condition is returned instead of
    checked, because it has to be checked when the row of the article is locked.
    """
    expected = request.headers.get("If-Match")
    only_new = request.headers.get("If-None-Match", "").strip() == "*"
    if required and expected is None:
        raise Problem(
            "precondition_required",
            "Send If-Match with the ETag of the version that you change, so that no other change is overwritten.",
        )

    def condition(stored: ArticleState | None) -> None:
        if only_new and stored is not None:
            raise Problem("precondition_failed", f"The article {stored.id} exists already.", article_id=stored.id)
        if expected is not None and not names_version(expected, stored):
            now = "there is none" if stored is None else f"version {stored.version} is stored"
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


def names_version(expected: str, stored: ArticleState | None) -> bool:
    """Whether an If-Match header holds `*` or an ETag of the stored version."""
    if stored is None:
        return False
    if expected.strip() == "*":
        return True
    return any(found[1] == stored.id and int(found[2]) == stored.version for found in ARTICLE_TAG.finditer(expected))
