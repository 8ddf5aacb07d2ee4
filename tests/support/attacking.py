"""A server that is attacked: raw connections to it, and what others get from it meanwhile."""

import http.client
import json
import resource
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.command import Cli, Server

MANY = 200
SMALL_BUFFER = 4096


class Target:
    """A server with a publisher `port` and a partner `radio`; `address` may be that of a proxy before it."""

    def __init__(self, cli: Cli, *arguments: str, **process: Any) -> None:
        cli.must("publisher", "add", "port", "--name", "Port")
        cli.must("partner", "add", "radio", "--name", "Radio")
        self.publisher = cli.json("key", "create", "--publisher", "port")["key"]
        self.partner = cli.json("key", "create", "--partner", "radio")["key"]
        self.server = Server(cli.process("serve", "--port", "0", "--json", *arguments, **process))
        self.server.wait_for(lambda: "}" in self.server.out, "it says where it listens")
        url = urlsplit(json.loads("\n".join(self.server.out))["url"])
        self.address = (str(url.hostname), int(url.port or 0))

    def processes(self) -> list[int]:
        """The process ids of the web processes that were started so far."""
        return [line["process"] for line in self.server.logged("Booting worker")]

    def memory(self) -> int:
        """The resident memory of the first web process, in bytes."""
        pages = Path(f"/proc/{self.processes()[0]}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def connect(self, sent: bytes = b"", receive_buffer: int | None = None) -> socket.socket:
        """A connection on which these bytes were sent."""
        connection = socket.socket()
        connection.settimeout(20)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(self.address)
        connection.sendall(sent)
        return connection

    def answer_to(self, sent: bytes, *more: bytes) -> bytes:
        """What comes for these bytes until the server closes the connection, or has answered a few of them."""
        with closing(self.connect(sent)) as connection:
            for piece in more:
                time.sleep(0.05)
                connection.sendall(piece)
            return read_all(connection)

    def head(self, line: str, *headers: str, key: str | None = None) -> bytes:
        lines = [f"{line} HTTP/1.1", "Host: wire.example", *headers]
        if key is not None:
            lines.append(f"Authorization: Bearer {key}")
        return "\r\n".join([*lines, "", ""]).encode()

    def call(
        self, method: str, path: str, key: str | None = None, body: bytes | None = None, seconds: float = 20
    ) -> int:
        """The status of one request on a connection of its own."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if body is not None:
            headers["Content-Type"] = "application/x-ndjson" if path.endswith("/batch") else "application/json"
        with closing(http.client.HTTPConnection(*self.address, timeout=seconds)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            return response.status

    def check_service(self, rounds: int = 40) -> None:
        """Health, lists and publishing answer as if nobody attacked: the median within 50 ms, and none after 1 s."""
        times = []
        for _ in range(rounds):
            began = time.monotonic()
            assert self.call("GET", "/healthz", seconds=3) == 200
            times.append(time.monotonic() - began)
        assert statistics.median(times) <= 0.05, times
        assert max(times) <= 1.0, times
        assert self.call("GET", "/v1/articles?limit=5", self.partner, seconds=5) == 200
        assert self.call("POST", "/v1/articles", self.publisher, b'{"headline": "Cocoa rises"}', seconds=5) == 201

    def check_processes(self, expected: Sequence[int]) -> None:
        """No web process has died, and none has met a defect."""
        assert self.processes() == list(expected)
        assert not self.server.logged("a defect")
        assert not any("Traceback" in line for line in self.server.err)

    def close(self) -> None:
        self.server.process.terminate()
        self.server.process.wait(40)
        for reader in self.server.readers:
            reader.join(10)
        for stream in (self.server.process.stdout, self.server.process.stderr):
            assert stream is not None
            stream.close()


def read_all(connection: socket.socket) -> bytes:
    """What comes until the end of the connection; a reset is an end too."""
    received = b""
    try:
        while more := connection.recv(1 << 16):
            received += more
    except ConnectionError:
        pass
    return received


@contextmanager
def many(
    target: Target, sent: bytes, count: int = MANY, receive_buffer: int | None = None
) -> Iterator[list[socket.socket]]:
    """So many connections on which these bytes were sent."""
    raise_own_descriptors(count + 500)
    with ExitStack() as ending:
        yield [ending.enter_context(closing(target.connect(sent, receive_buffer))) for _ in range(count)]


def raise_own_descriptors(needed: int) -> None:
    """Lets this process open so many files; skips the test where that is forbidden."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < needed:
        pytest.skip(f"{needed} descriptors are needed, and this process may open {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
