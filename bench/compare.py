"""`python -m bench compare`: Newswire beside a floor, a view that does nothing, and what people use today.

All are served at the same time (`compare_contenders`) and asked in turn, job by job, so that whatever else
the machine does meets each alike. Servers and database have one core together, the generator
of load another.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from statistics import median

from bench import compare_wrk
from bench.compare_commands import Facts, facts, import_rate
from bench.compare_contenders import DESK, Contender, Figures, contenders
from bench.compare_jobs import BUSY, JOBS, RATE, TOGETHER, WRITING, material
from bench.compare_load import LoadError, Outcome, drive, drive_steadily, pin
from bench.kept import wires
from tests.soaks.servers import ServerError

RUNS, WARM_UP = 3, 0.2
NUMBERS = 1_000_000
"""More than the requests of one run."""
IMPORTED = 2000
"""Articles that are imported, for each second of a run."""
Tell = Callable[[str], None]


@dataclass
class Measured:
    """What was measured on one engine; `imported` articles a second by `newswire import`, if any were."""

    contenders: list[Contender]
    facts: Facts
    imported: float | None

    @property
    def newswire(self) -> Contender:
        return self.contenders[0]


def run(size: int, engines: Sequence[str], seconds: float, jobs: Sequence[str], *, tell: Tell) -> dict[str, Measured]:
    """Newswire and the others at these jobs on each engine."""
    found: dict[str, Measured] = {}
    with ExitStack() as ending:
        urls = ending.enter_context(wires(size, engines, None, fresh=True, tell=tell))
        pool = ending.enter_context(generators())
        for engine, url in urls.items():
            with contenders(url, size, tell) as asked:
                measure_all(asked, jobs, pool, seconds, tell)
                imported = import_rates(url, size, seconds, tell) if "batch" in jobs else None
                found[engine] = Measured(asked, facts(asked[0].server, asked[0].loads["latest"]), imported)
    return found


def import_rates(url: str, size: int, seconds: float, tell: Tell) -> float:
    """The articles of the batches, by `newswire import`."""
    contents, articles = material(size).contents, max(TOGETHER, int(IMPORTED * seconds))
    rates = [import_rate(url, DESK, contents, articles, f"imported {turn}") for turn in range(RUNS)]
    tell(f"newswire import: {median(rates):,.0f} articles/s")
    return median(rates)


@contextmanager
def generators() -> Iterator[Pool]:
    """Two processes on the last core: who asks, and who publishes meanwhile. All others are on the first, together."""
    cores = sorted(os.sched_getaffinity(0))
    with all_pinned(cores[0]), get_context("spawn").Pool(2, pin, (cores[-1],)) as pool:
        yield pool


@contextmanager
def all_pinned(core: int) -> Iterator[None]:
    """This process, and all that it has started and will start, on one core."""
    before = os.sched_getaffinity(0)
    for process in descendants(os.getpid()):
        with suppress(ProcessLookupError, PermissionError):
            os.sched_setaffinity(process, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def descendants(process: int) -> list[int]:
    """The process itself, and all that it or they have started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.name))
    found = [process]
    for each in found:
        found += children.get(each, [])
    return found


def measure_all(asked: Sequence[Contender], jobs: Sequence[str], pool: Pool, seconds: float, tell: Tell) -> None:
    """Every job `RUNS` times for each, in turn; the medians of the runs are kept."""
    firsts = count(0, NUMBERS)
    for job in jobs:
        taking_part = [each for each in asked if job in each.loads]
        runs: dict[str, list[Figures]] = {each.name: [] for each in taking_part}
        for _ in range(RUNS):
            for each in taking_part:
                runs[each.name].append(measured(each, job, pool, seconds, firsts))
        for each in taking_part:
            each.figures[job] = Figures(*map(median, zip(*runs[each.name], strict=True)))
        tell(f"{JOBS[job]}: " + ", ".join(f"{each.name} {each.figures[job].rate:,.0f}/s" for each in taking_part))


def measured(contender: Contender, job: str, pool: Pool, seconds: float, firsts: Iterator[int]) -> Figures:
    """One run after a warm-up; raises `ServerError` with what was answered wrongly."""
    load, address = contender.loads[job], contender.server.address
    assert address is not None
    try:
        with published(contender, job, pool, seconds * (1 + WARM_UP), firsts):
            pool.apply(drive, (address, load, seconds * WARM_UP, next(firsts)))
            before = sum(busy for _, busy in contender.server.burdens())
            done = pool.apply(driver(job, seconds), (address, load, seconds, next(firsts)))
            burdens = contender.server.burdens()
    except LoadError as error:
        raise ServerError(f"{contender.name}, {JOBS[job]}: {error}\n{contender.server.last_words()}") from error
    busy = sum(busy for _, busy in burdens) - before
    return Figures(done.answers / done.seconds, done.median, done.slowest, 1000 * busy / done.answers, max(burdens)[0])


@contextmanager
def published(contender: Contender, job: str, pool: Pool, seconds: float, firsts: Iterator[int]) -> Iterator[None]:
    """Somebody publishes for so long, where that belongs to the job and the contender can do it."""
    load = contender.loads.get("publish 8") if job == BUSY else None
    if load is None:
        yield
        return
    publishing = pool.apply_async(drive_steadily, (contender.server.address, load, RATE, seconds, next(firsts)))
    yield
    contender.published.append(publishing.get())


def driver(job: str, seconds: float) -> Callable[..., Outcome]:
    """Who asks: wrk, where it can. What it publishes last it would not wait for."""
    return compare_wrk.drive if job not in WRITING and compare_wrk.usable(seconds) else drive
