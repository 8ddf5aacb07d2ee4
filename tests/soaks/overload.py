"""Soak `overload`: twice as many requests as the server can answer, and everybody is served or refused in time."""

import itertools
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.soaks.clients import Answer, Client, Unanswered
from tests.soaks.crew import crew
from tests.soaks.report import Report, slowest
from tests.soaks.stage import Scale, Stage

PARTNERS, PUBLISHERS = 6, 3
CAPACITY_CLIENTS = 8
CLIENTS = 120
"""Enough for two times the capacity while each request takes half a second."""
MEASURED_SECONDS = 5.0
WRITES_EVERY = 5
"""One request in so many publishes, the others read a list that no cache has."""
LONGEST_SECONDS, READER_MILLISECONDS = 3.0, 500.0
RECOVERY_SECONDS = 5.0
WORDS = " ".join(f"word{number}" for number in range(200))


@dataclass
class Seen:
    """What one thread saw: answers with their seconds, ids that were acknowledged, requests without an answer."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def note(self, answer: Answer, seconds: float) -> None:
        if answer.status == 200:
            self.reads.append(seconds)
        elif answer.status == 201:
            self.writes.append(seconds)
            self.stored.append(answer.json["id"])
        else:
            self.refusals.append(seconds)
            if not is_proper_refusal(answer):
                self.wrong.append(f"{answer.status} {answer.headers} {answer.body[:200]!r}")


def is_proper_refusal(answer: Answer) -> bool:
    """Whether it is a problem document with 503 or 429 and the time of the next try."""
    if answer.status not in (503, 429) or answer.headers.get("Content-Type") != "application/problem+json":
        return False
    retry_after = answer.headers.get("Retry-After", "")
    return retry_after.isdigit() and int(retry_after) >= 1 and json.loads(answer.body)["status"] == answer.status


class Requests:
    """The requests, in turn by all parties; `period` is the time between two, 0 sends each as soon as possible."""

    def __init__(self, period: float, seconds: float) -> None:
        self.period = period
        self.began = time.monotonic()
        self.ends = self.began + seconds
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def next_number(self) -> int | None:
        """The number of the next request, when it is its time; None at the end."""
        with self._lock:
            number = next(self._numbers)
        due = self.began + number * self.period
        time.sleep(max(0.0, min(due, self.ends) - time.monotonic()))
        return number if max(due, time.monotonic()) < self.ends else None


def send_requests(requests: Requests, partners: Sequence[Client], publishers: Sequence[Client]) -> Seen:
    seen = Seen()
    while (number := requests.next_number()) is not None:
        is_write = number % WRITES_EVERY == 0
        client = publishers[number % len(publishers)] if is_write else partners[number % len(partners)]
        article = {"headline": f"Story {number} of {requests.began}", "body_text": f"{WORDS} {number}"}
        began = time.monotonic()
        try:
            if is_write:
                answer = client.once("POST", "/v1/articles", article)
            else:
                answer = client.once("GET", f"/v1/articles?limit=20&_={number}.{requests.began}")
        except Unanswered as error:
            seen.wrong.append(str(error))
            continue
        seen.note(answer, time.monotonic() - began)
    return seen


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    readers = [stage.partner(f"partner{number}") for number in range(PARTNERS)]
    writers = [stage.publisher(f"publisher{number}") for number in range(PUBLISHERS)]
    # The clients need the other processor, or they could not offer that much.
    stage.server.processes = 1
    with stage.served() as server, crew(server, CLIENTS) as (pool, _):
        # Each thread has a connection of its own for every party.
        clients = [
            ([stage.client(key) for key in readers], [stage.client(key) for key in writers]) for _ in range(CLIENTS)
        ]

        def run(threads: int, period: float, seconds: float) -> list[Seen]:
            requests = Requests(period, seconds)
            running = [pool.submit(send_requests, requests, *each) for each in clients[:threads]]
            return [each.result() for each in running]

        run(CAPACITY_CLIENTS, 0.0, 1.0)
        before = run(CAPACITY_CLIENTS, 0.0, MEASURED_SECONDS)
        capacity = sum(len(seen.reads) + len(seen.writes) for seen in before) / MEASURED_SECONDS
        quiet = run(1, 0.0, 2.0)
        found = run(CLIENTS, 1 / (2 * capacity), scale.seconds)
        time.sleep(RECOVERY_SECONDS)
        after = run(1, 0.0, 2.0)
        stored = [number for seen in (*before, *quiet, *found, *after) for number in seen.stored]
        check_stored(report, stage, stored)
        reads, writes, refusals = (
            [seconds for seen in found for seconds in getattr(seen, name)] for name in ("reads", "writes", "refusals")
        )
        report.none("answers that are none", [each for seen in (*before, *found, *after) for each in seen.wrong])
        report.none("requests that waited too long", [s for s in (*reads, *writes, *refusals) if s > LONGEST_SECONDS])
        if slowest(reads) > READER_MILLISECONDS:
            report.faults.append(f"readers waited {slowest(reads):.0f} ms (p99), at most {READER_MILLISECONDS:.0f}")
        check_recovery(report, quiet, after)
        offered = (len(reads) + len(writes) + len(refusals)) / scale.seconds
        if offered < 1.8 * capacity:
            report.notes.append(f"The clients could offer only {offered / capacity:.2f} times the capacity.")
        report.figures = {
            "requests/s of capacity": capacity,
            "offered/s": offered,
            "reads": len(reads), "publications": len(writes), "refused": len(refusals),
            "ms p99 of reads": slowest(reads), "ms p99 of publications": slowest(writes),
            "ms p99 of refusals": slowest(refusals),
            "ms at most": 1000 * max((*reads, *writes, *refusals), default=0.0),
        }  # fmt: skip
    stage.examine(report)


def check_stored(report: Report, stage: Stage, acknowledged: Sequence[str]) -> None:
    """Everything that was acknowledged is on the wire."""
    admin, told, after = stage.client(stage.admin()), set[str](), 0
    while True:
        page = admin.get(f"/v1/changes?after={after}&limit=500")
        told |= {entry["article_id"] for entry in page["data"]}
        after = page["page"]["next_after"]
        if not page["page"]["has_more"]:
            break
    report.none("acknowledged and lost", set(acknowledged) - told)


def check_recovery(report: Report, before: Sequence[Seen], after: Sequence[Seen]) -> None:
    """A client alone is served as before: nothing refused, and in about the same time."""
    report.none("refused after the overload", [s for seen in after for s in seen.refusals])
    typical = [median([s for seen in each for s in seen.reads]) for each in (before, after)]
    if typical[1] > 3 * typical[0]:
        report.faults.append(f"a list takes {1000 * typical[1]:.1f} ms after it, {1000 * typical[0]:.1f} before")


def median(seconds: Sequence[float]) -> float:
    return sorted(seconds)[len(seconds) // 2] if seconds else 0.0
