"""`python -m bench soak`: every soak on every engine, a line of figures for each, a table at the end."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from newswire.store.migrate import upgrade
from tests.soaks import SOAKS
from tests.soaks.clients import Unanswered, Unexpected
from tests.soaks.report import Report
from tests.soaks.servers import ServerError
from tests.soaks.stage import Scale, Stage
from tests.support.postgres import Postgres, new_database, temporary_postgres

ENGINES = ("sqlite", "postgresql")


def run(stage: Stage, name: str, scale: Scale) -> Report:
    """One soak on a stage."""
    report = Report(name, stage.engine)
    began = time.monotonic()
    try:
        SOAKS[name].run(stage, scale, report)
    except (Unanswered, Unexpected, ServerError) as error:
        report.faults.append(str(error))
        report.none("defects in the server's log", stage.server.defects())
    report.seconds = time.monotonic() - began
    return report


def run_all(names: Sequence[str], engines: Sequence[str], scale: Scale, tell: Callable[[str], None]) -> list[Report]:
    """Every soak on every engine, each on a database of its own."""
    reports = []
    with ExitStack() as ending:
        postgres = ending.enter_context(temporary_postgres(durable=True)) if "postgresql" in engines else None
        for name in names:
            for engine in engines:
                with staged(postgres if engine == "postgresql" else None) as stage:
                    report = run(stage, name, scale)
                tell("\n".join([report.line, *(f"  FAULT {fault}" for fault in report.faults)]))
                reports.append(report)
    return reports


@contextmanager
def staged(postgres: Postgres | None) -> Iterator[Stage]:
    """A fresh stage on this PostgreSQL, or on SQLite."""
    with tempfile.TemporaryDirectory(prefix="newswire-soak-") as folder, ExitStack() as ending:
        url = f"sqlite:///{folder}/newswire.db"
        if postgres is not None:
            url = ending.enter_context(new_database(postgres.url))
        upgrade(url)
        yield Stage(url, Path(folder), None if postgres is None else postgres.restart)


def table(reports: Sequence[Report]) -> str:
    """What became of each soak."""
    rows = [("SOAK", "ENGINE", "SECONDS", "RESULT")]
    rows += [(report.soak, report.engine, f"{report.seconds:.1f}", report.result) for report in reports]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{soak:<{widths[0]}}  {engine:<{widths[1]}}  {seconds:>{widths[2]}}  {result}"
        for soak, engine, seconds, result in rows
    )
