"""WSGI middleware that responds from the page cache and passes all other requests on to Flask.

The key of a page contains all that the response depends on: the URL as sent, the base of our own URLs, `Accept` and
`Accept-Encoding`, and the fingerprint of what the caller may see; the cache holds the pages of one head and
configuration revision. So no page is stale, and no caller gets a page made for another view of the wire. Responses to
publishers and admins are not cached: an embargoed article changes them without moving the head.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from flask import Response
from werkzeug.http import HTTP_STATUS_CODES, parse_date

from newswire.accounts.callers import PUBLIC, Caller
from newswire.api.auth import PUBLIC_FINGERPRINT, KnownCaller
from newswire.api.cache.pages import CachedPage, Key, PageCache, is_later, size_of_page
from newswire.api.cache.polls import PollFlight, PollFlights
from newswire.api.context import CLIENT_GONE, RequestContext, SharedState, log_request, party_of, request_id_of
from newswire.api.cross_origin import cross_origin_headers
from newswire.api.responses import SAFE_HEADERS, holds_representation
from newswire.timestamps import now
from newswire.wire import Head, look_at_head, revision_of

LARGEST_BYTES = 1024 * 1024
"""A larger page is not cached."""
TICK_SECONDS = 1.0
"""How often a poll that waits for another one looks whether its client is still there."""
HEADERS_OF_304 = frozenset({"ETag", "Cache-Control", "Vary", *(name for name, _ in SAFE_HEADERS)})
ADDRESS = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "SCRIPT_NAME",
           "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING")  # fmt: skip
"""The WSGI variables that a response depends on."""
HANDED_OVER = "newswire.page_cache"
WAIT = re.compile("[0-9]{1,2}", re.ASCII)
Environment = dict[str, Any]
Application = Callable[[Environment, Any], Iterable[bytes]]


class HandOver(NamedTuple):
    """The results of the middleware that the pipeline uses again; `head` is None while the database is unreachable.

    `began` is when the request came (0: unknown), and `looked_at` when the head was read, in seconds of
    `time.perf_counter`: a poll may have waited for another one between the two. `flight` is set for a poll that leads
    others.
    """

    page_cache: PageCache | None = None
    head: Head | None = None
    known_caller: KnownCaller | None = None
    began: float = 0.0
    looked_at: float = 0.0
    flights: PollFlights | None = None
    flight: PollFlight | None = None


def handed_over(environ: Environment) -> HandOver:
    """The `HandOver` of this request; an empty one for requests that are never cached, such as POST."""
    found: HandOver = environ.get(HANDED_OVER, HandOver())
    return found


class PageCacheMiddleware:
    """WSGI middleware that answers from the page cache, or else calls Flask and lets its answer be cached."""

    def __init__(self, application: Application, state: SharedState) -> None:
        self.application = application
        self.state = state
        self.pages = PageCache()
        self.polls = PollFlights()

    def __call__(self, environ: Environment, start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith("/v1/"):
            return self.application(environ, start_response)
        began = time.perf_counter()
        seconds = poll_seconds(environ)
        answer = None
        while answer is None:
            answer = self._answer(environ, start_response, began, began + seconds)
        return answer

    def _answer(self, environ: Environment, start_response: Any, began: float, until: float) -> Iterable[bytes] | None:
        """The response; None for a poll that has waited for another one in vain, and has to begin again.

        `until` is how long the request may wait for an entry, in seconds of `time.perf_counter`.
        """
        looked_at = time.perf_counter()
        head, history = look_at_head(self.state.database), self.state.feed.history
        if head != history.newest:
            # The log may have lost what this process has seen of it; then the wire takes a new id before any answer.
            head = history.admit(head)
        # Read after the look, because the first one of a process measures the clock of the database.
        moment = now()
        caller, fingerprint, known = self._caller_of(environ, head, moment)
        environ[HANDED_OVER] = found = HandOver(self.pages, head, known, began, looked_at)
        if head is None:
            # The application will fail to reach the database too, and respond with a problem document.
            return self.application(environ, start_response)
        self.pages.drop_other_heads(head)
        if caller is None or fingerprint is None:
            return self.application(environ, start_response)
        key = key_of_page(environ, fingerprint, caller)
        if until > looked_at:
            page, is_to_make = self.pages.recall_page(key, head, moment), False
        else:
            # May wait for another request that is making the same page (single flight).
            page, is_to_make = self.pages.find_page(key, head, moment)
        if page is not None:
            sent = self._send(page, caller, environ, start_response, began)
            if sent is not None:
                return sent
        if until > looked_at:
            return self._poll(key, caller, found, environ, start_response, until)
        if not is_to_make:
            return self.application(environ, start_response)
        try:
            return self.application(environ, start_response)
        finally:
            self.pages.finish_making(key)

    def _send(
        self, page: CachedPage, caller: Caller, environ: Environment, start_response: Any, began: float
    ) -> Iterable[bytes] | None:
        """Responds with a page that is kept; None if the application has to respond."""
        unchanged = holds_page(environ, page)
        # A cached 304 has no body: a client without the ETag has to be served by the application.
        if not unchanged and page.body is None:
            return None
        quotas = self.state.quotas
        reservation = quotas.reserve(caller, "read", environ)
        # A request over its quota is refused by the application, as it is without a cache.
        if reservation is not None and not reservation.is_granted:
            return None
        origins = self.state.settings.cors_origins
        added = cross_origin_headers(origins, environ) if origins else []
        if reservation is not None:
            if unchanged:
                quotas.give_back(reservation)
            if not is_shared(page):
                added += reservation.headers(time.monotonic(), given_back=unchanged)
        return send_page(page, unchanged, added, caller, environ, start_response, began)

    def _poll(
        self, key: Key, caller: Caller, found: HandOver, environ: Environment, start_response: Any, until: float
    ) -> Iterable[bytes] | None:
        """Answers a poll that may wait: it leads those with the same key that come after it, or waits for their leader.

        None if it has to begin again, because its leader had no page for it.
        """
        flight, leads = self.polls.board(key)
        if leads:
            environ[HANDED_OVER] = found._replace(flights=self.polls, flight=flight)
            try:
                return self.application(environ, start_response)
            finally:
                self.polls.land(flight)
        quotas, slots = self.state.quotas, self.state.slots
        party = party_of(caller, environ, self.state.settings)
        slot = None if quotas.is_used_up(caller, "read", environ) else slots.take_now(slots.streams, party)
        if slot is None:
            # The application refuses it, or has a page for it at once.
            return self.application(environ, start_response)
        try:
            self._await_landing(flight, caller, environ, until)
        finally:
            slot.release()
        try:
            page = page_for(flight, caller, found.head)
            return None if page is None else self._send(page, caller, environ, start_response, found.began)
        finally:
            self.polls.wake_next(flight)

    def _await_landing(self, flight: PollFlight, caller: Caller, environ: Environment, until: float) -> None:
        """Waits for the end of a flight, at most `until` or as long as the caller's key, while the client is there."""
        is_client_gone = environ.get(CLIENT_GONE, bool)
        if caller.expires_at is not None:
            until = min(until, time.perf_counter() + (caller.expires_at - now()) / 1000)
        while (left := until - time.perf_counter()) > 0 and not self.polls.wait(flight, min(left, TICK_SECONDS)):
            if is_client_gone():
                return

    def _caller_of(
        self, environ: Environment, head: Head | None, moment: int
    ) -> tuple[Caller | None, str | None, KnownCaller | None]:
        """The caller and its fingerprint, both None if its pages are not cached; and its entry in the caller cache."""
        header = environ.get("HTTP_AUTHORIZATION")
        if header is None:
            return (PUBLIC, PUBLIC_FINGERPRINT, None) if self.state.settings.public_read else (None, None, None)
        known = self.state.authenticator.recall(header, head, moment)
        if known is None or not known.caller.visibility.shares_pages or "read" not in known.caller.scopes:
            return None, None, known
        return known.caller, known.fingerprint, known


