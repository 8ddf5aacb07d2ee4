"""`python -m bench growth`: the same jobs of Newswire on wires of several sizes, in turn; what they cost by size.

One client asks, so that the time of an answer is what it costs, the database included. Wires
are kept as those of `bench search`, and copied before they are asked: publishing is one of the jobs.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import make_url

from bench import chart
from bench.compare import RUNS, Tell, generators, measure_all
from bench.compare_commands import start_seconds
from bench.compare_contenders import Contender, newswire
from bench.compare_jobs import BUSY, JOBS, READING
from bench.compare_table import circumstances, lines
from bench.kept import wires
from bench.searching import NAMES
from tests.support.postgres import new_database

GROWING = tuple(job for job in (*READING, "publish") if job != BUSY)
DEPTH, MEGABYTES, START = 1.2, 100, 2
"""What Newswire is held against: of the cost of the first page, in megabytes, in seconds."""
TITLE = "Milliseconds of an answer by the number of articles, one client"


@dataclass(frozen=True)
class Grown:
    """A contender for each size, and how many seconds `newswire serve` took to answer there."""

    sizes: list[Contender]
    starts: list[float]


Found: TypeAlias = dict[str, Grown]


def run(sizes: Sequence[int], engines: Sequence[str], keep: Path | None, seconds: float, *, tell: Tell) -> Found:
    """What each engine took on wires of these sizes."""
    found: Found = {}
    with ExitStack() as ending:
        urls = {
            size: ending.enter_context(wires(size, engines, keep, fresh=False, tell=tell)) for size in sorted(sizes)
        }
        pool = ending.enter_context(generators())
        for engine in engines:
            with served({size: urls[size][engine] for size in urls}) as asked:
                measure_all(asked, GROWING, pool, seconds, tell)
                found[engine] = Grown(asked, [start_seconds(each.server, each.loads["latest"]) for each in asked])
    return found


@contextmanager
def served(urls: Mapping[int, str]) -> Iterator[list[Contender]]:
    """Newswire on a copy of each wire, named by its size."""
    with ExitStack() as ending:
        found = []
        for size, url in urls.items():
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="newswire-growth-")))
            asked, _ = newswire(ending.enter_context(copied(url, folder)), size, folder, ending)
            loads = {job: load._replace(connections=1) for job, load in asked.loads.items()}
            found.append(Contender(f"{size:,}", asked.server, loads))
        yield found


@contextmanager
def copied(url: str, folder: Path) -> Iterator[str]:
    """The URL of a copy of a database, usable during the block."""
    place = make_url(url)
    if place.get_backend_name() == "postgresql":
        with new_database(url, str(place.database)) as copy:
            yield copy
        return
    # What a server that was killed has left in SQLite's log is read too.
    with (
        closing(sqlite3.connect(str(place.database))) as source,
        closing(sqlite3.connect(folder / "copy.db")) as target,
    ):
        source.backup(target)
    yield f"sqlite:///{folder}/copy.db"


def told(found: Found, command: str, seconds: float) -> str:
    """The table in Markdown, and what it was taken with."""
    return (
        f"{lines(rows(found))}\n\nMilliseconds until an answer was whole, median / 99 %, for one client; × is the"
        " median of the largest wire by that of the smallest. One web process; server and database on one core, the"
        f" generator of load on another; the median of {RUNS} runs of {seconds:g} s, the sizes in turn."
        f" {circumstances()}; `{command}`."
    )


def rows(found: Found) -> Iterator[Sequence[str]]:
    yield ["job", "engine", *(each.name for each in next(iter(found.values())).sizes), "×"]
    for job in GROWING:
        for engine, grown in found.items():
            medians = [each.figures[job].median for each in grown.sizes]
            cells = [f"{each.figures[job].median:.2f} / {each.figures[job].slowest:.2f}" for each in grown.sizes]
            yield [JOBS[job], NAMES[engine], *cells, f"{medians[-1] / medians[0]:.2f}"]
    for engine, grown in found.items():
        for what, most, values in limited(grown):
            cells = [f"{value:.2f}" + " !" * (value > most) for value in values]
            yield [what, NAMES[engine], *cells, f"≤ {most}"]


def limited(grown: Grown) -> Iterator[tuple[str, float, Sequence[float]]]:
    """What may not pass a limit, at every size."""
    depths = [each.figures["deep"].median / each.figures["fresh"].median for each in grown.sizes]
    yield "page at 90 % of the depth, × the latest, neither asked before", DEPTH, depths
    yield "megabytes of a web process", MEGABYTES, [each.figures[GROWING[-1]].megabytes for each in grown.sizes]
    yield "seconds from `newswire serve` to its first answer", START, grown.starts


def plot(found: Found) -> str:
    """The medians by size, in SVG."""
    return chart.lines(TITLE, {
        NAMES[engine]: {
            JOBS[job]: [(float(each.name.replace(",", "")), each.figures[job].median) for each in grown.sizes]
            for job in GROWING
        }
        for engine, grown in found.items()
    })  # fmt: skip
