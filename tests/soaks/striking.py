"""Kills of the server, and crashes of its database, in the midst of what goes on."""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from tests.soaks.clients import Unexpected
from tests.soaks.servers import Server
from tests.soaks.stage import Stage

LONGEST_PAUSE = 0.5
PATIENCE_SECONDS = 60.0
# A PostgreSQL is crashed at one of so many kills with the server, at another without it; in the long form only.
CRASH_EVERY = 8
WITHOUT_SERVER = 5


class Progress:
    """What goes on: `counts` says how far each of its threads is, `running` are these threads."""

    def __init__(self, counts: Callable[[], Sequence[int]], running: Sequence[Future[None]]) -> None:
        self.counts = counts
        self.running = running

    def wait(self) -> None:
        """Until every thread has come further; raises what went wrong in one of them."""
        before = self.counts()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(now == count for now, count in zip(self.counts(), before, strict=True)):
            for future in self.running:
                if future.done():
                    future.result()
            if time.monotonic() > deadline:
                raise Unexpected(f"no answer within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.005)


def strike(stage: Stage, server: Server, progress: Progress, number: int) -> None:
    """One kill at a random moment, now and then one more while the server starts."""
    progress.wait()
    time.sleep(random.uniform(0, LONGEST_PAUSE))
    if stage.restart_database is not None and number % CRASH_EVERY == WITHOUT_SERVER:
        stage.restart_database()
        progress.wait()
    server.kill()
    if stage.restart_database is not None and number % CRASH_EVERY == 0:
        stage.restart_database()
    server.start()
    if number % 3 == 0:
        time.sleep(random.uniform(0, 1))
        server.kill()
        server.start()
    server.wait_until_ready()


def crashes(stage: Stage, kills: int) -> int:
    """How often the database is crashed by so many strikes."""
    if stage.restart_database is None:
        return 0
    return sum(number % CRASH_EVERY in (0, WITHOUT_SERVER) for number in range(1, kills + 1))
