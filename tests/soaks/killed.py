"""Soak `killed`: the server is killed again and again while it is written to, and what it answered is there, once.

Every article is sent with an Idempotency-Key of its own and, whenever the answer is lost, sent
again with the same key. Where PostgreSQL is ours it is crashed too, with the server and without.
"""

import random
import threading
import time
from typing import NamedTuple
from uuid import uuid4

from tests.soaks.clients import Answer, Client, Unexpected
from tests.soaks.crew import crew
from tests.soaks.following import Follower, check_whole, found, listed
from tests.soaks.report import Report, doubled, slowest
from tests.soaks.stage import Scale, Stage
from tests.soaks.striking import Progress, strike

CLIENTS = 4
# A client that gives up right after it has sent its request, and sends it again at once.
HANG_UPS = 0.15


class Sent(NamedTuple):
    """A request and its answer."""

    key: str
    word: str
    answer: Answer


class Stream:
    """One client that publishes one article after the other, each until it is answered."""

    def __init__(self, client: Client, number: int) -> None:
        self.client = client
        self.number = number
        self.sent: list[Sent] = []

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            word = f"k{self.number}x{len(self.sent)}"
            key = str(uuid4())
            if random.random() < HANG_UPS:
                self.client.hang_up("POST", "/v1/articles", content(word), {"Idempotency-Key": key})
            self.sent.append(Sent(key, word, self.publish(word, key)))

    def publish(self, word: str, key: str) -> Answer:
        answer = self.client.insist("POST", "/v1/articles", content(word), {"Idempotency-Key": key})
        if answer.status != 201:
            raise Unexpected(f"POST of {word}: {answer.status} {answer.body[:500]!r}")
        return answer

    def repeat_all(self) -> list[str]:
        """Sends everything again; the words of what was not answered as the first time."""
        return [
            sent.word
            for sent in self.sent
            if (again := self.publish(sent.word, sent.key)).body != sent.answer.body
            or "Idempotent-Replayed" not in again.headers
        ]


def content(word: str) -> dict[str, str]:
    return {"headline": f"{word} goes out", "section": "world", "body_text": "The ferry was late again. " * 20}


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    sender, reader = stage.publisher("gazette"), stage.partner("daily")
    with stage.served() as server, crew(server, CLIENTS + 1) as (pool, stop):
        streams = [Stream(stage.client(sender), number) for number in range(CLIENTS)]
        running = [pool.submit(stream.run, stop) for stream in streams]
        progress = Progress(lambda: [len(stream.sent) for stream in streams], running)
        follower = Follower(stage.client(reader))
        reading = pool.submit(follower.follow, stop)
        began = time.monotonic()
        for number in range(1, scale.kills + 1):
            strike(stage, server, progress, number)
        progress.wait()
        stop.set()
        for future in (*running, reading):
            future.result()
        taken = time.monotonic() - began
        repeats = sum(stream.client.repeats for stream in streams)
        report.none("a repeat was answered otherwise", [w for stream in streams for w in stream.repeat_all()])
        check_end(report, follower, [sent for stream in streams for sent in stream.sent])
        report.figures = {
            "kills": scale.kills,
            "articles": sum(len(stream.sent) for stream in streams),
            "a second": sum(len(stream.sent) for stream in streams) / taken,
            "sent again": repeats,
            "of them were stored already": replayed(streams),
            "ms for 99 %": slowest([second for stream in streams for second in stream.client.seconds]),
        }
    stage.examine(report)


def replayed(streams: list[Stream]) -> int:
    """How often an answer had been lost on its way and the article was there already."""
    return sum("Idempotent-Replayed" in sent.answer.headers for stream in streams for sent in stream.sent)


def check_end(report: Report, follower: Follower, sent: list[Sent]) -> None:
    """Every acknowledged article is on the wire, in the list and in the search, once; and nothing else is.

    `follower` read through all the kills: what it was told then is what the wire holds now.
    """
    acknowledged = {(article := item.answer.json)["id"]: (article["seq"], item.word) for item in sent}
    report.none("acknowledged as the same article", doubled([item.answer.json["id"] for item in sent]))
    entries, reader = Follower(follower.client).catch_up(), follower.client
    check_whole(report, entries)
    report.equal("a reader was told the same before and after", follower.catch_up() == entries, True)
    told = {(entry.article_id, entry.seq) for entry in entries}
    expected = {(article_id, seq) for article_id, (seq, _) in acknowledged.items()}
    report.none("acknowledged and not on the wire", expected - told)
    report.none("on the wire and never acknowledged", told - expected)
    ids = listed(reader)
    report.none("listed twice", doubled(ids))
    report.none("acknowledged and not listed, or the reverse", acknowledged.keys() ^ set(ids))
    by_word = found(reader, [word for _, word in acknowledged.values()])
    report.none("not found by its word", [w for id, (_, w) in acknowledged.items() if by_word[w] != [id]])
