"""`python -m bench search`: reading and searching a large wire, each request against the latest page of the same run.

The corpus is known, so every answer is checked as well. Requests go over one kept connection to
a server as `newswire serve` starts it, for a reader of everything and for one of two sections.
All questions are asked once, then all of them again: what else the machine does meets each alike.
"""

import os
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.kept import wires
from bench.planting import plan
from bench.questions import LIMIT, SECTION, Question, View, questions
from newswire.timestamps import now
from tests.soaks.clients import Client, Unanswered, Unexpected
from tests.soaks.report import slowest
from tests.soaks.stage import Stage

WARM_UP = 4
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
READERS: Mapping[str, tuple[str, ...]] = {"everything": (), "two sections": ("world", SECTION)}
MOST_TOLD = 500


@dataclass
class Row:
    """A question, how long each answer took, in seconds, and what was wrong with the first wrong one."""

    question: Question
    seconds: list[float] = field(default_factory=list)
    wrong: str | None = None

    def ask(self, client: Client, number: int) -> None:
        """Asks once. Nothing but the request is timed."""
        try:
            answer = client.get(self.question.address(number))
        except (Unanswered, Unexpected) as error:
            self.wrong = self.wrong or str(error)
            return
        self.wrong = self.wrong or self.question.fault(number, answer)
        if number > WARM_UP:
            self.seconds.append(client.seconds[-1])

    @property
    def median(self) -> float:
        """In milliseconds."""
        return 1000 * median(self.seconds or [0.0])


@dataclass(frozen=True)
class Column:
    """What one reader met on one engine; `unit` is the median of the latest page of everything there, in ms."""

    engine: str
    reader: str
    rows: Sequence[Row]
    unit: float

    @property
    def name(self) -> str:
        return f"{NAMES[self.engine]}, {self.reader}"

    def cells(self, number: int) -> tuple[str, str]:
        row = self.rows[number]
        mark = " !" if self.is_slow(row) else ""
        return f"{row.median:.1f} / {slowest(row.seconds):.1f}", f"{self.ratio(row):.1f}{mark}"

    def ratio(self, row: Row) -> float:
        # Without a unit the latest page was never answered, which is told as wrong.
        return row.median / self.unit if self.unit else 0.0

    def is_slow(self, row: Row) -> bool:
        return self.ratio(row) > row.question.most

    def faults(self) -> Iterator[str]:
        """What was wrong, and what took too long."""
        for row in self.rows:
            if row.wrong:
                yield f"WRONG on {self.name}: {row.question.name}: {row.wrong[:MOST_TOLD]}"
            elif self.is_slow(row):
                times = f"{self.ratio(row):.1f} times the latest page, at most {row.question.most}"
                yield f"SLOW on {self.name}: {row.question.name}: {times}"


def run(
    size: int, engines: Sequence[str], keep: Path | None, requests: int, *, fresh: bool, tell: Callable[[str], None]
) -> list[Column]:
    """A column for each engine and reader."""
    with wires(size, engines, keep, fresh=fresh, tell=tell) as urls:
        return [column for engine, url in urls.items() for column in columns(size, engine, url, requests, tell)]


def columns(size: int, engine: str, url: str, requests: int, tell: Callable[[str], None]) -> list[Column]:
    """Both readers on one engine. The latest page of the reader of everything is the measure of both."""
    with tempfile.TemporaryDirectory(prefix="newswire-search-") as folder:
        stage = Stage(url, Path(folder))
        with stage.served():
            asked = [
                (reader, stage.client(key_of(stage, sections)), [Row(each) for each in questions(view, engine)])
                for reader, sections in READERS.items()
                for view in [View(plan(size), sections) if sections else View(plan(size))]
            ]
            for number in range(1, WARM_UP + requests + 1):
                for _, client, rows in asked:
                    for row in rows:
                        row.ask(client, number)
                if number % 10 == 0:
                    tell(f"{NAMES[engine]}: asked {number} of {WARM_UP + requests} times")
    unit = asked[0][2][0].median
    return [Column(engine, reader, rows, unit) for reader, _, rows in asked]


def key_of(stage: Stage, sections: Sequence[str]) -> str:
    """The key of a new partner, entitled to these sections or to everything; a kept wire has others from before."""
    slug = f"bench-{now()}"
    return stage.partner(slug, section=sections) if sections else stage.partner(slug)


def told(columns: Sequence[Column], size: int, requests: int) -> str:
    """The table in Markdown, and what it was taken with."""
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    return (
        f"{table(columns)}\n\n{size:,} articles, {requests} requests for each row over one connection, {LIMIT} articles"
        " a page; milliseconds, median / 99 %; × is the median by that of the latest page of everything, ! where it is"
        f" more than it may be. {machine}, SQLite {sqlite3.sqlite_version}."
    )


def table(columns: Sequence[Column]) -> str:
    lines = [["", "found", *(text for each in columns for text in (each.name, "×")), "at most ×"]]
    lines.append([":--", *["--:"] * (len(lines[0]) - 1)])
    for number, row in enumerate(columns[0].rows):
        cells = [cell for each in columns for cell in each.cells(number)]
        most = sorted({each.rows[number].question.most for each in columns})
        found = "" if row.question.found is None else f"{row.question.found:,}"
        lines.append([row.question.name, found, *cells, " or ".join(map(str, most))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
