"""Pages that are kept, exactly as fresh as the wire, and answered before Flask is asked.

A page is kept under everything that it depends on: the address as it came, the base of our own
addresses, what the caller takes and may see, where the wire stands and which revision its
configuration has. All kept pages are of one head: the first look at another one forgets
them. A page that depends on the time too says until when it holds. What publishers and
admins see of their own is never kept.

When the head moves, all who ask for the same page find it gone at once. One of them makes it, and the
others wait for that one.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from flask import Response, g, request
from werkzeug.http import HTTP_STATUS_CODES, parse_date

from newswire.accounts.callers import PUBLIC, Caller
from newswire.api import request_log
from newswire.api.cache.callers import KNOWN, Callers
from newswire.api.request.conditional import is_held
from newswire.api.request_log import sane_request_id
from newswire.api.state import HEAD
from newswire.reading.at_one_head import glance
from newswire.store.database import Database
from newswire.timestamps import now
from newswire.wire import Head

MOST_BYTES = 4 * 1024 * 1024
LARGEST = 1024 * 1024
BESIDE = 2000
"""Bytes of the objects that a page is made of."""
MOST_REPEATED = 4096
PATIENCE = 10.0
"""Seconds that one waits for another to make a page; then everyone makes their own."""
OF_304 = frozenset({"ETag", "Cache-Control", "Vary"})
FOR_EVER = 2**63
KEPT = "newswire.kept"
Key = tuple[str | None, ...]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Page(NamedTuple):
    """An answer as it was sent, without its request id; it holds `until`, in milliseconds, and takes `size`.

    Of a 304 there is no body; it is for whoever holds the page.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    until: int
    size: int

    def is_held(self, tags: str | None, since: str | None) -> bool:
        """Whether a caller with these headers, If-None-Match and If-Modified-Since, holds it already."""
        if tags is None and since is None:
            return False
        own = dict(self.headers)
        # As it is uncompressed.
        tag = own["ETag"][1:-1].removesuffix(".gz") if "ETag" in own else None
        return tag is not None and is_held(tag, parse_date(own.get("Last-Modified")), tags, since)


