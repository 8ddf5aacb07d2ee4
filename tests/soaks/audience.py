"""The readers of the soak `readers`: all ways of reading, with filters; after a crash each goes on where it was.

What a reader asks for is here twice: as parameters or an entitlement, and as a plain function
over the article, which knows nothing of terms, SQL or analysis.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from tests.soaks.clients import Client, Unanswered, Unexpected
from tests.soaks.following import Follower, Told, told

PAUSE_SECONDS = 0.2
WAIT_SECONDS = 5
EVENTS, NDJSON = "text/event-stream", "application/x-ndjson"


class Wish(NamedTuple):
    """What a reader wants: `limits` are its entitlement, `holds` says the same of an article."""

    name: str
    query: str
    limits: Mapping[str, Sequence[str]]
    holds: Callable[[Mapping[str, Any]], bool]


WISHES = (
    Wish("everything", "", {}, lambda article: True),
    Wish("one-section", "&section=world", {}, lambda article: article["section"] == "world"),
    Wish("a-word", "&q=cocoa", {}, lambda article: "cocoa" in article["headline"].split()),
    Wish("entitled", "", {"section": ["world", "culture"]}, lambda article: article["section"] in ("world", "culture")),
    Wish("not-sport", "&not_section=sport", {}, lambda article: article["section"] != "sport"),
)
LAST = {"headline": "cocoa for everyone", "section": "world"}
"""A story that every one of them wants."""


class Finish:
    """How far everyone has to read, once that is known; `deadline`: until when, on the monotonic clock."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self.deadline = 0.0

    def set(self, seq: int, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.seq = seq

    def reached(self, after: int) -> bool:
        return self.seq is not None and (after >= self.seq or time.monotonic() > self.deadline)


class Listener(Follower):
    """One reader of the audience; `polls` counts the answers that it read to their end."""

    def __init__(self, client: Client, wish: Wish, way: str, number: int) -> None:
        super().__init__(client, wish.query)
        self.wish = wish
        self.way = way
        self.name = f"reader-{number}"
        self.event_id: str | None = None

    def listen(self, finish: Finish) -> None:
        """Reads until the finish, whatever happens to the server."""
        while not finish.reached(self.after):
            try:
                WAYS[self.way](self, finish)
            except Unanswered:
                if self.client.server.closed:
                    raise
                time.sleep(PAUSE_SECONDS)


def page(reader: Listener, finish: Finish) -> None:
    if not reader.poll(random.randint(1, 60)):
        time.sleep(PAUSE_SECONDS)


def long_poll(reader: Listener, finish: Finish) -> None:
    reader.poll(random.randint(1, 60), WAIT_SECONDS)


def event_stream(reader: Listener, finish: Finish) -> None:
    """Server-Sent Events, cut by the reader itself now and then; `Last-Event-ID` takes them up again."""
    last = {} if reader.event_id is None else {"Last-Event-ID": reader.event_id}
    cut = len(reader.told) + random.randint(1, 300)
    event: dict[bytes, bytes] = {}
    with closing(reader.client.lines(f"/v1/changes?after=0{reader.query}", {"Accept": EVENTS, **last})) as lines:
        for line in lines:
            name, _, value = line.partition(b": ")
            event[name] = value
            if line:
                continue
            if b"data" in event:
                reader.told.append(told(json.loads(event[b"data"])))
            if b"id" in event:
                reader.event_id = event[b"id"].decode()
                reader.after = int(reader.event_id.split(":")[1])
            event = {}
            if finish.reached(reader.after) or len(reader.told) >= cut:
                break
    reader.polls += 1


def ndjson(reader: Listener, finish: Finish) -> None:
    """Exports from where it is to the head; what came of one that was cut off counts."""
    for line in reader.client.lines(f"/v1/changes?after={reader.after}{reader.query}", {"Accept": NDJSON}):
        entry = json.loads(line)
        if "next_after" not in entry:
            reader.told.append(told(entry))
        reader.after = entry.get("next_after", entry.get("seq"))
    reader.polls += 1
    time.sleep(PAUSE_SECONDS)


def consumer(reader: Listener, finish: Finish) -> None:
    """Pages from a stored position; now and then one is lost before it was noted, and comes again."""
    if reader.polls == 0:
        store_position(reader, 0)
    path = f"/v1/changes?consumer={reader.name}&limit={random.randint(1, 60)}{reader.query}"
    if random.random() < 0.2:
        reader.client.get(path)
    got = reader.client.get(path)
    store_position(reader, got["page"]["next_after"])
    reader.told += map(told, got["data"])
    reader.after = got["page"]["next_after"]
    reader.polls += 1
    if not got["page"]["has_more"]:
        time.sleep(PAUSE_SECONDS)


def store_position(reader: Listener, after: int) -> None:
    answer = reader.client.insist("PUT", f"/v1/consumers/{reader.name}", {"after": after})
    if answer.status not in (200, 201):
        raise Unexpected(f"PUT of the position {after}: {answer.status} {answer.body[:500]!r}")


WAYS: dict[str, Callable[[Listener, Finish], None]] = {
    "page": page, "long poll": long_poll, "event stream": event_stream, "ndjson": ndjson, "consumer": consumer,
}  # fmt: skip


def without_blank(entries: Sequence[Told]) -> list[Told]:
    """The same, whether or not the article was still to be had when it was read."""
    return [entry._replace(blank=False) for entry in entries]
