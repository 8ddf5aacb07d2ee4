"""Bursts: hundreds of sockets that each send one request at the same time, and a count of PostgreSQL's connections."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from sqlalchemy import make_url

from tests.support.postgres import connect

TIME_OUT = 60.0


class Activity:
    """Counts the connections to a database again and again, on a connection that was there before."""

    def __init__(self, url: str) -> None:
        self.most, self.refusals = 0, 0
        self._url = make_url(url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        counting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        with closing(connect(self._url.set(database="postgres"))) as connection:
            while not self._stop.wait(0.02):
                row = connection.execute(counting, [self._url.database]).fetchone()
                assert row is not None
                self.most = max(self.most, row[0])

    @contextmanager
    def watched(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


def burst(address: tuple[str, int], reader: str, publisher: str, sockets: int, number: int) -> "Counter[bytes]":
    """Opens all sockets, then sends one request on each; counts the answers by their status.

    Nine of ten are searches with the key `reader`, the others articles of `publisher`. `number` tells bursts apart.
    """
    with ExitStack() as opened:
        lines = [opened.enter_context(closing(socket.create_connection(address, TIME_OUT))) for _ in range(sockets)]
        for at, line in enumerate(lines):
            # Each asks for something else, so that no page of the cache answers.
            line.sendall(article(publisher) if at % 10 == 0 else search(f"word{number}x{at}", reader))
        return Counter(line.recv(4096)[9:12] for line in lines)


def search(words: str, key: str) -> bytes:
    return f"GET /v1/articles?q={words} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def article(key: str) -> bytes:
    body = '{"headline": "A story in a burst"}'
    head = f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"POST /v1/articles HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}".encode()
