"""The soaks. Each takes a stage, a scale and the report that it fills."""

from collections.abc import Callable
from typing import NamedTuple

from tests.soaks import bursts, framing, importing, killed, overload, paging, readers, repeats, writers
from tests.soaks.report import Report
from tests.soaks.stage import Scale, Stage


class Soak(NamedTuple):
    """`run` fills the report; `summary` says what it tries."""

    run: Callable[[Stage, Scale, Report], None]
    summary: str


SOAKS = {
    "writers": Soak(writers.soak, "eight writers of all kinds of requests and two readers that poll"),
    "killed": Soak(killed.soak, "the server is killed again and again while four clients publish"),
    "readers": Soak(readers.soak, "twenty readers of all kinds, commits that are late, and a server that is killed"),
    "paging": Soak(paging.soak, "walks by cursor through a list that changes meanwhile"),
    "import": Soak(importing.soak, "an import that is killed and resumed ends like an undisturbed one"),
    "framing": Soak(framing.soak, "200,000 damaged requests: no crash, no 500, no growth"),
    "overload": Soak(overload.soak, "twice as many requests as can be answered: served or refused, and soon"),
    "bursts": Soak(bursts.soak, "eight hundred sockets at once, again and again; the connections to PostgreSQL"),
    "repeats": Soak(repeats.soak, "the same request fifty times at once; fifty writers of one article"),
}
