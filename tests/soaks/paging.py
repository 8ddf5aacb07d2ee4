"""Soak `paging`: walks through a list by cursor while it is written to, killed in and moved about.

Whatever was there when a walk began, and was neither killed nor moved to another time since, is
seen by this walk exactly once; nothing is seen twice; times never go back.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.soaks.clients import Client
from tests.soaks.crew import crew
from tests.soaks.following import pages
from tests.soaks.report import Report, doubled, slowest
from tests.soaks.shelf import Item, Shelf
from tests.soaks.stage import Scale, Stage

PAUSE_SECONDS = 0.002


@dataclass
class Walk:
    """One way through the articles, taken over and over; `holds` says which articles are on it."""

    name: str
    parameters: str
    holds: Callable[[Item], bool]
    client: Client
    rising: bool = False
    walked: int = 0
    pages: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def run(self, shelf: Shelf, deadline: float) -> None:
        """Walks until the time is up, at least once."""
        while self.walked == 0 or time.monotonic() < deadline:
            self.once(shelf)
            self.walked += 1

    def once(self, shelf: Shelf) -> None:
        there = {item.id for item in shelf.standing() if self.holds(item)}
        ids: list[str] = []
        times: list[str] = []
        for page in pages(self.client, f"/v1/articles?{self.parameters}"):
            ids += [article["id"] for article in page]
            times += [article["published_at"] for article in page]
            self.pages += 1
        touched = shelf.touched
        self.note("missed", [found for found in there - set(ids) if found not in touched])
        self.note("seen twice", [found for found in doubled(ids) if found not in touched])
        times = times if self.rising else times[::-1]
        self.note("out of order", [after for before, after in pairwise(times) if before > after])

    def note(self, fault: str, found: list[str]) -> None:
        if found:
            self.faults.setdefault(f"{fault} on the walk {self.name}", []).extend(found)


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    sender, reader = stage.publisher("gazette"), stage.partner("daily")
    with stage.served() as server, crew(server, 8) as (pool, stop):
        shelf = Shelf(stage.client(sender), "gazette")
        began = time.monotonic()
        shelf.fill(scale.articles)
        loaded = time.monotonic() - began
        disturbing = pool.submit(disturb, shelf, stop)
        walks = all_walks(lambda: stage.client(reader), 100 if scale.articles > 10_000 else 20)
        deadline = time.monotonic() + scale.seconds
        for future in [pool.submit(walk.run, shelf, deadline) for walk in walks]:
            future.result()
        stop.set()
        disturbing.result()
        for walk in walks:
            for fault, found in walk.faults.items():
                report.none(fault, found)
        report.figures = {
            "articles": scale.articles,
            "loaded a second": scale.articles / loaded,
            "walks": sum(walk.walked for walk in walks),
            "pages": sum(walk.pages for walk in walks),
            "disturbances": shelf.disturbances,
            "killed or moved": len(shelf.touched),
            "ms for 99 % of pages": slowest([second for walk in walks for second in walk.client.seconds]),
        }
    stage.examine(report)


def disturb(shelf: Shelf, stop: threading.Event) -> None:
    while not stop.wait(PAUSE_SECONDS):
        shelf.disturb()


def all_walks(client: Callable[[], Client], limit: int) -> list[Walk]:
    """By time in both directions, plain, with words, and through a filter."""
    newest, oldest = f"limit={limit}", f"limit={limit}&sort=published_at"
    return [
        Walk("newest first", newest, lambda item: True, client()),
        Walk("oldest first", oldest, lambda item: True, client(), rising=True),
        Walk("q, newest first", f"{newest}&q=harbour", lambda item: item.harbour, client()),
        Walk("q, oldest first", f"{oldest}&q=harbour", lambda item: item.harbour, client(), rising=True),
        Walk("section", f"{newest}&section=world", lambda item: item.world, client()),
    ]