def page_for(flight: PollFlight, caller: Caller, seen: Head | None) -> CachedPage | None:
    """The page of a flight, if a caller who has seen the head `seen` would get the same one now.

    It was made at another head. That may not be an older one, or it would lack an entry that the caller knows of; nor
    may an edit of any access lie between the two, or the caller might not be allowed to see it.
    """
    page, head = flight.page, flight.head
    if page is None or head is None or not is_later(head, seen) or revision_of(head) != revision_of(seen or head):
        return None
    return page if caller.expires_at is None or caller.expires_at > now() else None


def poll_seconds(environ: Environment) -> float:
    """How long a poll may wait that shares its response with others; 0 for every other request.

    Its position must be a number, beside which no other may be named: `start=now` is another one for each who asks, and
    a consumer's moves without an entry. Who has sent the token of a feed is known to the application only.
    """
    sent = environ.get("QUERY_STRING", "")
    if "wait=" not in sent or not environ["PATH_INFO"].endswith("/changes"):
        return 0.0
    asked = dict(parse_qsl(sent, keep_blank_values=True))
    seconds = asked.get("wait", "")
    accept = environ.get("HTTP_ACCEPT", "")
    if (
        "after" not in asked
        or "token" in asked
        or "event-stream" in accept
        or "ndjson" in accept
        or not WAIT.fullmatch(seconds)
    ):
        return 0.0
    return float(seconds)


