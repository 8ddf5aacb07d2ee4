"""The state of one request (`RequestContext`) and of the process (`SharedState`).

The pipeline creates the context, its steps fill it in, and every view takes it as its first argument. No other state
of a request is kept in Flask's `g` or in the WSGI environment. The steps themselves are in `pipeline`.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Request

from newswire.accounts.callers import Caller
from newswire.api.auth import Authenticator, KnownCaller
from newswire.api.cache.pages import PageCache
from newswire.changes.follow import LiveWire
from newswire.config import Settings
from newswire.errors import Problem
from newswire.reading.lists import Calendar
from newswire.store.database import Database
from newswire.store.query_watch import QueryLimit
from newswire.wire import Head, PerHead

logger = logging.getLogger("newswire.request")

# A client's id goes into a header and into the log, so that neither may be broken up by it.
VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
SLOT_SECONDS = 30.0
"""How long a request waits for a slot before it is refused."""
CLIENT_GONE = "newswire.client_gone"
"""The WSGI variable, set by servers that can tell: a function that returns whether the client has gone."""
UNLIMITED = 2**63
"""In the place of a time in milliseconds that never comes."""


@dataclass(frozen=True, slots=True)
class SharedState:
    """The objects that all requests of one process share; `create_app` makes them.

    `request_slots` bounds the requests that are processed at the same time. `stream_slots` bounds the streams and the
    long polls, which take no slot of the former while they wait: hundreds of waiting readers block no other request.
    """

    settings: Settings
    database: Database
    feed: LiveWire
    authenticator: Authenticator
    calendar: Calendar
    languages: PerHead[Sequence[str]]
    request_slots: threading.BoundedSemaphore
    stream_slots: threading.BoundedSemaphore

    def close(self) -> None:
        """Ends every stream and closes the database."""
        self.feed.watcher.close()
        self.feed.watcher.join()
        self.database.dispose()


@dataclass(slots=True)
class RequestContext:
    """The state of one request; its fields are in the order in which the pipeline sets them.

    `began` is in seconds of `time.perf_counter`. `base_url` begins our own URLs, without a slash at its end; it is ""
    when the Host header is invalid. `query` are the parameters of the URL as sent, in order.
    """

    state: SharedState
    request: Request
    request_id: str
    began: float
    base_url: str
    query: list[tuple[str, str]]
    # From the page cache's middleware: None for requests other than GET, and while the database is unreachable.
    page_cache: PageCache | None = None
    head_seen: Head | None = None
    known_caller: KnownCaller | None = None
    # Authentication. `fingerprint` is a hash of what the caller may see, None if the response may not be cached.
    identified: Caller | None = None
    fingerprint: str | None = None
    signed_body: bytes | None = None
    # Content negotiation, and the parameters of the query as loaded by the schema of the route.
    media_type: str = "application/json"
    parameters: dict[str, Any] = field(default_factory=dict)
    # Set by the view and the pipeline: for `Vary`, and until which head and time the page cache may keep the response.
    vary: tuple[str, ...] = ()
    cacheable_head: Head | None = None
    cacheable_until: int = UNLIMITED
    holds_slot: bool = False
    own_url: str | None = None
    own_limit: QueryLimit | None = None

    @property
    def caller(self) -> Caller:
        """The authenticated caller. Views of open routes (scope None) have none and must not use it."""
        assert self.identified is not None
        return self.identified

    @property
    def database(self) -> Database:
        return self.state.database

    @property
    def query_limit(self) -> QueryLimit:
        """The deadline of all queries of this request together."""
        if self.own_limit is None:
            is_caller_gone = self.request.environ.get(CLIENT_GONE)
            self.own_limit = QueryLimit(self.state.settings.query_seconds, is_caller_gone)
        return self.own_limit

    def mark_cacheable(self, head: Head, *ends: int | None) -> None:
        """Lets the page cache keep the response for `head`, until the earliest of `ends` (milliseconds)."""
        self.cacheable_head = head
        self.cacheable_until = min((end for end in ends if end is not None), default=UNLIMITED)

    def take_slot(self) -> None:
        """Waits up to `SLOT_SECONDS` for one of the process's request slots; raises `unavailable`."""
        if not self.state.request_slots.acquire(timeout=SLOT_SECONDS):
            raise Problem("unavailable", "Too many requests at once; try again.", headers={"Retry-After": "1"})
        self.holds_slot = True

    def release_slot(self) -> None:
        """Releases the request slot. A long poll does it before it waits, and the end of the request once more."""
        if self.holds_slot:
            self.holds_slot = False
            self.state.request_slots.release()


def request_id_of(sent: str) -> str:
    """The `X-Request-Id` that the client sent, if it is safe in headers and logs, else a new random one."""
    return sent if VALID_REQUEST_ID.fullmatch(sent) else os.urandom(16).hex()


def log_request(request_id: str, method: str, path: str, status: int, began: float, caller: Caller | None) -> None:
    """Logs one structured line for a request; keys and query strings stay out, as tokens are in them."""
    if not logger.isEnabledFor(logging.INFO):
        return
    logger.info(
        "request",
        extra={
            "request_id": request_id,
            "method": method,
            "path": path,
            "status": status,
            "milliseconds": round((time.perf_counter() - began) * 1000, 1),
            "caller": caller and caller.party,
        },
    )
