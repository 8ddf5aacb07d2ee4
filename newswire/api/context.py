"""The state of one request (`RequestContext`) and of the process (`SharedState`).

The pipeline creates the context, its steps fill it in, and every view takes it as its first argument. No other state
of a request is kept in Flask's `g` or in the WSGI environment. The steps themselves are in `pipeline`.
"""

import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from sqlalchemy import Connection

from newswire.accounts.callers import Caller
from newswire.api.auth import Authentication, Authenticator, KnownCaller
from newswire.api.cache.pages import PageCache
from newswire.api.cache.polls import PollFlight, PollFlights
from newswire.api.limits.quotas import RequestQuotas, Reservation
from newswire.api.limits.slots import Slot, SlotLedger, SlotPool, address_party, busy_problem
from newswire.api.request.address import client_address
from newswire.changes.follow import LiveWire
from newswire.config import Settings
from newswire.reading.lists import Calendar
from newswire.search.dictionary import SynonymCache
from newswire.store.database import Database
from newswire.store.query_watch import QueryLimit
from newswire.wire import Head, PerHead

logger = logging.getLogger("newswire.request")

# A client's id goes into a header and into the log, so that neither may be broken up by it.
VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
CLIENT_GONE = "newswire.client_gone"
"""The WSGI variable, set by servers that can tell: a function that returns whether the client has gone."""
LEAST_WAIT_SECONDS = 0.25
"""Of its patience a request keeps this much for each lock: a short wait is no reason to refuse what is half done."""
UNLIMITED = 2**63
"""In the place of a time in milliseconds that never comes."""


@dataclass(frozen=True, slots=True)
class SharedState:
    """The objects that all requests of one process share; `create_app` makes them.

    `slots` bounds the requests that are processed at the same time, and apart from them the streams and long polls,
    which have no slot of a reader while they wait: hundreds of waiting readers block no other request.
    """

    settings: Settings
    database: Database
    feed: LiveWire
    authenticator: Authenticator
    calendar: Calendar
    languages: PerHead[Sequence[str]]
    synonyms: SynonymCache
    slots: SlotLedger
    quotas: RequestQuotas

    def close(self) -> None:
        """Ends every stream and closes the database."""
        self.feed.watcher.close()
        self.feed.watcher.join()
        self.database.dispose()


@dataclass(slots=True)
class RequestContext:
    """The state of one request; its fields are in the order in which the pipeline sets them.

    `began` is in seconds of `time.perf_counter`, `patience` in seconds that it may still wait. `base_url` begins our
    own URLs, without a slash at its end; it is "" when the Host header is invalid. `query` are the parameters of the
    URL as sent, in order.
    """

    state: SharedState
    request: Request
    request_id: str
    began: float
    base_url: str
    query: list[tuple[str, str]]
    patience: float
    # From the page cache's middleware: None for requests other than GET, and while the database is unreachable.
    page_cache: PageCache | None = None
    head_seen: Head | None = None
    known_caller: KnownCaller | None = None
    flights: PollFlights | None = None
    flight: PollFlight | None = None
    # Authentication. `fingerprint` is a hash of what the caller may see, None if the response may not be cached.
    identified: Caller | None = None
    fingerprint: str | None = None
    signed_body: bytes | None = None
    reservation: Reservation | None = None
    # Content negotiation, and the parameters of the query as loaded by the schema of the route.
    media_type: str = "application/json"
    parameters: dict[str, Any] = field(default_factory=dict)
    # Set by the view and the pipeline: for `Vary`, and until which head and time the page cache may keep the response.
    vary: tuple[str, ...] = ()
    # Whether caches on the way may answer others with the response for a while (NEWSWIRE_SHARED_MAX_AGE).
    is_shared: bool = False
    cacheable_head: Head | None = None
    cacheable_until: int = UNLIMITED
    slots: list[Slot] = field(default_factory=list)
    # Set when the request was refused before any work: then it costs nothing of its quota.
    is_free: bool = False
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

    @property
    def client_address(self) -> str | None:
        """The address that this request is counted for; see `address.client_address`."""
        return client_address(self.request.environ, self.state.settings.trusted_proxies)

    @property
    def party(self) -> str:
        """Whose share of slots the request needs: its party's, or that of its address if it has no key."""
        return party_of(self.caller, self.request.environ, self.state.settings)

    def set_identity(self, found: Authentication) -> None:
        self.identified, self.fingerprint, self.signed_body = found

    def mark_cacheable(self, head: Head, *ends: int | None) -> None:
        """Lets the page cache keep the response for `head`, until the earliest of `ends` (milliseconds)."""
        self.cacheable_head = head
        self.cacheable_until = min((end for end in ends if end is not None), default=UNLIMITED)

    def take_slot(self, pool: SlotPool, party: str) -> Slot:
        """Waits for a slot of the process, which `release_slots` returns; raises `unavailable`."""
        began = time.perf_counter()
        slot = self.state.slots.take(pool, party, max(self.patience, 0.0))
        self.patience -= time.perf_counter() - began
        self.slots.append(slot)
        return slot

    def take_address(self, address: str) -> None:
        """Counts a request of an address behind a trusted proxy; raises `unavailable` when it has too many."""
        slot = self.state.slots.take_now(self.state.slots.addresses, address)
        if slot is None:
            raise busy_problem("Too many requests of your address are in progress; try again.", 1.0)
        self.slots.append(slot)

    def release_slot(self, slot: Slot) -> None:
        """Releases one slot before the end of the request."""
        self.slots.remove(slot)
        slot.release()

    def release_slots(self) -> None:
        """Releases all slots. A long poll does it before it waits, and the end of the request once more."""
        while self.slots:
            self.slots.pop().release()

    def land_flight(self) -> None:
        """Ends the flight that this poll leads without a page: those who wait for it begin again."""
        if self.flight is not None and self.flights is not None:
            self.flights.land(self.flight)

    @contextmanager
    def begin(self, *, keep: bool = True) -> Iterator[Connection]:
        """A write transaction (see `Database.begin`) that waits no longer for a lock than the request still may."""
        began = time.perf_counter()
        with self.database.begin(keep=keep, wait=max(self.patience, LEAST_WAIT_SECONDS)) as connection:
            self.patience -= time.perf_counter() - began
            yield connection


def party_of(caller: Caller, environ: Mapping[str, Any], settings: Settings) -> str:
    """The party of a caller, or of its address if it has no key."""
    if caller.kind != "public":
        return caller.party
    return address_party(client_address(environ, settings.trusted_proxies))


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
