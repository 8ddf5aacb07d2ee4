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

from bench import floor_store
from bench.compare_doors import datasette_door, floor_door, newswire_door, null_door, peer_door
from bench.compare_jobs import Door, loads, material
from bench.compare_load import Load
from bench.compare_serving import DATASETTE, FLOOR, NULL, PEERS, Server, missing
from bench.floor import row
from bench.peers import datasette, tables
from newswire.timestamps import parse_instant
from tests.soaks import servers
from tests.soaks.clients import Client
from tests.soaks.stage import Stage
from tests.support.postgres import new_database

NEWSWIRE, DESK = "Newswire", "compare-desk"
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
    """An application that is served, what it is asked, and what was measured of it.

    `published` is how many articles a second it took beside its readers, in each run.
    """

    name: str
    server: servers.Server
    loads: dict[str, Load]
    figures: dict[str, Figures] = field(default_factory=dict)
    published: list[float] = field(default_factory=list)


@contextmanager
def contenders(url: str, size: int, tell: Callable[[str], None]) -> Iterator[list[Contender]]:
    """All of them on the engine of `url`, a loaded wire of `size` articles; they are served during the block."""
    with ExitStack() as ending:
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="newswire-compare-"))
        ring = Ring(url, size, Path(folder), ending)
        ours, client = newswire(url, size, ring.folder, ending)
        floor_url = ring.new_database() if ring.is_postgres else f"sqlite:///{ring.folder}/floor.db"
        floor_store.fill(floor_url, rows(client))
        tell("the floor is filled")
        found = [ours, ring.enter(NULL, floor_url, lambda asking: null_door())]
        found.append(ring.enter(FLOOR, floor_url, lambda asking: floor_door(asking, size)))
        if ring.has(DATASETTE, tell):
            datasette.fill(file := f"{ring.folder}/wire.db", articles(client))
            found.append(ring.enter(DATASETTE, file, lambda asking: datasette_door(size)))
        if ring.is_postgres:
            found += peers(ring, client, tell)
        yield found


def newswire(url: str, size: int, folder: Path, ending: ExitStack) -> tuple[Contender, Client]:
    """Newswire on a wire with a corpus of `size`, and a reader of it."""
    stage = Stage(url, folder)
    stage.server.processes = 1
    ending.enter_context(stage.served())
    client = stage.client(stage.partner(f"{DESK}-reader"))
    door = newswire_door(client.key, stage.publisher(DESK), size, client)
    return Contender(NEWSWIRE, stage.server, loads(door, material(size))), client


@dataclass(frozen=True)
class Ring:
    """Where they meet: the wire on whose server all databases are, its size, a folder, and who tidies up."""

    url: str
    size: int
    folder: Path
    ending: ExitStack

    @property
    def is_postgres(self) -> bool:
        return make_url(self.url).get_backend_name() == "postgresql"

    def has(self, name: str, tell: Callable[[str], None]) -> bool:
        """Whether what a peer needs is installed."""
        if lacking := missing(name):
            tell(f"{name} is left out: {' and '.join(lacking)} not installed (pip install '.[bench]')")
        return not lacking

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
        if ring.has(name, tell):
            copy = ring.new_database(str(make_url(whole).database))
            yield ring.enter(name, copy, lambda asking, name=name: peer_door(name, asking, ring.size))  # type: ignore[misc]


def rows(client: Client) -> Iterator[floor_store.Row]:
    """The rows of the floor for what Newswire serves."""
    for number, content in enumerate(articles(client)):
        yield row(content, parse_instant(content["published_at"]), number)


def articles(client: Client) -> Iterator[dict[str, Any]]:
    """Every article as Newswire serves it, in the order of reception."""
    after, more = 0, True
    while more:
        answer = client.get(f"/v1/changes?limit={TOGETHER}&after={after}")
        yield from (each["article"] for each in answer["data"])
        after, more = answer["page"]["next_after"], answer["page"]["has_more"]
