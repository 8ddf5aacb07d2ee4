"""Open streams on a real server: they end when it stops, and one that takes nothing is dropped."""

import http.client
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from newswire.api.views.streams import SLOW_SECONDS
from tests.support.command import Cli, Server

pytestmark = pytest.mark.slow
Serving = Callable[["subprocess.Popen[str]"], Server]


CHUNK = re.compile(rb"\r\n[0-9A-F]+\r\n")


class Site:
    """A server with one web process, a publisher and a partner."""

    def __init__(self, cli: Cli, serving: Serving, **settings: str) -> None:
        cli.must("publisher", "add", "reuters", "--name", "Reuters")
        cli.must("partner", "add", "desk", "--name", "Desk")
        self.publisher = cli.json("key", "create", "--publisher", "reuters")["key"]
        self.partner = cli.json("key", "create", "--partner", "desk")["key"]
        self.server = serving(cli.process("serve", "--port", "0", "--json", "--workers", "1", env=settings))
        self.server.wait_for(lambda: "}" in self.server.out, "it says where it listens")
        address = urlsplit(json.loads("\n".join(self.server.out))["url"])
        self.address = (str(address.hostname), int(address.port or 0))

    def publish(self, headline: str, body: str = "") -> None:
        with closing(http.client.HTTPConnection(*self.address, timeout=30)) as connection:
            sent = json.dumps({"headline": headline, "body_text": body})
            headers = {"Authorization": f"Bearer {self.publisher}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/articles", sent, headers)
            assert connection.getresponse().status == 201

    def open(
        self, last: str | None = None, path: str = "/v1/changes", accept: str = "text/event-stream"
    ) -> socket.socket:
        """A stream, or another answer that is long in coming: asked for and not read yet."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(self.address)
        resumed = f"Last-Event-ID: {last}\r\n" if last else ""
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n{resumed}"
            f"Authorization: Bearer {self.partner}\r\n\r\n".encode()
        )
        return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to `end` or the end."""
    got = b""
    while end not in got and (more := connection.recv(1 << 16)):
        got += more
    return got


def test_streams_end_at_once_when_the_server_stops(cli: Cli, serving: Serving) -> None:
    site = Site(cli, serving)
    streams = [site.open() for _ in range(5)]
    for stream in streams:
        assert b"200 OK" in read_until(stream, b"\nid: ")
    site.publish("Cocoa rises")
    for stream in streams:
        assert b"event: article.published\n" in read_until(stream, b"data: ")
    began = time.monotonic()
    site.server.process.send_signal(signal.SIGTERM)
    for stream in streams:
        assert read_until(stream, b"\r\n0\r\n\r\n").endswith(b"0\r\n\r\n")
        stream.close()
    assert time.monotonic() - began < 5
    assert site.server.end(signal.SIGTERM) == 0
    assert not site.server.logged("a defect")


def test_streams_and_waiting_polls_end_soon_after_a_server_that_was_killed(cli: Cli, serving: Serving) -> None:
    site = Site(cli, serving)
    stream, poll = site.open(), site.open(path="/v1/changes?wait=30", accept="application/json")
    assert b"200 OK" in read_until(stream, b"\nid: ")
    time.sleep(0.5)
    began = time.monotonic()
    assert site.server.end(signal.SIGKILL) == -signal.SIGKILL
    assert time.monotonic() - began < 4, "its web process goes on without it"
    assert read_until(stream, b"\r\n0\r\n\r\n").endswith(b"0\r\n\r\n")
    assert b'"has_more":false' in read_until(poll, b"}}")
    stream.close()
    poll.close()


def test_a_reader_that_has_gone_away_gives_its_place_back(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving, NEWSWIRE_STREAMS="1")
    for _ in range(3):
        deadline = time.monotonic() + 10
        while b"503 " in (opening := read_until(stream := site.open(), b"\r\n\r\n")):
            assert time.monotonic() < deadline
            stream.close()
            time.sleep(0.2)
        assert b"200 OK" in opening
        stream.close()


def test_a_reader_that_takes_nothing_is_dropped_and_resumes(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving)
    for number in range(40):
        site.publish(f"Story {number}", "cocoa rises " * 17_000)
    stream = site.open()
    began = time.monotonic()
    site.server.wait_for(lambda: site.server.logged("closed the connection of a client"), "the slow reader is dropped")
    assert time.monotonic() - began > SLOW_SECONDS - 1
    got = read_until(stream, b"\r\n0\r\n\r\n")
    stream.close()
    assert not got.endswith(b"\r\n0\r\n\r\n"), "what was cut off must not look whole"
    whole = re.findall(rb"\nid: (\S+)\nevent: article.published\ndata: [^\n]+\n\n", re.sub(CHUNK, b"", got))
    assert 0 < len(whole) < 40
    with closing(site.open(whole[-1].decode())) as again:
        # An id is the wire, the number and the chain.
        seq = int(whole[-1].split(b":")[1])
        following = re.sub(CHUNK, b"", read_until(again, b"data: "))
        assert re.search(rb":%d:[0-9a-f]+\nevent: article.published\n" % (seq + 1), following)
    assert not site.server.logged("a defect")


def waiting_polls(site: Site, number: int) -> list[socket.socket]:
    """Polls that wait for the first entry; the first of them came first, and the others share its page."""
    known = site.open(path="/v1/changes", accept="application/json")
    read_until(known, b"}")
    known.close()
    polls = []
    for _ in range(number):
        polls.append(site.open(path="/v1/changes?after=0&wait=25", accept="application/json"))
        time.sleep(0.2)
    return polls


def test_a_poll_that_hangs_up_takes_the_page_of_no_other_one_with_it(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving)
    first, *others, last = waiting_polls(site, 6)
    first.close()
    last.close()
    # Longer than a poll takes to see that its client has gone.
    time.sleep(1.5)
    began = time.monotonic()
    site.publish("Cocoa rises")
    for poll in others:
        assert b"Cocoa rises" in read_until(poll, b'"wire"')
        poll.close()
    assert time.monotonic() - began < 5
    assert not site.server.logged("a defect")


def test_polls_that_wait_for_one_page_end_when_the_server_stops(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving)
    polls = waiting_polls(site, 4)
    began = time.monotonic()
    site.server.process.send_signal(signal.SIGTERM)
    for poll in polls:
        assert re.match(rb"HTTP/1.1 (200|503) ", read_until(poll, b"\r\n\r\n"))
        poll.close()
    assert time.monotonic() - began < 5
    assert site.server.end(signal.SIGTERM) == 0
    assert not site.server.logged("a defect")
