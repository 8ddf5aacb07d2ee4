"""`python -m bench failover`: the leader of a Patroni cluster is killed again and again under writers and followers.

`strict`: synchronous replication and NEWSWIRE_DURABILITY=replicated. Nothing acknowledged is lost, and nobody gets two
contents under one number. `asynchronous`: the leader's senders are stalled before the kill, so that the new leader
lacks its newest entries. Every follower that has read one of them is told.
"""

import json
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.patroni import Cluster, patroni_cluster
from newswire.store.migrate import upgrade
from tests.soaks.clients import Client, Unanswered, Unexpected
from tests.soaks.report import Report
from tests.soaks.servers import newswire
from tests.soaks.stage import Stage

WRITERS, FOLLOWERS = 8, 20
TOLD = frozenset({"wire_forked", "cursor_ahead", "wire_changed"})
LOST_STORIES = 12
WRITE_SECONDS = 3.0
WAIT_SECONDS = 120.0


class Writer(threading.Thread):
    """Publishes stories one after the other; `acknowledged` maps their ids to their numbers."""

    def __init__(self, client: Client, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.client, self.number, self.stop_writing = client, number, stop
        self.acknowledged: dict[str, int] = {}
        self.fault = ""

    def run(self) -> None:
        count = 0
        while not self.stop_writing.is_set():
            count += 1
            address = f"/v1/publishers/gazette/articles/{self.number}-{count}"
            try:
                answer = self.client.insist("PUT", address, {"headline": f"Story {self.number}-{count}"})
            except (Unanswered, Unexpected) as error:
                self.fault = str(error)
                return
            if answer.status in (200, 201):
                self.acknowledged[answer.json["id"]] = answer.json["seq"]
            time.sleep(random.uniform(0.01, 0.05))


class Follower(threading.Thread):
    """Reads the wire in one way, and keeps the chain value of every number; `told` is the code with which it ended."""

    def __init__(self, client: Client, way: str, number: int, stop: threading.Event, folder: Path) -> None:
        super().__init__(daemon=True)
        self.client, self.way, self.stop_reading = client, way, stop
        self.name = f"{way}-{number}"
        self.folder = folder
        self.after, self.chain, self.wire = 0, "0" * 64, ""
        self.read: dict[int, str] = {}
        self.doubled: list[int] = []
        self.told: str | None = None
        self.fault = self.said = ""

    def run(self) -> None:
        step = {"page": self.page, "poll": self.poll, "events": self.events, "lines": self.lines,
                "consumer": self.consumer, "pull": self.pull}[self.way]  # fmt: skip
        while not self.stop_reading.is_set() and self.told is None:
            try:
                step()
            except Unanswered:
                time.sleep(0.1)
            except Exception as error:
                self.fault = repr(error)
                return

    def keep(self, entry: Any) -> None:
        if self.read.setdefault(entry["seq"], entry["chain"]) != entry["chain"]:
            self.doubled.append(entry["seq"])
        self.after, self.chain = entry["seq"], entry["chain"]

    def ask(self, query: str) -> Any:
        answer = self.client.insist("GET", f"/v1/changes?{query}")
        if answer.status == 409:
            self.told = answer.json["code"]
            return None
        if answer.status != 200:
            raise Unexpected(f"{answer.status} {answer.body[:300]!r}")
        return answer.json

    def position(self) -> str:
        return f"after={self.after}&chain={self.chain}" + (f"&wire={self.wire}" if self.wire else "")

    def page(self, query: str = "", wait: int = 0) -> None:
        page = self.ask(query or f"{self.position()}&limit=50&wait={wait}")
        if page is None:
            return
        for entry in page["data"]:
            self.keep(entry)
        self.after, self.chain, self.wire = page["page"]["next_after"], page["page"]["next_chain"], page["wire"]
        if not page["data"]:
            self.stop_reading.wait(0.05)

    def poll(self) -> None:
        self.page(wait=5)

    def consumer(self) -> None:
        answer = self.client.insist("PUT", f"/v1/consumers/{self.name}", {"after": self.after, "chain": self.chain})
        if answer.status == 409:
            self.told = answer.json["code"]
        elif answer.status == 200:
            self.page(f"consumer={self.name}&limit=50" + (f"&wire={self.wire}" if self.wire else ""))

    def stream(self, media: str, headers: dict[str, str]) -> Iterator[bytes]:
        """The lines of a stream that begins at our position, or nothing where that is refused."""
        probe = self.ask(f"{self.position()}&limit=1")
        if probe is None:
            return
        self.wire = probe["wire"]
        yield from self.client.lines(f"/v1/changes?{self.position()}", {"Accept": media, **headers})

    def events(self) -> None:
        event = ""
        for line in self.stream("text/event-stream", {}):
            name, _, value = line.decode().partition(": ")
            event = value if name == "event" else event
            if name == "data" and event == "error":
                self.told = json.loads(value)["code"]
            elif name == "data":
                self.keep(json.loads(value))
            if self.stop_reading.is_set() or self.told:
                return

    def lines(self) -> None:
        for line in self.stream("application/x-ndjson", {}):
            entry = json.loads(line)
            if "seq" in entry and "article" in entry:
                self.keep(entry)
            elif "code" in entry:
                self.told = entry["code"] if entry["code"] in TOLD else None
        self.stop_reading.wait(0.1)

    def pull(self) -> None:
        """`newswire pull`, once; what it says where it stops is that of `wire_forked` or its like."""
        state, output = self.folder / f"{self.name}.state", self.folder / f"{self.name}.ndjson"
        host, port = self.client.server.address or ("127.0.0.1", 1)
        environment = {**self.client.server.environment, "NEWSWIRE_KEY": self.client.key}
        command = newswire("pull", "--state", str(state), "--output", str(output), "--url", f"http://{host}:{port}")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        self.said = f"{done.returncode}: {done.stderr}"
        with suppress(FileNotFoundError):
            for line in output.read_bytes().splitlines()[len(self.read) :]:
                self.keep(json.loads(line))
        if done.returncode and any(words in done.stderr for words in ("has lost entries", "ends before your position")):
            self.told = "wire_forked"
        self.stop_reading.wait(0.3)


WAYS = ("page", "poll", "events", "lines", "consumer", "pull")


def run(mode: str, rounds: int, etcd: str, tell: Callable[[str], None]) -> Report:
    """`rounds` kills of the leader in one mode; the report has what was lost, doubled, and not told."""
    report = Report(f"failover, {mode}", "postgresql")
    began = time.monotonic()
    with (
        patroni_cluster(etcd, strict=mode == "strict") as cluster,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        upgrade(cluster.url)
        stage = Stage(cluster.url, Path(folder))
        stage.server.environment = {
            **stage.server.environment, "NEWSWIRE_DURABILITY": "replicated" if mode == "strict" else "local",
        }  # fmt: skip
        keys = stage.publisher("gazette"), stage.partner("daily")
        with stage.served():
            try:
                (strict_rounds if mode == "strict" else asynchronous_rounds)(stage, cluster, keys, rounds, report, tell)
            except TimeoutError as error:
                report.faults.append(str(error))
            report.figures["renewals of the id"] = sum("has lost entries" in line for line in stage.server._lines())
    report.seconds = time.monotonic() - began
    return report


def followers_of(stage: Stage, key: str, stop: threading.Event) -> list[Follower]:
    folder = Path(tempfile.mkdtemp(dir=stage.folder))
    made = [Follower(stage.client(key), WAYS[n % len(WAYS)], n, stop, folder) for n in range(FOLLOWERS)]
    for follower in made:
        follower.start()
    return made


def strict_rounds(
    stage: Stage, cluster: Cluster, keys: tuple[str, str], rounds: int, report: Report, tell: Callable[[str], None]
) -> None:
    stop, stop_writing = threading.Event(), threading.Event()
    followers = followers_of(stage, keys[1], stop)
    writers = [Writer(stage.client(keys[0]), number, stop_writing) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for number in range(1, rounds + 1):
        time.sleep(WRITE_SECONDS)
        tell(f"  round {number}: {fail_over(cluster, lambda: None)}")
    time.sleep(WRITE_SECONDS)
    stop_writing.set()
    for writer in writers:
        writer.join(WAIT_SECONDS)
    log = whole_log(stage.client(keys[1]))
    wait_until(
        lambda: all(max(each.read, default=0) == max(log) for each in followers if not each.told), "all have read"
    )
    stop.set()
    for follower in followers:
        follower.join(WAIT_SECONDS)
    acknowledged = {seq: article for writer in writers for article, seq in writer.acknowledged.items()}
    report.none(
        "acknowledged and lost", [seq for seq, article in acknowledged.items() if log.get(seq, ("",))[0] != article]
    )
    report.none("numbers with two contents", [
        (each.name, seq) for each in followers for seq, chain in each.read.items() if log.get(seq, ("", ""))[1] != chain
    ])  # fmt: skip
    report.none("read twice with other content", [each.name for each in followers if each.doubled])
    report.none("stopped without a reason", [(each.name, each.told) for each in followers if each.told])
    report.none("missed", [each.name for each in followers if len(each.read) != len(log)])
    faults = [*(writer.fault for writer in writers), *(follower.fault for follower in followers)]
    report.none("failed", list(filter(None, faults)))
    report.figures |= {"kills": rounds, "acknowledged": len(acknowledged), "followers": len(followers)}


def asynchronous_rounds(
    stage: Stage, cluster: Cluster, keys: tuple[str, str], rounds: int, report: Report, tell: Callable[[str], None]
) -> None:
    told = expected = lost = 0
    publisher = stage.client(keys[0])
    for number in range(1, rounds + 1):
        stop, stop_writing = threading.Event(), threading.Event()
        writers = [Writer(stage.client(keys[0]), 1000 * number + n, stop_writing) for n in range(WRITERS)]
        followers = followers_of(stage, keys[1], stop)
        for writer in writers:
            writer.start()
        time.sleep(WRITE_SECONDS)

        def lose_the_tail(followers: list[Follower] = followers) -> None:
            cluster.stall_senders(str(cluster.leader()))
            time.sleep(0.2)
            for story in range(LOST_STORIES):
                publisher.insist("POST", "/v1/articles", {"headline": f"Lost {story}"})
            head = publisher.get("/v1/wire")["head"]
            # Whoever has not read the tail by then is not concerned by its loss.
            with suppress(TimeoutError):
                wait_until(lambda: all(max(each.read, default=0) >= head for each in followers), "all have read it", 60)

        said = fail_over(cluster, lose_the_tail)
        time.sleep(WRITE_SECONDS)
        log = whole_log(stage.client(keys[1]))
        concerned = [
            each for each in followers if any(log.get(s, ("", ""))[1] != c for s, c in dict(each.read).items())
        ]
        for follower in concerned:
            follower.join(40.0)
        stop.set()
        stop_writing.set()
        for thread in (*writers, *followers):
            thread.join(WAIT_SECONDS)
        expected += len(concerned)
        told += sum(each.told in TOLD for each in concerned)
        report.none(
            f"round {number}: not told", [(each.name, each.fault or each.said) for each in concerned if not each.told]
        )
        report.none(f"round {number}: other content under a number", [e.name for e in followers if e.doubled])
        lost += sum(log.get(seq, ("",))[0] != article for w in writers for article, seq in w.acknowledged.items())
        tell(f"  round {number}: {said}; {sum(each.told in TOLD for each in concerned)} of {len(concerned)} told")
    report.figures |= {"kills": rounds, "followers that read the lost tail": expected, "of them told": told,
                       "acknowledged and lost (asynchronous)": lost}  # fmt: skip


def fail_over(cluster: Cluster, before: Callable[[], None]) -> str:
    """Kills the leader of a whole cluster, waits for another one, and starts the killed node as its standby."""
    killed = cluster.wait_until_whole()
    before()
    began = time.monotonic()
    cluster.kill(killed)
    wait_until(lambda: cluster.leader() not in (None, killed), "another node leads")
    seconds = time.monotonic() - began
    follows = cluster.leader()
    cluster.start(killed)
    return f"{killed} killed, {follows} leads after {seconds:.1f} s"


def wait_until(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.1)


def whole_log(client: Client) -> dict[int, tuple[str, str]]:
    """Article and chain value of every entry of the wire, by number."""
    found: dict[int, tuple[str, str]] = {}
    after, more = 0, True
    while more:
        page = client.get(f"/v1/changes?after={after}&limit=500")
        found |= {entry["seq"]: (entry["article_id"], entry["chain"]) for entry in page["data"]}
        after, more = page["page"]["next_after"], page["page"]["has_more"]
    return found
