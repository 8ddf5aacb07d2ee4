"""`python -m bench compare`: Newswire beside a floor, a view that does nothing, and what people use today.

All are served at the same time (`compare_contenders`) and asked in turn, job by job, so that whatever else
the machine does meets each alike. Servers and database have one core together, the generator
of load another.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from statistics import median

from bench.compare_contenders import Contender, Figures, contenders
from bench.compare_jobs import JOBS
from bench.compare_load import LoadError, drive, pin
from bench.kept import wires
from bench.servers import ServerError

RUNS, WARM_UP = 3, 0.2
NUMBERS = 1_000_000
"""More than the requests of one run."""
Tell = Callable[[str], None]


def run(size: int, engines: Sequence[str], seconds: float, *, tell: Tell) -> dict[str, list[Contender]]:
    """Newswire and the others on each engine, measured."""
    cores = sorted(os.sched_getaffinity(0))
    found: dict[str, list[Contender]] = {}
    with ExitStack() as ending:
        urls = ending.enter_context(wires(size, engines, None, fresh=True, tell=tell))
        ending.enter_context(all_pinned(cores[0]))
        pool = ending.enter_context(get_context("spawn").Pool(1, pin, (cores[-1],)))
        for engine, url in urls.items():
            with contenders(url, size, tell) as found[engine]:
                measure_all(found[engine], pool, seconds, tell)
    return found


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


def measure_all(asked: Sequence[Contender], pool: Pool, seconds: float, tell: Tell) -> None:
    """Every job `RUNS` times for each, in turn; the medians of the runs are kept."""
    firsts = count(0, NUMBERS)
    for job, title in JOBS.items():
        taking_part = [each for each in asked if job in each.loads]
        runs: dict[str, list[Figures]] = {each.name: [] for each in taking_part}
        for _ in range(RUNS):
            for each in taking_part:
                runs[each.name].append(measured(each, job, pool, seconds, firsts))
        for each in taking_part:
            each.figures[job] = Figures(*map(median, zip(*runs[each.name], strict=True)))
        tell(f"{title}: " + ", ".join(f"{each.name} {each.figures[job].rate:,.0f}/s" for each in taking_part))


def measured(contender: Contender, job: str, pool: Pool, seconds: float, firsts: Iterator[int]) -> Figures:
    """One run after a warm-up; raises `ServerError` with what was answered wrongly."""
    load, address = contender.loads[job], contender.server.address
    assert address is not None
    try:
        pool.apply(drive, (address, load, seconds * WARM_UP, next(firsts)))
        before = sum(busy for _, busy in contender.server.burdens())
        done = pool.apply(drive, (address, load, seconds, next(firsts)))
    except LoadError as error:
        raise ServerError(f"{contender.name}, {JOBS[job]}: {error}\n{contender.server.last_words()}") from error
    burdens = contender.server.burdens()
    busy = sum(busy for _, busy in burdens) - before
    return Figures(done.answers / done.seconds, done.median, done.slowest, 1000 * busy / done.answers, max(burdens)[0])
