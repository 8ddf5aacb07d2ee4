"""The tables of `bench compare` in Markdown: ratios to the others, with what they have to be, and all figures."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from statistics import median

from bench import chart, compare_wrk
from bench.compare import RUNS, Measured
from bench.compare_contenders import NEWSWIRE
from bench.compare_jobs import BUSY, JOBS, RATE, TOGETHER
from bench.compare_load import Load
from bench.compare_serving import DATASETTE, FLOOR, NULL, PEERS
from bench.searching import NAMES

PACKAGES = ("Flask", "gunicorn", "SQLAlchemy", "psycopg")
OTHERS = (NULL, FLOOR, DATASETTE, *PEERS)
LATEST: Mapping[str, Mapping[str, float]] = {
    "sqlite": {NULL: 0.7, DATASETTE: 5},
    "postgresql": {NULL: 0.45, "tutorial": 40, "FastAPI": 20, "DRF": 40},
}
LEAST: Mapping[tuple[str, str], Mapping[str, float]] = {
    **{("latest", engine): least for engine, least in LATEST.items()},
    # At least half as much beside a publisher.
    **{(BUSY, engine): {name: times / 2 for name, times in least.items()} for engine, least in LATEST.items()},
    **{("unchanged", engine): {NULL: 0.8} for engine in NAMES},
    **{(job, engine): {FLOOR: 0.5} for job in ("fresh", "deep", "one") for engine in NAMES},
    **{(job, engine): {FLOOR: 0.4} for job in ("common", "rare") for engine in NAMES},
    **{("changes", engine): {FLOOR: 0.6} for engine in NAMES},
    ("publish", "sqlite"): {FLOOR: 0.4},
    ("publish", "postgresql"): {FLOOR: 0.4, **dict.fromkeys(PEERS, 2)},
}
"""How many times as many requests as another Newswire should answer."""


def told(found: Mapping[str, Measured], command: str, size: int, seconds: float) -> str:
    """All tables, and what they were taken with; `command` is what took them."""
    generator = "the driver of `bench.compare_load`"
    if compare_wrk.usable(seconds):
        generator = f"{compare_wrk.version()}, for publications {generator}"
    return "\n\n".join([
        lines(ratios(found)),
        f"Requests a second of Newswire, and how many times as many as each of the others (whose own number is in"
        f" brackets; ≥ what it should be, ! where it is less). {size:,} articles. Every request but the first two"
        f" kinds and those beside publications is one that was never sent before. {Load(()).connections} connections,"
        f" to publish 1 or 8; one process each, under gunicorn with the same settings (FastAPI and Datasette:"
        f" uvicorn; Datasette is always on SQLite); server and database on one core, the generator of load on"
        f" another: {generator}; the median of {RUNS} runs of {seconds:g} s, taken in turn.",
        *publications(found),
        lines(aims(found)),
        lines(figures(found)),
        f"Milliseconds until an answer was whole, and of the processor for each request in the server's processes"
        f" (those of PostgreSQL are not in it, publications meanwhile are); megabytes resident."
        f" {circumstances()}; `{command}`.",
    ])  # fmt: skip


def circumstances() -> str:
    """The machine and the versions."""
    versions = ", ".join([f"{each} {version(each)}" for each in PACKAGES] + [f"SQLite {sqlite3.sqlite_version}"])
    machine = f"{os.cpu_count()} processors ({processor()}), {platform.machine()}, Python {platform.python_version()}"
    return f"{machine}; {versions}"


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as known:
        return next((line.partition(":")[2].strip() for line in known if line.startswith("model name")), "unknown")


def lines(rows: Iterable[Sequence[str]]) -> str:
    """The first row is the heading."""
    heading, *rest = rows
    ruler = [":--", ":--", *["--:"] * (len(heading) - 2)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heading, ruler, *rest))


def jobs(found: Mapping[str, Measured]) -> Iterator[tuple[str, str]]:
    """Those that were measured, and their titles."""
    return ((job, title) for job, title in JOBS.items() if any(job in each.newswire.figures for each in found.values()))


def ratios(found: Mapping[str, Measured]) -> Iterator[Sequence[str]]:
    names = {each.name for measured in found.values() for each in measured.contenders}
    others = [name for name in OTHERS if name in names]
    yield ["job", "engine", NEWSWIRE, *(f"× {name}" for name in others)]
    for job, title in jobs(found):
        for engine, measured in found.items():
            rates = {each.name: each.figures[job].rate for each in measured.contenders if job in each.figures}
            cells = [ratio(job, engine, rates, name) for name in others]
            yield [title, NAMES[engine], f"{rates[NEWSWIRE]:,.0f}", *cells]


def ratio(job: str, engine: str, rates: Mapping[str, float], other: str) -> str:
    if other not in rates:
        return "–"
    times, least = rates[NEWSWIRE] / rates[other], LEAST.get((job, engine), {}).get(other)
    wanted = "" if least is None else f" ≥ {least:g}" + " !" * (times < least)
    return f"{times:.2f}{wanted} ({rates[other]:,.0f})"


def publications(found: Mapping[str, Measured]) -> Iterator[str]:
    """What was published while the latest page was asked for; who takes less than was sent was asked under less."""
    for engine, measured in found.items():
        taken = [f"{each.name} {median(each.published):.0f}" for each in measured.contenders if each.published]
        if taken:
            yield f"{NAMES[engine]}: of {RATE} articles a second for each, beside its readers, took {', '.join(taken)}."


def aims(found: Mapping[str, Measured]) -> Iterator[Sequence[str]]:
    """What Newswire is held against itself or against a number for."""
    yield ["of Newswire", "engine", "measured", "aim"]
    for engine, measured in found.items():
        for what, value, sign, limit in aimed(engine, measured):
            missed = value < limit if sign == "≥" else value > limit
            yield [what, NAMES[engine], f"{value:,.2f}", f"{sign} {limit:g}" + " !" * missed]


def aimed(engine: str, measured: Measured) -> Iterator[tuple[str, float, str, float]]:
    rates = {job: figures.rate for job, figures in measured.newswire.figures.items()}
    if "deep" in rates:
        yield "cost of a page at 90 % of the depth, × the first page", rates["fresh"] / rates["deep"], "≤", 1.2
    if "publish" in rates:
        batches = rates["batch"] * TOGETHER
        if engine == "postgresql":
            yield "8 clients publish, × one", rates["publish 8"] / rates["publish"], "≥", 1
        yield f"articles in batches of {TOGETHER}, × one by one", batches / rates["publish"], "≥", 5
        if measured.imported is not None:
            yield "`newswire import`, × batches", measured.imported / batches, "≥", 1
    yield "megabytes of a web process (aim at a million articles)", measured.facts.megabytes, "≤", 100
    yield "seconds of `newswire --help`", measured.facts.help, "≤", 0.4
    yield "seconds from `newswire serve` to its first answer", measured.facts.start, "≤", 2


def figures(found: Mapping[str, Measured]) -> Iterator[Sequence[str]]:
    yield ["job", "server", "engine", "requests/s", "median", "99 %", "processor", "MB"]
    for job, title in jobs(found):
        for engine, measured in found.items():
            for each in measured.contenders:
                if job in each.figures:
                    got = each.figures[job]
                    times = (f"{number:.2f}" for number in (got.median, got.slowest, got.processor))
                    yield [title, each.name, NAMES[engine], f"{got.rate:,.0f}", *times, f"{got.megabytes:.0f}"]


def plot(found: Mapping[str, Measured]) -> str:
    """All rates, in SVG."""
    return chart.dots("Requests a second, one process on one core", {
        NAMES[engine]: {
            title: {each.name: each.figures[job].rate for each in measured.contenders if job in each.figures}
            for job, title in jobs(found)
        }
        for engine, measured in found.items()
    })  # fmt: skip
