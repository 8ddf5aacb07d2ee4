"""`python -m bench live`: how soon a publication reaches open streams, how many are held, and what they cost.

The server is one web process, so that the figures are those of a process. Publishers are a
process of their own here; streams are read by one thread that looks at many sockets.
"""

import multiprocessing
import re
import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from newswire.store.migrate import upgrade
from tests.soaks.clients import Client, Unanswered
from tests.soaks.servers import Server
from tests.soaks.stage import Stage
from tests.support.postgres import new_database, temporary_postgres

EVENT = re.compile(rb"id: [^\n]*:(\d+)\nevent: ")
PUBLISHERS = 4
BATCH_OF_STREAMS = 50


@dataclass(frozen=True)
class Trial:
    """So many streams that get everything, and so many that are open and get nothing.

    `share` is the part of the asked rate at which is published: a thousand copies of everything are much.
    """

    live: int
    idle: int
    share: float = 1.0


@dataclass(frozen=True)
class Result:
    """Milliseconds unless it says otherwise; `busy` is the share of one processor that the web process took.

    `lost` counts events that a live stream did not get.
    """

    latencies: Sequence[float]
    requests: Sequence[float]
    publishing: Sequence[float]
    megabytes: float
    busy: float
    lost: int


class Streams:
    """Open event streams, read by one thread."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self.key = key
        self.arrived: dict[int, dict[int, float]] = {}
        self._selector = selectors.DefaultSelector()
        self._tails: dict[int, bytes] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def open(self, number: int, query: str) -> None:
        """Opens streams that begin at the head, and waits until each has its first bytes."""
        assert self.server.address is not None
        head = (f"GET /v1/changes?start=now{query} HTTP/1.1\r\nHost: wire.example\r\nAccept: text/event-stream\r\n"
                f"Authorization: Bearer {self.key}\r\n\r\n").encode()  # fmt: skip
        for first in range(0, number, BATCH_OF_STREAMS):
            opened = [
                socket.create_connection(self.server.address) for _ in range(min(BATCH_OF_STREAMS, number - first))
            ]
            for connection in opened:
                connection.sendall(head)
            for connection in opened:
                self._welcome(connection, bool(query))

    def _welcome(self, connection: socket.socket, idle: bool) -> None:
        connection.settimeout(30)
        got = b""
        while b"\nid: " not in got:
            more = connection.recv(65536)
            if not more or (b"\r\n" in got and not got.startswith(b"HTTP/1.1 200")):
                raise Unanswered(f"a stream was refused: {got[:300]!r}")
            got += more
        connection.setblocking(False)
        if not idle:
            self.arrived[connection.fileno()] = {}
        self._tails[connection.fileno()] = b""
        self._selector.register(connection, selectors.EVENT_READ)

    def start(self) -> None:
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.2):
                with suppress(BlockingIOError):
                    self._take(key.fd, key.fileobj.recv(1 << 20))  # type: ignore[union-attr]

    def _take(self, number: int, content: bytes) -> None:
        now = time.monotonic()
        if number not in self.arrived:
            return
        content = self._tails[number] + content
        end = 0
        for found in EVENT.finditer(content):
            self.arrived[number].setdefault(int(found[1]), now)
            end = found.end()
        self._tails[number] = content[max(end, len(content) - 200) :]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()


def publish(address: tuple[str, int], key: str, rate: float, seconds: float) -> list[tuple[int, float, float]]:
    """Publishes at a steady rate; returns number, and the times at which it was sent and acknowledged."""
    done: list[tuple[int, float, float]] = []
    began = time.monotonic()

    def run(number: int) -> None:
        client = Client(_Address(address), key)  # type: ignore[arg-type]
        for turn in range(number, int(rate * seconds), PUBLISHERS):
            time.sleep(max(0.0, began + turn / rate - time.monotonic()))
            sent = time.monotonic()
            content = {"headline": f"Story {turn}", "section": "world", "body_text": "Cocoa rises again. " * 60}
            answer = client.once("POST", "/v1/articles", content)
            done.append((answer.json["seq"], sent, time.monotonic()))
        client.close()

    with ThreadPoolExecutor(PUBLISHERS) as pool:
        list(pool.map(run, range(PUBLISHERS)))
    return done


@dataclass
class _Address:
    address: tuple[str, int]
    closed: bool = False


def measure(stage: Stage, trial: Trial, rate: float, seconds: float) -> Result:
    """One trial on a running server."""
    publisher, partner = stage.publisher(f"p{trial.live}-{trial.idle}"), stage.partner(f"r{trial.live}-{trial.idle}")
    streams = Streams(stage.server, partner)
    streams.open(trial.idle, "&section=nowhere")
    streams.open(trial.live, "")
    streams.start()
    requests: list[float] = []
    stop = threading.Event()
    began, (_, before) = time.monotonic(), stage.server.burden()
    asking = threading.Thread(target=ask, args=(stage.client(partner), stop, requests))
    asking.start()
    assert stage.server.address is not None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        receipts = pool.apply(publish, (stage.server.address, publisher, rate, seconds)) if rate else []
    if not rate:
        time.sleep(seconds)
    memory, after = stage.server.burden()
    busy = (after - before) / (time.monotonic() - began)
    time.sleep(1.0)
    stop.set()
    asking.join()
    streams.close()
    latencies = [1000 * max(0.0, seen[seq] - acknowledged)
                 for seen in streams.arrived.values() for seq, _, acknowledged in receipts if seq in seen]  # fmt: skip
    lost = len(receipts) * len(streams.arrived) - len(latencies)
    taken = [1000 * (acknowledged - sent) for _, sent, acknowledged in receipts]
    return Result(latencies, requests, taken, memory, busy, lost)


def ask(client: Client, stop: threading.Event, taken: list[float]) -> None:
    """Ordinary requests, ten a second."""
    while not stop.wait(0.1):
        began = time.monotonic()
        client.get("/v1/articles?limit=25")
        taken.append(1000 * (time.monotonic() - began))


TRIALS = (Trial(0, 0), Trial(5, 0), Trial(5, 195), Trial(200, 0), Trial(5, 995), Trial(1000, 0, share=0.05))
RATE, SECONDS = 100.0, 10.0
ENGINES = ("sqlite", "postgresql")
HEADING = "ENGINE      LIVE  IDLE  EVENT p50     p99  GET p50     p99  201 p50     p99    MB   BUSY  LOST"


def run(engines: Sequence[str], rate: float, seconds: float, trials: Sequence[Trial] = TRIALS) -> Iterator[str]:
    """The lines of a table, as they become known."""
    yield (
        f"{rate:.0f} publications a second, a twentieth of that beside 1,000 streams that get everything,"
        f" for {seconds:.0f} s; milliseconds; one web process"
    )
    yield HEADING
    with ExitStack() as ending:
        postgres = ending.enter_context(temporary_postgres(durable=True)) if "postgresql" in engines else None
        for engine in engines:
            for trial in trials:
                with staged(postgres.url if postgres and engine == "postgresql" else None, trial) as stage:
                    yield line(engine, trial, measure(stage, trial, rate * trial.share, seconds))


@contextmanager
def staged(server_url: str | None, trial: Trial) -> Iterator[Stage]:
    """A served stage that has room for the streams of a trial."""
    with tempfile.TemporaryDirectory(prefix="newswire-live-") as folder, ExitStack() as ending:
        url = f"sqlite:///{folder}/newswire.db"
        if server_url is not None:
            url = ending.enter_context(new_database(server_url))
        upgrade(url)
        stage = Stage(url, Path(folder))
        stage.server.processes = 1
        room = max(1, trial.live + trial.idle)
        stage.server.environment = {**stage.server.environment, "NEWSWIRE_STREAMS": str(room)}
        with stage.served():
            yield stage


def line(engine: str, trial: Trial, result: Result) -> str:
    figures = [(50, 99, values) for values in (result.latencies, result.requests, result.publishing)]
    widths = ((11, 8), (9, 8), (9, 8))
    cells = "".join(
        f"{percentile(values, low):>{left}.1f}{percentile(values, high):>{right}.1f}"
        for (low, high, values), (left, right) in zip(figures, widths, strict=True)
    )
    return (
        f"{engine:<11}{trial.live:>5}{trial.idle:>6}{cells}{result.megabytes:>6.0f}{result.busy:>7.0%}{result.lost:>6}"
    )


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0
