"""The data that the steps of a request hand on: one `RequestContext`, and the `SharedState` of the process.

The pipeline makes the context, its steps fill it in, and every view gets it as its first argument. Nothing else of
a request is kept anywhere: not in Flask's `g`, not in the WSGI environment.
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
from newswire.wire import Head, PerHead

logger = logging.getLogger("newswire.request")

VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
SLOT_SECONDS = 30.0
"""How long a request waits for a slot before it is refused."""
UNLIMITED = 2**63


@dataclass(frozen=True, slots=True)
class SharedState:
    """What all requests of one process share; made once, by `create_app`.

    `request_slots` bounds the requests that are answered at the same time, `stream_slots` the streams and the
    requests that wait for news: two hundred readers who wait keep nobody from being answered.
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
    """What is known of one request, in the order in which the pipeline finds it out.

    `began` is on the clock of `time.perf_counter`; `base_url` is the beginning of our own URLs, without a slash at
    its end, "" when the Host header names no host; `query` are the parameters of the URL as they were sent.
    """

    state: SharedState
    request: Request
    request_id: str
    began: float
    base_url: str
    query: list[tuple[str, str]]
    # What the page cache found out already: None for requests that do not pass it, and while the database is away.
    page_cache: PageCache | None = None
    head_seen: Head | None = None
    known_caller: KnownCaller | None = None
    # Authentication. `fingerprint` stands for what the caller may see; None where no answer may be shared.
    identified: Caller | None = None
    fingerprint: str | None = None
    signed_body: bytes | None = None
    # Negotiation and parameters, as the view gets them.
    media_type: str = "application/json"
    parameters: dict[str, Any] = field(default_factory=dict)
    # What the view and its route say of the answer: request headers that it depends on, and how long it may be cached.
    vary: tuple[str, ...] = ()
    cacheable_head: Head | None = None
    cacheable_until: int = UNLIMITED
    holds_slot: bool = False
    own_url: str | None = None

    @property
    def caller(self) -> Caller:
        """Who calls; only the views of open routes are run without knowing it, and may not ask."""
        assert self.identified is not None
        return self.identified

    @property
    def database(self) -> Database:
        return self.state.database

    def mark_cacheable(self, head: Head, *ends: int | None) -> None:
        """Lets the answer be cached as long as the wire stands at `head`, until the first of `ends` (milliseconds)."""
        self.cacheable_head = head
        self.cacheable_until = min((end for end in ends if end is not None), default=UNLIMITED)

    def take_slot(self) -> None:
        """Waits for one of the process's slots for requests; raises `unavailable` when none gets free for long."""
        if not self.state.request_slots.acquire(timeout=SLOT_SECONDS):
            raise Problem("unavailable", "Too many requests at once; try again.", headers={"Retry-After": "1"})
        self.holds_slot = True

    def release_slot(self) -> None:
        """Gives the slot back, if this request holds one: at its end, or while it waits for news."""
        if self.holds_slot:
            self.holds_slot = False
            self.state.request_slots.release()


def request_id_of(sent: str) -> str:
    """The `X-Request-Id` that the client sent if it has a safe form, else a new one."""
    return sent if VALID_REQUEST_ID.fullmatch(sent) else os.urandom(16).hex()


def log_request(request_id: str, method: str, path: str, status: int, began: float, caller: Caller | None) -> None:
    """Writes one structured line for a request, without keys and query strings."""
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
