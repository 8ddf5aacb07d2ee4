"""Soak `framing`: damaged requests over raw sockets, while nothing may crash, answer 500 or grow."""

import itertools

from tests.soaks.report import Report
from tests.soaks.stage import Scale, Stage
from tests.support.fuzzing import Fuzzer, InvalidAnswer

PARTS = 10
GROWTH_MEGABYTES = 48.0
"""What the server may grow by after the first of the parts, in which its caches are filled."""


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    """Sends `scale.requests` inputs of one seed, and looks at the memory and the log of the server."""
    keys = {"publisher": stage.publisher("reuters"), "partner": stage.partner("desk")}
    stage.server.processes = 1
    with stage.served() as server:
        assert server.address is not None
        fuzzer = Fuzzer(server.address, keys, seed=scale.requests)
        count, memory = 0, []
        for _ in range(PARTS):
            try:
                statuses = fuzzer.run(itertools.repeat(None, scale.requests // PARTS))
            except (InvalidAnswer, OSError) as error:
                report.faults.append(f"after {count:,} inputs: {error!r} {error.__notes__}")
                break
            count += statuses.total()
            memory.append(server.burden()[0])
            report.none("answers that are the server's fault", [each for each in statuses if each in {500, 502, 504}])
            for status, times in statuses.items():
                name = f"times {status}" if status else "without an answer"
                report.figures[name] = report.figures.get(name, 0) + times
        report.figures |= {"inputs": count, "megabytes at the end": memory[-1] if memory else 0.0}
        if memory and memory[-1] - memory[0] > GROWTH_MEGABYTES:
            report.faults.append(f"the memory of the server grew: {memory} megabytes")
    stage.examine(report)
