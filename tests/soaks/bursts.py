"""Soak `bursts`: hundreds of sockets that each send one request at the same time, again and again.

No answer is anything but right or a refusal (429, 503), publishing works as soon as a burst is over, and PostgreSQL
never has more connections than the bound of the server says.
"""

from collections import Counter
from contextlib import nullcontext

from newswire.config import Settings
from newswire.store.database import FEWEST_CONNECTIONS
from tests.soaks.report import Report, slowest
from tests.soaks.stage import Scale, Stage
from tests.support.bursts import Activity, burst

SOCKETS, PROCESSES = 800, 4
GOOD = {b"200", b"201", b"429", b"503"}


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    sender, reader = stage.publisher("gazette"), stage.partner("daily")
    activity = None if stage.engine == "sqlite" else Activity(stage.database_url)
    answers: Counter[bytes] = Counter()
    stage.server.processes = PROCESSES
    with stage.served() as server, nullcontext() if activity is None else activity.watched():
        client = stage.client(sender)
        for number in range(scale.rounds):
            assert server.address is not None
            answers += burst(server.address, reader, sender, SOCKETS, number)
            stored = client.once("POST", "/v1/articles", {"headline": f"After burst {number}"})
            report.equal("publishing after a burst", stored.status, 201)
        report.none("other answers than 200, 201, 429 and 503", answers.keys() - GOOD)
        report.figures = {
            "bursts": scale.rounds,
            "requests": answers.total(),
            "refused": answers[b"503"],
            "ms for a publication after a burst": slowest(client.seconds),
        }
    if activity is not None:
        most = PROCESSES * Settings().connections + FEWEST_CONNECTIONS
        report.figures["connections at most"] = activity.most
        report.equal(f"more connections than {most}", activity.most > most, False)
    stage.examine(report)