class Pages:
    """The pages of one head, the least lately asked for forgotten first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._head: Head | None = None
        self._size = 0
        # Hashes of the keys of pages that were kept and asked for again, of this head or an earlier one.
        self._repeated: OrderedDict[int, None] = OrderedDict()
        self._making: dict[Key, threading.Event] = {}
        self._lock = threading.Lock()

    def move_to(self, head: Head) -> None:
        """Forgets the pages of any other head; compared whole, as a restored wire may stand at the same number."""
        with self._lock:
            if head != self._head:
                self._pages.clear()
                self._size = 0
                self._head = head

    def find(self, key: Key, head: Head, now: int) -> tuple[Page | None, bool]:
        """The page that is kept under `key`, if it holds now and `head` is still the one.

        It is waited for while another one makes it. True: nobody does, and the caller is to, and to say when it is
        `made`. Only what was kept before and asked for again is waited for: of nothing else is known whether it
        will be kept.
        """
        with self._lock:
            page = self._held(key, head, now)
            if page is not None or hash(key) not in self._repeated:
                return page, False
            made = self._making.get(key)
            if made is None:
                self._making[key] = threading.Event()
                return None, True
        made.wait(PATIENCE)
        with self._lock:
            return self._held(key, head, now), False

    def made(self, key: Key) -> None:
        """The page is kept, or it turned out to be none that can be."""
        with self._lock:
            self._making.pop(key).set()

    def _held(self, key: Key, head: Head, now: int) -> Page | None:
        page = self._pages.get(key)
        if head != self._head or page is None or page.until <= now:
            return None
        self._pages.move_to_end(key)
        self._repeated[hash(key)] = None
        self._repeated.move_to_end(hash(key))
        if len(self._repeated) > MOST_REPEATED:
            self._repeated.popitem(last=False)
        return page

    def keep(self, key: Key, head: Head, page: Page) -> None:
        """Keeps a page of `head`, unless the wire has moved on."""
        with self._lock:
            if head != self._head:
                return
            if (old := self._pages.pop(key, None)) is not None:
                self._size -= old.size
            self._pages[key] = page
            self._size += page.size
            while self._size > MOST_BYTES:
                _, gone = self._pages.popitem(last=False)
                self._size -= gone.size


def size_of(key: Key, headers: Iterable[tuple[str, str]], body: bytes) -> int:
    """Bytes that a page takes, about: addresses can be longer than what they get."""
    return BESIDE + len(body) + sum(map(len, filter(None, key))) + sum([len(value) for _, value in headers])


class Shortcut:
    """The WSGI application before the application: it answers what is kept, and hands on everything else."""

    def __init__(self, application: Application, database: Database, callers: Callers, *, public_read: bool) -> None:
        self.application = application
        self.database = database
        self.callers = callers
        self.public_read = public_read
        self.pages = Pages()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].startswith("/v1/"):
            began, moment = time.perf_counter(), now()
            environ[KEPT] = self.pages
            if (asked := self._asked(environ, moment)) is not None:
                key, head, caller = asked
                page, is_to_make = self.pages.find(key, head, moment)
                if page is not None:
                    unchanged = page.is_held(environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE"))
                    if unchanged or page.body is not None:
                        return answered(page, unchanged, caller, environ, start_response, began)
                if is_to_make:
                    try:
                        return self.application(environ, start_response)
                    finally:
                        self.pages.made(key)
        return self.application(environ, start_response)

    def _asked(self, environ: dict[str, Any], moment: int) -> tuple[Key, Head, Caller] | None:
        """What a page would be kept under, where the wire stands, and who asks; None for whom none is kept."""
        environ[HEAD] = head = glance(self.database)
        if head is None:
            # The application meets the same fault, and has words for it.
            return None
        self.pages.move_to(head)
        header = environ.get("HTTP_AUTHORIZATION")
        if header is None:
            return (key_of(environ, "public", PUBLIC), head, PUBLIC) if self.public_read else None
        environ[KNOWN] = known = self.callers.known(header, head, moment)
        if known is None or known.caller.visibility.owner or "read" not in known.caller.scopes:
            return None
        return key_of(environ, known.visibility, known.caller), head, known.caller


def key_of(environ: dict[str, Any], visibility: str, caller: Caller) -> Key:
    """Everything that an answer depends on, but for the head: of a saved feed also whose it is."""
    party = caller.party if environ["PATH_INFO"].startswith("/v1/feeds") else None
    of_request = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme",
                  "SCRIPT_NAME", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING")  # fmt: skip
    return (visibility, party, *map(environ.get, of_request))


def answered(
    page: Page, unchanged: bool, caller: Caller, environ: dict[str, Any], start_response: Any, began: float
) -> list[bytes]:
    """A kept page, or 304."""
    request_id = sane_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    status = 304 if unchanged else 200
    headers = [each for each in page.headers if each[0] in OF_304] if unchanged else list(page.headers)
    headers.append(("X-Request-Id", request_id))
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    request_log.line(request_id, "GET", path, status, began, caller)
    start_response(f"{status} {HTTP_STATUS_CODES[status].upper()}", headers)
    return [] if unchanged or page.body is None else [page.body]


def keepable(head: Head, *ends: int | None) -> None:
    """Says of the answer to this request that it holds as long as `head` does, and to none of `ends` at the latest."""
    g.keepable = (head, min((end for end in ends if end is not None), default=FOR_EVER))


def keep(response: Response) -> Response:
    """Keeps an answer that may be kept; the last step before it is sent."""
    known, environ = g._get_current_object(), request.environ
    found, pages = known.pop("keepable", None), environ.get(KEPT)
    unchanged = response.status_code == 304
    if found is None or pages is None or not (unchanged or response.status_code == 200) or response.is_streamed:
        return response
    caller, (head, until) = known.caller, found
    # What was looked up on the way here, the caller and a saved feed, is of the head that was looked at first.
    if head != environ.get(HEAD):
        return response
    body = response.get_data()
    # Who has no key in its header came with the token of a feed, or nobody looked whose it is.
    fingerprint = "public" if caller is PUBLIC else known.get("visibility")
    if fingerprint is None or caller.visibility.owner or len(body) > LARGEST:
        return response
    if not unchanged:
        response.headers["Content-Length"] = str(len(body))
    headers = tuple([each for each in response.headers if each[0] != "X-Request-Id"])
    key = key_of(environ, fingerprint, caller)
    pages.keep(key, head, Page(headers, None if unchanged else body, until, size_of(key, headers, body)))
    return response
