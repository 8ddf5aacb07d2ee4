"""The HTTP session of a client with one wire: base URL, key, proxy, retries.

A request is repeated while the wire is unavailable, so only what is idempotent may be sent through here. What is
requested, and what is done with the response, is in the modules beside.
"""

import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import orjson
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Retry, Timeout, make_headers
from urllib3.exceptions import HTTPError, InvalidHeader, NameResolutionError, NewConnectionError, SSLError, TimeoutError
from urllib3.util import parse_url

from newswire import __version__
from newswire.client import ClientError
from newswire.config import client_settings

# The read timeout is longer than the longest wait that a wire grants (`wait=30`).
TIMEOUT = Timeout(connect=10, read=60)
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
MAX_OUTAGE_SECONDS = 60.0
MAX_PAUSE_SECONDS = 30.0
MAX_REFUSALS = 30
"""How often a request is sent again at the time that the wire names (Retry-After)."""
MAX_ASKED_SECONDS = 300.0
"""The longest pause that a wire may ask of a client that does not follow it forever."""
Notify = Callable[[str], None]
# C0 and C1 control characters and the Unicode line separators: whatever a terminal would obey.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def strip_controls(text: str) -> str:
    """Foreign text made safe for one line of a terminal: every run of control characters becomes a space."""
    return CONTROLS.sub(" ", text)


class RequestRefused(ClientError):
    """The wire refused a request with a problem document (RFC 9457): its `code`, `detail` and `errors`."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code"))
        self.detail = strip_controls(str(problem.get("detail")))
        self.errors: list[dict[str, Any]] = problem.get("errors") or []
        key = " Put a valid key into NEWSWIRE_KEY." if status == 401 else ""
        super().__init__(f"The wire refuses this ({status} {strip_controls(self.code)}): {self.detail}{key}")


class WireResponse(NamedTuple):
    """A response whose body is a JSON object."""

    status: int
    headers: Mapping[str, str]
    content: dict[str, Any]


class RemoteWire:
    """A wire reached over HTTP. `notify` gets a sentence when it becomes unavailable, and one when it is back.

    A wire that is busy, or a key over its limit, names the time for the next try (503, 429 with Retry-After), which is
    kept; other outages are tried again after growing pauses. With `forever` both are waited out after the first
    response, however long they last; else a request fails after `MAX_REFUSALS` refusals or a minute of outage.
    """

    def __init__(self, url: str, key: str | None, notify: Notify = lambda _: None, *, forever: bool = False) -> None:
        self.url = url
        self.notify = notify
        self.forever = forever
        self.reached = False
        self.http = connection_pool(url)
        self.headers = {"User-Agent": f"newswire/{__version__}", "Accept": "application/json",
                        "Accept-Encoding": "gzip"}  # fmt: skip
        if key is not None:
            self.headers["Authorization"] = f"Bearer {key}"

    @classmethod
    def from_env(cls, url: str | None, notify: Notify, *, forever: bool = False) -> Self:
        """The wire at `url`, else at NEWSWIRE_URL, with the key in NEWSWIRE_KEY; raises `SettingsError`."""
        return cls(*client_settings(url), notify, forever=forever)

    def get(self, path: str, parameters: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
        """Fetches the JSON object at `path`; raises what `send` raises."""
        query = urlencode(list(parameters))
        return self.send("GET", f"{path}?{query}" if query else path).content

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> WireResponse:
        """Sends a request, and repeats it while the wire is unavailable; raises `RequestRefused` and `ClientError`."""
        refusals = outages = 0
        lost_at: float | None = None
        while True:
            response, reason = self._attempt(method, path, body, {**self.headers, **(headers or {})})
            if response is not None and response.status not in RETRIED_STATUSES:
                break
            asked = retry_after_seconds(response)
            # The random share keeps clients that lost the wire together from coming back together.
            if asked:
                refusals, lost_at = refusals + 1, None
                pause = asked * random.uniform(1.0, 1.1)
                is_over = refusals > MAX_REFUSALS or asked > MAX_ASKED_SECONDS
            else:
                lost_at = lost_at or time.monotonic()
                pause = random.uniform(0.5, 1.0) * min(2.0**outages, MAX_PAUSE_SECONDS)
                outages += 1
                is_over = time.monotonic() + pause > lost_at + MAX_OUTAGE_SECONDS
            if is_over and not self.forever:
                when = f"in {asked:.0f} s" if asked else "later"
                raise ClientError(f"The wire at {self.url} is {reason}. Try again {when}.")
            if refusals + outages == 1:
                self.notify(f"The wire is {reason}. Trying again{f' in {pause:.0f} s' if asked else ''} ...")
            time.sleep(pause)
        if refusals or outages:
            self.notify("The wire is back.")
        return self._parse_response(response)

    def _attempt(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[BaseHTTPResponse | None, str]:
        """The response, or None with the reason why there is none; raises `ClientError` before the first response."""
        try:
            # A redirect is not followed: it would send the key to another host.
            response = self.http.request(
                method, self.url + path, body=body, headers=headers, timeout=TIMEOUT, retries=False, redirect=False
            )
        except HTTPError as error:
            # Before anything was reached, the URL is probably wrong, and a retry would only hide that for a minute.
            if not self.reached or isinstance(error, SSLError):
                raise ClientError(f"The wire at {self.url} cannot be reached: {describe_http_error(error)}.") from error
            return None, f"away: {describe_http_error(error)}"
        self.reached = True
        return response, describe_refusal(response.status)

    def _parse_response(self, response: BaseHTTPResponse) -> WireResponse:
        if 300 <= response.status < 400:
            moved = strip_controls(response.headers.get("Location", "another address"))
            raise ClientError(f"{self.url} sends on to {moved}: set NEWSWIRE_URL to the address of the wire itself.")
        try:
            content = orjson.loads(response.data)
        except ValueError:
            content = None
        # A page of a proxy or of another server, not a problem document of a wire.
        if not isinstance(content, dict) or (response.status >= 400 and "code" not in content):
            found = strip_controls(response.headers.get("Content-Type", "nothing"))
            raise ClientError(f"At {self.url} there is no Newswire: it answers {response.status} with {found}.")
        if response.status >= 400:
            raise RequestRefused(response.status, content)
        return WireResponse(response.status, response.headers, content)


def connection_pool(url: str) -> PoolManager:
    """A pool of connections to `url`, through the proxy of the environment (HTTPS_PROXY, NO_PROXY) if there is one."""
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if proxy is None:
        return PoolManager()
    try:
        login = parse_url(proxy).auth
        return ProxyManager(proxy, proxy_headers=make_headers(proxy_basic_auth=unquote(login)) if login else None)
    except HTTPError:
        raise ClientError("The proxy of the environment is no http or https address.") from None


def retry_after_seconds(response: BaseHTTPResponse | None) -> float | None:
    """The pause that the Retry-After header asks for (RFC 9110, 10.2.3), None without one."""
    try:
        return None if response is None else Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def describe_refusal(status: int) -> str:
    """Why a response is none, after "The wire is"."""
    return "limiting this key: it answers 429" if status == 429 else f"away: it answers {status}"


def describe_http_error(error: HTTPError) -> str:
    """Why there is no response, in a few words for a person."""
    if isinstance(error, NameResolutionError):
        return "the host is unknown here"
    # In urllib3 2 a refused connection is a subclass of the timeout.
    if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
        return "it does not answer in time"
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    return (found.strerror or str(found) if found else "the connection broke off").rstrip(".").strip()
