"""The contenders of `bench compare` on one engine: Newswire, the view that does nothing, the floor and the peers.

Each is one process, on a database of its own that is filled with what Newswire serves.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import make_url

from bench import floor_store, servers
from bench.clients import Client
from bench.compare_jobs import MANY, Door, floor_door, loads, material, newswire_door, null_door, peer_door
from bench.compare_load import Load
from bench.compare_serving import FLOOR, NULL, PEERS, Server, missing
from bench.floor import row
from bench.peers import tables
from bench.postgres import new_database
from bench.stage import Stage
from newswire.instant import parse_instant

NEWSWIRE = "Newswire"
TOGETHER = 500


class Figures(NamedTuple):
    """Of one job: requests a second; milliseconds of an answer, median and 99 %; of the processor for each; memory."""

    rate: float
    median: float
    slowest: float
    processor: float
    megabytes: float


@dataclass
class Contender:
    """An application that is served, what it is asked, and what was measured of it."""

    name: str
    server: servers.Server
    loads: dict[str, Load]
    figures: dict[str, Figures] = field(default_factory=dict)


@contextmanager
def contenders(url: str, size: int, tell: Callable[[str], None]) -> Iterator[list[Contender]]:
    """All of them on the engine of `url`, a loaded wire of `size` articles; they are served during the block."""
    with ExitStack() as ending:
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="newswire-compare-"))
        ring = Ring(url, size, Path(folder), ending)
        stage = Stage(url, ring.folder)
        stage.server.processes = 1
        ending.enter_context(stage.served())
        client = stage.client(stage.partner("compare-reader"))
        floor_url = ring.new_database() if stage.engine == "postgresql" else f"sqlite:///{ring.folder}/floor.db"
        ids = filled_floor(floor_url, client)[:: max(1, size // MANY)]
        tell("the floor is filled")
        door = newswire_door(client, stage.publisher("compare-desk"), ids, size)
        found = [Contender(NEWSWIRE, stage.server, loads(door, material(size)))]
        found.append(ring.enter(NULL, floor_url, lambda asking: null_door()))
        found.append(ring.enter(FLOOR, floor_url, lambda asking: floor_door(asking, ids, size)))
        if stage.engine == "postgresql":
            found += peers(ring, client, tell)
        yield found


@dataclass(frozen=True)
class Ring:
    """Where they meet: the wire on whose server all databases are, its size, a folder, and who tidies up."""

    url: str
    size: int
    folder: Path
    ending: ExitStack

    def new_database(self, template: str = "template0") -> str:
        """The URL of another database on PostgreSQL."""
        return self.ending.enter_context(new_database(self.url, template))

    def enter(self, name: str, url: str, door: Callable[[Client], Door]) -> Contender:
        """Serves an application on its database; `door` gets somebody who can ask it."""
        server = Server(name, url, self.folder)
        self.ending.callback(server.close)
        server.start()
        server.wait_until_ready()
        client = Client(server, "")
        self.ending.callback(client.close)
        return Contender(name, server, loads(door(client), material(self.size)))


def peers(ring: Ring, client: Client, tell: Callable[[str], None]) -> Iterator[Contender]:
    """Those that are installed, each on a copy of the same tables."""
    whole = ring.new_database()
    tables.fill(whole, articles(client))
    tell("the tables of the peers are filled")
    for name in PEERS:
        if missing(name):
            tell(f"{name} is left out: {' and '.join(missing(name))} not installed (pip install '.[bench]')")
        else:
            copy = ring.new_database(str(make_url(whole).database))
            yield ring.enter(name, copy, lambda asking, name=name: peer_door(name, asking, ring.size))  # type: ignore[misc]


def filled_floor(url: str, client: Client) -> list[str]:
    """Fills the tables of the floor with what Newswire serves; returns the ids."""
    ids = []

    def rows() -> Iterator[floor_store.Row]:
        for number, content in enumerate(articles(client)):
            ids.append(content["id"])
            yield row(content, parse_instant(content["published_at"]), number)

    floor_store.fill(url, rows())
    return ids


def articles(client: Client) -> Iterator[dict[str, Any]]:
    """Every article as Newswire serves it, in the order of reception."""
    after, more = 0, True
    while more:
        answer = client.get(f"/v1/changes?limit={TOGETHER}&after={after}")
        yield from (each["article"] for each in answer["data"])
        after, more = answer["page"]["next_after"], answer["page"]["has_more"]
