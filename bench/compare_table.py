"""The tables of `bench compare` in Markdown: ratios to the others, with what they have to be, and all figures."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version

from bench.compare import RUNS
from bench.compare_contenders import NEWSWIRE, Contender
from bench.compare_jobs import JOBS, TOGETHER, WRITING
from bench.compare_load import Load
from bench.compare_serving import FLOOR, NULL, PEERS
from bench.searching import NAMES

PACKAGES = ("Flask", "gunicorn", "SQLAlchemy", "psycopg")
OTHERS = (NULL, FLOOR, *PEERS)
LEAST: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("latest", "sqlite"): {NULL: 0.7},
    ("latest", "postgresql"): {NULL: 0.45, "tutorial": 40, "FastAPI": 20, "DRF": 40},
    **{("unchanged", engine): {NULL: 0.8} for engine in NAMES},
    **{(job, engine): {FLOOR: 0.5} for job in ("deep", "one") for engine in NAMES},
    **{(job, engine): {FLOOR: 0.4} for job in ("common", "rare") for engine in NAMES},
    **{("changes", engine): {FLOOR: 0.6} for engine in NAMES},
    ("publish", "sqlite"): {FLOOR: 0.4},
    ("publish", "postgresql"): {FLOOR: 0.4, **dict.fromkeys(PEERS, 2)},
}
"""How many times as many requests as another Newswire should answer."""


def told(found: Mapping[str, Sequence[Contender]], size: int, seconds: float) -> str:
    """Both tables, and what they were taken with."""
    engine = "both" if len(found) > 1 else next(iter(found))
    command = f"python -m bench compare --articles {size} --engine {engine} --seconds {seconds:g}"
    versions = ", ".join([f"{each} {version(each)}" for each in PACKAGES] + [f"SQLite {sqlite3.sqlite_version}"])
    machine = f"{os.cpu_count()} processors ({processor()}), {platform.machine()}, Python {platform.python_version()}"
    return "\n\n".join([
        lines(ratios(found)),
        f"Requests a second of Newswire, and how many times as many as each of the others (whose own number is in"
        f" brackets; ≥ what it should be, ! where it is less). {size:,} articles. Every request but the first two"
        f" kinds is one that was never sent before. {Load(()).connections} connections, to publish 1 or 8; one"
        f" process each, under gunicorn with the same settings (FastAPI: uvicorn); server and database on one core,"
        f" the generator of load on another; the median of {RUNS} runs of {seconds:g} s, taken in turn.",
        *publishing(found),
        lines(figures(found)),
        f"Milliseconds until an answer was whole, and of the processor for each request in the server's processes"
        f" (those of PostgreSQL are not in it); megabytes resident. {machine}; {versions}; `{command}`.",
    ])  # fmt: skip


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as known:
        return next((line.partition(":")[2].strip() for line in known if line.startswith("model name")), "unknown")


def lines(rows: Iterable[Sequence[str]]) -> str:
    """The first row is the heading."""
    heading, *rest = rows
    ruler = [":--", ":--", *["--:"] * (len(heading) - 2)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heading, ruler, *rest))


def ratios(found: Mapping[str, Sequence[Contender]]) -> Iterator[Sequence[str]]:
    others = [name for name in OTHERS if any(each.name == name for asked in found.values() for each in asked)]
    yield ["job", "engine", NEWSWIRE, *(f"× {name}" for name in others)]
    for job, title in JOBS.items():
        for engine, asked in found.items():
            rates = {each.name: each.figures[job].rate for each in asked if job in each.figures}
            cells = [ratio(job, engine, rates, name) for name in others]
            yield [title, NAMES[engine], f"{rates[NEWSWIRE]:,.0f}", *cells]


def ratio(job: str, engine: str, rates: Mapping[str, float], other: str) -> str:
    if other not in rates:
        return "–"
    times, least = rates[NEWSWIRE] / rates[other], LEAST.get((job, engine), {}).get(other)
    wanted = "" if least is None else f" ≥ {least:g}" + " !" * (times < least)
    return f"{times:.2f}{wanted} ({rates[other]:,.0f})"


def publishing(found: Mapping[str, Sequence[Contender]]) -> Iterator[str]:
    """What Newswire publishes with more clients and in batches, against one by one."""
    for engine, asked in found.items():
        one, eight, batch = (asked[0].figures[job].rate for job in WRITING)
        yield (
            f"{NAMES[engine]}: 8 clients publish {eight / one:.2f} times as much as one (≥ 1 on PostgreSQL),"
            f" batches {batch * TOGETHER / one:.1f} times ({batch * TOGETHER:,.0f} articles a second; ≥ 5)."
        )


def figures(found: Mapping[str, Sequence[Contender]]) -> Iterator[Sequence[str]]:
    yield ["job", "server", "engine", "requests/s", "median", "99 %", "processor", "MB"]
    for job, title in JOBS.items():
        for engine, asked in found.items():
            for each in asked:
                if job in each.figures:
                    got = each.figures[job]
                    times = (f"{number:.2f}" for number in (got.median, got.slowest, got.processor))
                    yield [title, each.name, NAMES[engine], f"{got.rate:,.0f}", *times, f"{got.megabytes:.0f}"]
