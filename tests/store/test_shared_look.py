"""One look at the head for all who ask at the same time: one statement, never an older one than the question."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection

from newswire import wire
from newswire.store.database import Database
from newswire.store.shared_look import PATIENCE_SECONDS
from newswire.wire import Head

THREADS = 200
SLOW_SECONDS = 0.15


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.dispose()


class Pausing:
    """Reads the head, and keeps what it has read to itself until it is let go."""

    def __init__(self) -> None:
        self.looks = 0
        self.has_read, self.go = threading.Event(), threading.Event()

    def __call__(self, connection: Connection) -> Head:
        self.looks += 1
        head = wire.read_committed_head(connection)
        self.has_read.set()
        assert self.go.wait(30)
        return head


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_two_hundred_threads_that_ask_at_once_share_two_looks(database: Database) -> None:
    looks: list[None] = []
    seen: list[Head] = []
    at_once = threading.Barrier(THREADS)
    wire.look_at_head(database)

    def slowly(connection: Connection) -> Head:
        looks.append(None)
        time.sleep(SLOW_SECONDS)
        return wire.read_committed_head(connection)

    def ask() -> None:
        at_once.wait()
        seen.append(database.look_once(slowly))

    for thread in [started(ask) for _ in range(THREADS)]:
        thread.join()
    assert len(seen) == THREADS
    assert len({*seen}) == 1
    # The first to ask reads for itself. All others asked while it did, so that one more look answers them; a third one
    # is for a thread that the machine started late.
    assert len(looks) <= 3


def test_a_look_that_began_before_the_question_does_not_answer_it(database: Database) -> None:
    answers: dict[str, Head] = {}
    pausing = Pausing()
    early = started(lambda: answers.update(early=database.look_once(pausing)))
    assert pausing.has_read.wait(10)
    with database.begin() as connection:
        wire.bump_revision(connection)
    # From here on the change is acknowledged, and the first look is still on its way with the state before it.
    late = started(lambda: answers.update(late=database.look_once(pausing)))
    time.sleep(0.1)
    pausing.go.set()
    early.join()
    late.join()
    assert pausing.looks == 2
    assert answers["late"].revision == answers["early"].revision + 1


def test_whoever_has_committed_sees_it_however_many_look_at_the_same_time(database: Database) -> None:
    compared, done = [], threading.Event()

    def change_and_look() -> None:
        for _ in range(20):
            with database.begin() as connection:
                wire.bump_revision(connection)
                changed = wire.read_head(connection)
            # None, if the machine is so busy that a look takes a second.
            if (seen := wire.look_at_head(database)) is not None:
                compared.append((changed.revision, seen.revision))

    def look() -> None:
        while not done.is_set():
            wire.look_at_head(database)

    looking = [started(look) for _ in range(5)]
    for thread in [started(change_and_look) for _ in range(3)]:
        thread.join()
    done.set()
    for thread in looking:
        thread.join()
    assert compared
    assert [(changed, seen) for changed, seen in compared if seen < changed] == []


def test_behind_a_database_that_does_not_answer_nobody_waits_long(database: Database) -> None:
    pausing = Pausing()
    first = started(lambda: database.look_once(pausing))
    assert pausing.has_read.wait(10)
    began, seen = time.monotonic(), []
    waiting = [started(lambda: seen.append(wire.look_at_head(database))) for _ in range(50)]
    for thread in waiting:
        thread.join()
    assert seen == [None] * 50
    assert PATIENCE_SECONDS * 0.9 < time.monotonic() - began < PATIENCE_SECONDS + 2
    # Whoever comes later does not wait at all.
    began = time.monotonic()
    for _ in range(20):
        assert wire.look_at_head(database) is None
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    pausing.go.set()
    first.join()
    assert wire.look_at_head(database) is not None


def test_looks_take_no_connection_that_slow_queries_could_have_taken(database_url: str) -> None:
    database = Database(database_url)
    head = wire.look_at_head(database)
    assert head is not None
    with ExitStack() as readings:
        for _ in range(database.readers):
            readings.enter_context(database.read())
        assert wire.look_at_head(database) == head
    database.dispose()


def test_a_failed_look_is_repeated_on_another_connection(database: Database) -> None:
    connections = []

    def fail_on_the_first(connection: Connection) -> Head:
        connections.append(connection)
        if len(connections) == 2:
            connection.exec_driver_sql("SELECT nothing FROM nowhere")
        return wire.read_committed_head(connection)

    first = database.look_once(fail_on_the_first)
    assert database.look_once(fail_on_the_first) == first
    assert len(connections) == 3
    assert len({*map(id, connections)}) == 2
    database.refuse_if_silent()
