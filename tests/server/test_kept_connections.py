"""Threads stay with whoever asks on, and nobody else waits for it; every answer has the time at which it was given."""

import http.client
import socket
import threading
import time
from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from tests.support.command import Cli, waited
from tests.support.served import Serving, started

pytestmark = pytest.mark.slow
REQUESTS = 20_000


def asked(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return response


class Insatiable:
    """A reader who sends all its requests at once, and takes the answers as they come."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.answers = 0
        self.connection = socket.create_connection(address, timeout=20)
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.take)]
        for thread in self.threads:
            thread.start()

    def send(self) -> None:
        with suppress(OSError):
            self.connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: wire.example\r\n\r\n" * REQUESTS)

    def take(self) -> None:
        with suppress(OSError):
            while chunk := self.connection.recv(1 << 16):
                self.answers += chunk.count(b"HTTP/1.1 200")

    def close(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        self.connection.close()


def test_who_asks_without_a_pause_keeps_nobody_waiting(sqlite_cli: Cli, serving: Serving) -> None:
    _, wire = started(serving, sqlite_cli, NEWSWIRE_THREADS="1", NEWSWIRE_STREAMS="1")
    url = urlsplit(wire.url)
    with (
        closing(Insatiable((str(url.hostname), int(url.port or 0)))) as first,
        closing(Insatiable((str(url.hostname), int(url.port or 0)))) as second,
    ):
        waited(lambda: first.answers and second.answers, "both threads have somebody")
        for _ in range(3):
            with closing(http.client.HTTPConnection(url.netloc, timeout=20)) as newcomer:
                asked(newcomer)
        assert max(first.answers, second.answers) < REQUESTS / 2


def test_the_date_of_an_answer_is_that_of_its_second(sqlite_cli: Cli, serving: Serving) -> None:
    _, wire = started(serving, sqlite_cli)
    with closing(http.client.HTTPConnection(wire.url.removeprefix("http://"), timeout=20)) as connection:
        for _ in range(25):
            before = int(time.time())
            told = parsedate_to_datetime(asked(connection).headers["Date"]).timestamp()
            assert before <= told <= time.time()
            time.sleep(0.1)