def key_of_page(environ: Environment, fingerprint: str, caller: Caller) -> Key:
    """The key of a page: all that a response depends on but the head; for saved feeds also their owner."""
    party = caller.party if environ["PATH_INFO"].startswith("/v1/feeds") else None
    return (fingerprint, party, *map(environ.get, ADDRESS))


def holds_page(environ: Environment, page: CachedPage) -> bool:
    """Whether If-None-Match or If-Modified-Since of the request name this cached page."""
    tags, since = environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE")
    if tags is None and since is None:
        return False
    headers = dict(page.headers)
    if "ETag" not in headers:
        return False
    # `holds_representation` takes the ETag of the uncompressed form.
    tag = headers["ETag"][1:-1].removesuffix(".gz")
    return holds_representation(tag, parse_date(headers.get("Last-Modified")), tags, since)


def is_shared(page: CachedPage) -> bool:
    """Whether other caches may answer with this page, so that it says nothing of the caller's quota."""
    return "s-maxage" in dict(page.headers).get("Cache-Control", "")


def send_page(
    page: CachedPage, unchanged: bool, added: list[tuple[str, str]], caller: Caller, environ: Environment,
    start_response: Any, began: float,
) -> list[bytes]:  # fmt: skip
    """Responds with a cached page, or with 304 if it is `unchanged`, and logs the request.

    `added` are the headers that only this response to the page has.
    """
    request_id = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
    status = 304 if unchanged else 200
    headers = [each for each in page.headers if each[0] in HEADERS_OF_304] if unchanged else list(page.headers)
    headers += [("X-Request-Id", request_id), *added]
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    log_request(request_id, "GET", path, status, began, caller)
    start_response(f"{status} {HTTP_STATUS_CODES[status].upper()}", headers)
    return [] if unchanged or page.body is None else [page.body]


def offer_page(context: RequestContext, response: Response) -> None:
    """Stores a finished response in the page cache, if its view has marked it as cacheable."""
    head, fingerprint = context.cacheable_head, context.fingerprint
    unchanged = response.status_code == 304
    if head is None or context.page_cache is None or not (unchanged or response.status_code == 200):
        return
    # The caller and the saved feed were read at `head_seen`. If an edit lies between that and the head that the view
    # read, the two may not belong together. Authentication by a feed's token sets no fingerprint, because a revoked
    # token must end at once.
    is_shared, seen = context.caller.visibility.shares_pages, context.head_seen
    belongs = seen is not None and revision_of(head) == revision_of(seen)
    if not belongs or fingerprint is None or not is_shared or response.is_streamed:
        return
    body = response.get_data()
    if not unchanged:
        response.headers["Content-Length"] = str(len(body))
    headers = tuple([each for each in response.headers if each[0] != "X-Request-Id"])
    key = key_of_page(context.request.environ, fingerprint, context.caller)
    page = CachedPage(
        headers, None if unchanged else body, context.cacheable_until, size_of_page(key, headers, body or b"")
    )
    if len(body) <= LARGEST_BYTES:
        context.page_cache.store_page(key, head, page)
    if context.flight is not None and context.flights is not None:
        context.flights.land(context.flight, page, head)
