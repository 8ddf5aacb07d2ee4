"""A lean generator of load: prepared requests over a few kept connections, each sent as soon as the last is answered.

It runs in a process of its own on a core of its own, and does next to nothing with an answer but
count its bytes, so that the server is what is measured. What is asked is in `compare_jobs`.
"""

import os
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from statistics import median
from typing import NamedTuple

MARK = b"@@NUMBER@@"
"""What a request has in place of a number of ten digits that no other request has."""
CHUNK = 1 << 18
LAST_CHUNK = b"\r\n0\r\n\r\n"
ANSWER_SECONDS = 30.0


class LoadError(Exception):
    """An answer that is not the expected one; the text holds its beginning."""


class Load(NamedTuple):
    """Whole requests, asked in turn; `status` is what each must be answered with."""

    requests: Sequence[bytes]
    status: int = 200
    connections: int = 4


class Outcome(NamedTuple):
    """So many answers in `seconds`; the times of an answer are in milliseconds."""

    answers: int
    seconds: float
    median: float
    slowest: float


@dataclass
class Line:
    """A connection: when its request was sent, and how many bytes of the answer are to come (None: unknown)."""

    socket: socket.socket
    sent: float = 0.0
    missing: int | None = None
    start: bytes = b""

    def take(self, chunk: bytes, status: bytes) -> bool:
        """Whether the answer is whole with these bytes."""
        if self.missing is None:
            self.start += chunk
            end = self.start.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.missing = length(self.start[:end], status)
            if self.missing is None:
                return self.start.endswith(LAST_CHUNK)
            self.missing += end + 4
            chunk, self.start = self.start, b""
        self.missing -= len(chunk)
        return self.missing == 0


def length(head: bytes, status: bytes) -> int | None:
    """The length of a body by its header, None if it comes in chunks; raises `LoadError` for another status."""
    if head[9:12] != status:
        raise LoadError(head[:1000].decode("latin-1"))
    if status == b"304":
        return 0
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        if b"\r\ntransfer-encoding: chunked" in lower:
            return None
        raise LoadError(f"no Content-Length: {head[:1000].decode('latin-1')}")
    return int(lower[start + 17 :].split(b"\r\n", 1)[0])


def pin(core: int) -> None:
    os.sched_setaffinity(0, {core})


def drive(address: tuple[str, int], load: Load, seconds: float, first: int) -> Outcome:
    """Asks for so long; the requests are numbered from `first`. Raises `LoadError`."""
    with ExitStack() as ending:
        lines = [Line(ending.enter_context(connected(address))) for _ in range(load.connections)]
        began = time.perf_counter()
        times = turns(lines, partial(next, numbered(load, first)), str(load.status).encode(), began + seconds)
        taken = time.perf_counter() - began
    times.sort()
    return Outcome(len(times), taken, 1000 * median(times), 1000 * times[len(times) * 99 // 100])


def drive_steadily(address: tuple[str, int], load: Load, rate: float, seconds: float, first: int) -> float:
    """Asks so many times a second for so long, as long as a connection is free; returns how many answers a second."""
    requests, status = numbered(load, first), str(load.status).encode()
    with ExitStack() as ending:
        poller = ending.enter_context(select.epoll())
        free = [Line(ending.enter_context(connected(address))) for _ in range(load.connections)]
        by_number = {line.socket.fileno(): line for line in free}
        for number in by_number:
            poller.register(number, select.EPOLLIN)
        answers, sent, began = 0, 0, time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            if free and began + sent / rate <= now:
                ask(free.pop(), next(requests))
                sent += 1
            until = began + (sent / rate if free else seconds)
            for number, _ in poller.poll(max(0.0, until - now)):
                if receive(by_number[number], status):
                    free.append(by_number[number])
                    answers += 1
    return answers / seconds


def numbered(load: Load, first: int) -> Iterator[bytes]:
    """The requests in turn, each with the next number."""
    parts = [each.split(MARK) for each in load.requests]
    for number in count(first + 1):
        yield (b"%010d" % number).join(parts[number % len(parts)])


def connected(address: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(address, ANSWER_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def turns(lines: Sequence[Line], request: Callable[[], bytes], status: bytes, deadline: float) -> list[float]:
    """How long each answer took, in seconds, once every request that was sent before the deadline is answered."""
    by_number = {line.socket.fileno(): line for line in lines}
    times: list[float] = []
    with select.epoll() as poller:
        for line in lines:
            poller.register(line.socket, select.EPOLLIN)
            ask(line, request())
        busy = len(lines)
        while busy:
            ready = poller.poll(ANSWER_SECONDS)
            if not ready:
                raise LoadError(f"no answer within {ANSWER_SECONDS:.0f} seconds")
            for descriptor, _ in ready:
                line = by_number[descriptor]
                if receive(line, status):
                    now = time.perf_counter()
                    times.append(now - line.sent)
                    if now < deadline:
                        ask(line, request())
                    else:
                        busy -= 1
    return times


def ask(line: Line, request: bytes) -> None:
    line.missing = None
    line.sent = time.perf_counter()
    line.socket.sendall(request)


def receive(line: Line, status: bytes) -> bool:
    """Whether the answer is whole with what has come."""
    chunk = line.socket.recv(CHUNK)
    if not chunk:
        raise LoadError(f"the connection was closed after {line.start!r}")
    return line.take(chunk, status)
