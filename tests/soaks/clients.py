"""A caller with a key, over one kept connection; impatient with defects, patient with a server that is away."""

import http.client
import json
import time
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from tests.soaks.servers import Server

CALL_SECONDS = 40.0
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.02
AWAY = (502, 503)


class Unanswered(Exception):
    """The connection ended before the answer was there: what was asked may be done or not."""


class Unexpected(Exception):
    """An answer with another status than the only right one."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls a server with one key. `repeats` counts requests sent again, `seconds` holds how long each answer took."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self.key = key
        self.repeats = 0
        self.seconds: list[float] = []
        self._connection: http.client.HTTPConnection | None = None

    def once(self, method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request, sent once; raises `Unanswered`. `content` is bytes, or becomes JSON."""
        connection = self._connected()
        began = time.monotonic()
        try:
            connection.request(method, path, encoded(content), self._headers(content, headers))
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.headers), response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(f"{method} {path}: {error!r}") from error
        self.seconds.append(time.monotonic() - began)
        return answer

    def call(self, method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The same, sent again while the database is too busy (503): then nothing was done."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self.once(method, path, content, headers)).status in AWAY and time.monotonic() < deadline:
            self.repeats += 1
            time.sleep(PAUSE_SECONDS)
        return answer

    def insist(
        self, method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The same, sent again after lost answers too; for requests that can be repeated without harm."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.call(method, path, content, headers)
            except Unanswered:
                if self.server.closed or time.monotonic() > deadline:
                    raise
                self.repeats += 1
                time.sleep(PAUSE_SECONDS)

    def hang_up(self, method: str, path: str, content: object, headers: Mapping[str, str]) -> None:
        """Sends a request and does not wait for its answer."""
        try:
            self._connected().request(method, path, encoded(content), self._headers(content, headers))
        except (Unanswered, OSError, http.client.HTTPException):
            pass
        finally:
            self.close()

    def lines(self, path: str, headers: Mapping[str, str]) -> Generator[bytes, None, None]:
        """The whole lines of a long answer as they come; ends, or raises `Unanswered`, where it is cut off."""
        connection = self._connected()
        try:
            connection.request("GET", path, headers=self._headers(None, headers))
            response = connection.getresponse()
            if response.status in AWAY:
                raise Unanswered(f"GET {path}: {response.status}")
            if response.status != 200:
                raise Unexpected(f"GET {path}: {response.status} {response.read()[:500]!r}")
            while (line := response.readline()).endswith(b"\n"):
                yield line[:-1]
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(f"GET {path}: {error!r}") from error
        finally:
            self.close()

    def get(self, path: str) -> Any:
        """The JSON at `path`, which must be there; patient like `insist`."""
        answer = self.insist("GET", path)
        if answer.status != 200:
            raise Unexpected(f"GET {path}: {answer.status} {answer.body[:500]!r}")
        return answer.json

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _headers(self, content: object, headers: Mapping[str, str] | None) -> dict[str, str]:
        media = {} if content is None else {"Content-Type": "application/json"}
        return {"Authorization": f"Bearer {self.key}", **media, **(headers or {})}

    def _connected(self) -> http.client.HTTPConnection:
        address = self.server.address
        if address is None:
            self.close()
            raise Unanswered("the server is away")
        if self._connection is None or (self._connection.host, self._connection.port) != address:
            self.close()
            self._connection = http.client.HTTPConnection(*address, timeout=CALL_SECONDS)
        return self._connection


def encoded(content: object) -> bytes | None:
    return content if isinstance(content, bytes | None) else json.dumps(content).encode()
