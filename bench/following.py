"""Followers that wait for the next entry, and pollers of a list, beside steady publications: how long each takes.

The server is `newswire serve` as it starts, on a loaded wire. The client is one process with one loop, so that it takes
as little of the processors as it can; it checks that every follower gets every entry once, in order.
"""

import heapq
import itertools
import json
import multiprocessing
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.corpus import article
from bench.kept import wires
from bench.planting import plan
from tests.soaks.stage import Stage

SEQ = re.compile(rb'\{"seq":(\d+),"type":')
NEXT = re.compile(rb'"next_after":(\d+),"next_chain":"([0-9a-f]+)"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
EVENT = re.compile(rb"id: [^\n]*:(\d+):[0-9a-f]+\nevent: ")
WAIT_SECONDS = 20
POLLS_A_SECOND = 10
"""Of each poller of the list."""
PUBLISHERS = 8
"""Connections on which is published: one that waits for its 201 delays no other publication."""
SETTLE_SECONDS = 1.0
SIZE_OF_NEW = 10_000
"""The size of the corpus of which the publications are the first articles."""


@dataclass(frozen=True)
class Scene:
    """Who is there: readers that wait with `wait=`, open event streams, pollers of a list; publications a second."""

    followers: int
    streams: int
    pollers: int
    rate: float


@dataclass
class Figures:
    """Milliseconds of each publication, of each way from a 201 to a follower, and of each list; processor seconds.

    `faults` are entries that a follower did not get, got twice or out of order; `serving` is the processor time of all
    processes of the server for one publication, in milliseconds.
    """

    published: list[float] = field(default_factory=list)
    followed: list[float] = field(default_factory=list)
    listed: list[float] = field(default_factory=list)
    faults: int = 0
    serving: float = 0.0


@dataclass
class Line:
    """A connection with one request at a time; `seen` are the entries that it got, by the time of their arrival."""

    kind: str
    socket: socket.socket
    sent: float = 0.0
    received: bytes = b""
    seen: dict[int, float] = field(default_factory=dict)
    faults: int = 0

    def ask(self, request: bytes) -> None:
        self.sent = time.monotonic()
        self.received = b""
        self.socket.sendall(request)

    def take(self, chunk: bytes) -> bytes | None:
        """The body, once it is whole; raises `ValueError` for a refusal."""
        self.received += chunk
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        if self.received[9:10] != b"2":
            raise ValueError(self.received[:500].decode("latin-1"))
        length = LENGTH.search(self.received, 0, end)
        assert length is not None, self.received[:end]
        whole = end + 4 + int(length[1])
        return self.received[end + 4 :] if len(self.received) >= whole else None

    def note(self, numbers: Sequence[int], moment: float) -> None:
        """Notes entries that came, which must follow those that came before."""
        for number in numbers:
            last = next(reversed(self.seen), None)
            self.faults += last is not None and number != last + 1
            self.seen[number] = moment


class Client:
    """All callers of a scene, in one loop."""

    def __init__(self, address: tuple[str, int], partner: str, publisher: str, scene: Scene, seconds: float) -> None:
        self.address = address
        self.partner, self.publisher = partner, publisher
        self.scene, self.seconds = scene, seconds
        self.selector = selectors.DefaultSelector()
        self.figures = Figures()
        self.acknowledged: dict[int, float] = {}
        self.free: list[Line] = []
        self.due: list[tuple[float, int, Line]] = []
        self.order = itertools.count()

    def run(self) -> Figures:
        scene, contents = self.scene, new_articles(int(self.scene.rate * self.seconds))
        lines = {kind: [self.open(kind) for _ in range(number)] for kind, number in (
            ("follower", scene.followers), ("stream", scene.streams), ("poller", scene.pollers),
            ("publisher", PUBLISHERS),
        )}  # fmt: skip
        self.free = lines["publisher"]
        for line in lines["stream"]:
            line.ask(self.head("GET /v1/changes?start=now", self.partner, "Accept: text/event-stream\r\n"))
        for line in lines["follower"]:
            line.ask(self.head("GET /v1/changes?start=now", self.partner))
        # Everybody waits before anything is published.
        began = time.monotonic() + SETTLE_SECONDS
        for number, line in enumerate(lines["poller"]):
            heapq.heappush(self.due, (began + number / POLLS_A_SECOND / max(1, scene.pollers), next(self.order), line))
        sent, total = 0, len(contents)
        end = began + self.seconds
        while (now := time.monotonic()) < end + SETTLE_SECONDS:
            if len(self.acknowledged) < total:
                # However slow it is, everything is published: then figures for each publication can be compared.
                end = max(end, now)
            publishing = began + sent / scene.rate if sent < total else now + 1
            while self.free and publishing <= now and sent < total:
                body = contents[sent]
                more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                self.free.pop().ask(self.head("POST /v1/articles", self.publisher, more) + body)
                sent += 1
                publishing = began + sent / scene.rate if sent < total else now + 1
            while self.due and self.due[0][0] <= now <= end:
                heapq.heappop(self.due)[2].ask(self.head("GET /v1/articles?limit=25", self.partner))
            until = min(publishing if self.free else now + 1, self.due[0][0] if self.due else now + 1, now + 0.1)
            for key, _ in self.selector.select(max(0.0, until - now)):
                self.receive(key.data)
        self.conclude([*lines["follower"], *lines["stream"]])
        return self.figures

    def open(self, kind: str) -> Line:
        opened = socket.create_connection(self.address)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(kind, opened)
        self.selector.register(opened, selectors.EVENT_READ, line)
        return line

    def head(self, target: str, key: str, more: str = "") -> bytes:
        return f"{target} HTTP/1.1\r\nHost: wire.example\r\nAuthorization: Bearer {key}\r\n{more}\r\n".encode()

    def receive(self, line: Line) -> None:
        chunk = line.socket.recv(1 << 20)
        now = time.monotonic()
        if not chunk:
            raise ValueError(f"the server closed the connection of a {line.kind}")
        if line.kind == "stream":
            line.received = line.received[-200:] + chunk
            line.note([number for number in map(int, EVENT.findall(line.received)) if number not in line.seen], now)
            return
        body = line.take(chunk)
        if body is None:
            return
        if line.kind == "publisher":
            self.figures.published.append(1000 * (now - line.sent))
            self.acknowledged[json.loads(body)["seq"]] = now
            self.free.append(line)
        elif line.kind == "poller":
            self.figures.listed.append(1000 * (now - line.sent))
            heapq.heappush(self.due, (max(now, line.sent + 1 / POLLS_A_SECOND), next(self.order), line))
        else:
            line.note([*map(int, SEQ.findall(body))], now)
            found = NEXT.search(body)
            assert found is not None, body[-300:]
            after, chain = found[1].decode(), found[2].decode()
            line.ask(self.head(f"GET /v1/changes?after={after}&chain={chain}&wait={WAIT_SECONDS}", self.partner))

    def conclude(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self.figures.faults += line.faults + len(self.acknowledged.keys() - line.seen.keys())
            self.figures.followed += [1000 * max(0.0, line.seen[seq] - at)
                                      for seq, at in self.acknowledged.items() if seq in line.seen]  # fmt: skip


def new_articles(number: int) -> list[bytes]:
    """The bodies of so many publications: articles without a time or an id of their own, so that each is new."""
    whole = plan(SIZE_OF_NEW)
    contents = (article(whole, index).content for index in range(number))
    own = ("external_id", "published_at")
    return [json.dumps({name: value for name, value in each.items() if name not in own}).encode() for each in contents]


def act(address: tuple[str, int], partner: str, publisher: str, scene: Scene, seconds: float) -> Figures:
    return Client(address, partner, publisher, scene, seconds).run()


SCENES = (Scene(0, 0, 10, 50.0), Scene(20, 0, 0, 50.0), Scene(20, 0, 10, 50.0), Scene(0, 20, 10, 50.0))
HEADING = "ENGINE     WAIT STREAM LISTS  201 p50     p99  FOLLOW p50     p99  LIST p50     p99  CPU ms  FAULTS"


def run(
    engines: Sequence[str], size: int, seconds: float, keep: Path | None, scenes: Sequence[Scene] = SCENES
) -> Iterator[str]:
    """The lines of a table, as they become known."""
    yield f"{size:,} articles, {scenes[0].rate:.0f} publications a second for {seconds:.0f} s; milliseconds"
    yield HEADING
    with ExitStack() as ending:
        urls = ending.enter_context(wires(size, engines, keep, fresh=False, tell=lambda line: None))
        folder = Path(ending.enter_context(TemporaryDirectory(prefix="newswire-following-")))
        for number, (engine, scene) in enumerate((engine, scene) for engine in engines for scene in scenes):
            stage = Stage(urls[engine], folder)
            # Its log is a part of what `newswire serve` does by itself.
            stage.server.environment = {**stage.server.environment, "NEWSWIRE_LOG_LEVEL": "info"}
            stamp = f"{int(time.time())}-{number}"
            partner, publisher = stage.partner(f"r{stamp}"), stage.publisher(f"p{stamp}")
            with stage.served() as server:
                before = sum(seconds for _, seconds in server.burdens())
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    figures = pool.apply(act, (server.address, partner, publisher, scene, seconds))
                after = sum(seconds for _, seconds in server.burdens())
            figures.serving = 1000 * (after - before) / max(1, len(figures.published))
            yield line(engine, scene, figures)


def line(engine: str, scene: Scene, figures: Figures) -> str:
    values = (figures.published, figures.followed, figures.listed)
    cells = "".join(f"{percentile(each, 50):>{width}.1f}{percentile(each, 99):>8.1f}"
                    for each, width in zip(values, (9, 12, 10), strict=True))  # fmt: skip
    return (f"{engine:<11}{scene.followers:>4}{scene.streams:>7}{scene.pollers:>6}{cells}{figures.serving:>8.1f}"
            f"{figures.faults:>8}")  # fmt: skip


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0
