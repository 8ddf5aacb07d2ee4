"""A wire as its partners and publishers reach it: over HTTP, with a key.

A request is sent again when the wire is away for a moment, so whatever goes through here must bear
a repeat. What is asked, and what becomes of the answer, is not here.
"""

import random
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import click
import orjson
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Retry, Timeout, make_headers
from urllib3.exceptions import HTTPError, InvalidHeader, NameResolutionError, NewConnectionError, SSLError, TimeoutError
from urllib3.util import parse_url

from newswire import __version__
from newswire.config import client_settings

# Longer than the longest wait that a wire grants (`wait=30`).
TIMEOUT = Timeout(connect=10, read=60)
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
MAX_OUTAGE_SECONDS = 60.0
MAX_PAUSE_SECONDS = 30.0


class ClientError(click.ClickException):
    """The wire cannot be used from here; the message is one sentence."""


class RequestRefused(ClientError):
    """The wire refuses a request; `code` is that of the problem, `errors` are its single faults."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code"))
        self.detail = strip_controls(str(problem.get("detail")))
        self.errors: list[dict[str, Any]] = problem.get("errors") or []
        key = " Put a valid key into NEWSWIRE_KEY." if status == 401 else ""
        super().__init__(f"The wire refuses this ({status} {strip_controls(self.code)}): {self.detail}{key}")


class WireResponse(NamedTuple):
    """What came back: a JSON object."""

    status: int
    headers: Mapping[str, str]
    content: dict[str, Any]


class RemoteWire:
    """The wire at `url`. With `forever`, once it was reached, an outage is waited out however long it takes."""

    def __init__(self, url: str, key: str | None, *, forever: bool = False) -> None:
        self.url = url
        self.forever = forever
        self.reached = False
        self.http = connection_pool(url)
        self.headers = {"User-Agent": f"newswire/{__version__}", "Accept": "application/json",
                        "Accept-Encoding": "gzip"}  # fmt: skip
        if key is not None:
            self.headers["Authorization"] = f"Bearer {key}"

    def get(self, path: str, parameters: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
        """The JSON object at `path`; raises `Refused` and `RemoteError`."""
        query = urlencode(list(parameters))
        return self.send("GET", f"{path}?{query}" if query else path).content

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> WireResponse:
        """One request, repeated while the wire is away; raises `Refused` and `RemoteError`."""
        began, tries = time.monotonic(), 0
        while True:
            response, reason = self._tried(method, path, body, {**self.headers, **(headers or {})})
            if response is not None and response.status not in RETRIED_STATUSES:
                break
            pause = retry_after_seconds(response) or random.uniform(0.5, 1.0) * min(2.0**tries, MAX_PAUSE_SECONDS)
            if not self.forever and time.monotonic() + pause > began + MAX_OUTAGE_SECONDS:
                raise ClientError(f"The wire at {self.url} is away: {reason}. Try again later.")
            if not tries:
                click.echo(f"The wire is away: {reason}. Trying again ...", err=True)
            time.sleep(pause)
            tries += 1
        if tries:
            click.echo("The wire is back.", err=True)
        return self._understood(response)

    def _tried(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[BaseHTTPResponse | None, str]:
        """What came back, and why that may be nothing; before anything ever did, nothing is an error."""
        try:
            response = self.http.request(
                method, self.url + path, body=body, headers=headers, timeout=TIMEOUT, retries=False, redirect=False
            )
        except HTTPError as error:
            if not self.reached or isinstance(error, SSLError):
                raise ClientError(f"The wire at {self.url} cannot be reached: {describe_http_error(error)}.") from error
            return None, describe_http_error(error)
        self.reached = True
        return response, f"it answers {response.status}"

    def _understood(self, response: BaseHTTPResponse) -> WireResponse:
        if 300 <= response.status < 400:
            moved = strip_controls(response.headers.get("Location", "another address"))
            raise ClientError(f"{self.url} sends on to {moved}: set NEWSWIRE_URL to the address of the wire itself.")
        try:
            content = orjson.loads(response.data)
        except ValueError:
            content = None
        if not isinstance(content, dict) or (response.status >= 400 and "code" not in content):
            found = strip_controls(response.headers.get("Content-Type", "nothing"))
            raise ClientError(f"At {self.url} there is no Newswire: it answers {response.status} with {found}.")
        if response.status >= 400:
            raise RequestRefused(response.status, content)
        return WireResponse(response.status, response.headers, content)


def opened(url: str | None, *, forever: bool = False) -> RemoteWire:
    """The wire at `url`, else at NEWSWIRE_URL, with NEWSWIRE_KEY; raises `SettingsError`."""
    return RemoteWire(*client_settings(url), forever=forever)


def connection_pool(url: str) -> PoolManager:
    """Connections to `url`, through the proxy of the environment (HTTPS_PROXY, NO_PROXY) if there is one for it."""
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if proxy is None:
        return PoolManager()
    try:
        who = parse_url(proxy).auth
        return ProxyManager(proxy, proxy_headers=make_headers(proxy_basic_auth=unquote(who)) if who else None)
    except HTTPError:
        raise ClientError("The proxy of the environment is no http or https address.") from None


def retry_after_seconds(response: BaseHTTPResponse | None) -> float | None:
    """The seconds for which the wire asks to be left alone."""
    try:
        return None if response is None else Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def describe_http_error(error: HTTPError) -> str:
    """Why there is no answer."""
    if isinstance(error, NameResolutionError):
        return "the host is unknown here"
    # What refuses the connection counts as a timeout in urllib3 2.
    if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
        return "it does not answer in time"
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    return (found.strerror or str(found) if found else "the connection broke off").rstrip(".").strip()


# Whatever a terminal would obey: C0 and C1 controls and the separators of lines.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def strip_controls(text: str) -> str:
    """Text of somebody else's on one line of a terminal, which obeys nothing in it."""
    return CONTROLS.sub(" ", text)
