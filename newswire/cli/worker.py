"""The command `newswire worker`: periodic work outside of requests, such as releases, expiries and housekeeping.

A round is a function that takes the database and opens its own transactions. A thread runs the rounds one after the
other, so that the main thread obeys a signal at once, even during a long query. An interrupted transaction is rolled
back, and the next worker repeats it.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import click
from sqlalchemy.exc import SQLAlchemyError

from newswire import logs
from newswire.changes.forks import HistoryMemory
from newswire.cli.support.database import open_database
from newswire.cli.support.output import describe_failure
from newswire.config import Settings
from newswire.errors import DamageError, Problem
from newswire.publishing import idempotency, release
from newswire.publishing.release_clock import ReleaseClock
from newswire.search.index import tend_index
from newswire.search.rebuild import rebuild_index
from newswire.search.remapping import last_mapping_change, remap_articles
from newswire.store.database import Database
from newswire.timestamps import now

logger = logging.getLogger("newswire.worker")
LONGEST_RETRY_SECONDS = 60.0
SHORTEST_RETRY_SECONDS = 1.0
STOP_SECONDS = 0.5
HISTORY_SECONDS = 0.25
INDEX_SECONDS = 0.2
"""The time for the rebuild in each second: releases and publishers wait for it."""
UPKEEP_SECONDS = 0.05
"""The time of a round of upkeep; releases wait for it."""


class Round(NamedTuple):
    """A periodic task: `work` runs at the start and then every `every` seconds."""

    name: str
    every: float
    work: Callable[[Database], None]


def delete_old_records(database: Database) -> None:
    """Deletes the answers to Idempotency-Keys that are older than 24 hours."""
    with database.begin() as connection:
        forgotten = idempotency.delete_old_keys(connection, now())
    logger.info("housekeeping", extra={"idempotency_keys_forgotten": forgotten})


def remember_history(history: HistoryMemory) -> None:
    """Remembers where the log stands; gives the wire a new id where it has lost entries that this process saw."""
    history.look()


def release_and_expire(database: Database) -> None:
    """Releases articles whose embargo has ended, and expires articles, in as many transactions as it takes."""
    while has_due_articles(database):
        with database.begin() as connection:
            written = release.release_due_articles(connection, now())
        logger.info("released or expired", extra={"entries": written})
        if not written:
            # Another worker has locked what is due.
            return


def has_due_articles(database: Database) -> bool:
    """Whether there is anything to release or expire, by a clock that may be trusted with it."""
    with database.read() as connection:
        # Asked with a connection in hand: the first one of a process measures the clock of the database.
        return RELEASE_CLOCK.may_release() and release.has_due_articles(connection, now())


class RebuildRound:
    """Rebuilds a part of a search index with old rows, on an engine that `newswire serve` migrates (SQLite).

    On PostgreSQL only `newswire db upgrade` does it: workers on two machines with different releases of the stemmer
    would replace each other's rows for ever.
    """

    def __init__(self) -> None:
        # The next round goes on with it: begun anew, a rebuild first folds every label again (100,000 take 5 seconds).
        self._rebuild: Iterator[int] | None = None

    def continue_rebuild(self, database: Database) -> None:
        if not database.backend.upgrades_on_serve:
            return
        self._rebuild = self._rebuild or rebuild_index(database)
        until = time.monotonic() + INDEX_SECONDS
        for indexed in self._rebuild:
            logger.info("indexed again", extra={"articles": indexed})
            if time.monotonic() > until:
                return
        self._rebuild = None


class MappingRound:
    """Maps articles whose terms were made by another subject map: what a command has left, and what came meanwhile.

    A publisher who read the map before its change may commit after the command has looked, so articles are looked for
    again in the minute after a change, and then each hour: a look reads the row of every article.
    """

    def __init__(self) -> None:
        self._looked_at = 0

    def continue_mapping(self, database: Database) -> None:
        moment = now()
        with database.read() as connection:
            changed_at = last_mapping_change(connection)
        if changed_at is None:
            return
        wait = 20_000 if self._looked_at < changed_at + 60_000 else 3_600_000
        if changed_at < self._looked_at and moment < self._looked_at + wait:
            return
        until = time.monotonic() + INDEX_SECONDS
        for mapped in remap_articles(database):
            logger.info("mapped again", extra={"articles": mapped})
            if time.monotonic() > until:
                return
        self._looked_at = moment


RELEASE_CLOCK = ReleaseClock()
ROUNDS = (
    Round("releases", 0.25, release_and_expire),
    Round("clock", 60.0, RELEASE_CLOCK.check_newest_entry),
    Round("search index", 1.0, RebuildRound().continue_rebuild),
    Round("index upkeep", 0.1, lambda database: tend_index(database, UPKEEP_SECONDS)),
    Round("subject maps", 1.0, MappingRound().continue_mapping),
    Round("housekeeping", 3600.0, delete_old_records),
)


@click.command()
@click.option("--parent", type=int, hidden=True, help="The process without which this one ends.")
def worker_command(parent: int | None) -> None:
    """Run the worker alone, until SIGTERM or Ctrl-C.

    `newswire serve` has one beside it already. On PostgreSQL more of them can run on any number of
    machines.
    """
    logs.configure_logging(Settings.from_env().log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        with open_database(deadlines=True) as database:
            is_stopped = run_until(stop, database, parent)
    except Exception as error:
        # The log of a server is JSON, also that of its worker. A person who started this one gets a sentence.
        if parent is None or (sentence := describe_failure(error)) is None:
            raise
        logger.critical("the worker cannot start: %s", sentence)
        is_stopped = False
    raise SystemExit(0 if is_stopped else 1)


def run_until(stop: threading.Event, database: Database, parent: int | None) -> bool:
    """Runs the rounds until `stop`, or until the process `parent` has ended; False if their thread ended by itself."""
    history = HistoryMemory(database)
    # Here is a process that always runs: after a failover it finds out what the log has lost.
    rounds = (Round("history", HISTORY_SECONDS, lambda _: remember_history(history)), *ROUNDS)
    # A daemon thread: one that waits for the database must not keep the process from ending.
    thread = threading.Thread(target=run_to_the_end, args=(database, rounds, stop), daemon=True)
    thread.start()
    logger.info("the worker has started")
    # A process without its thread would look alive, and no embargo would end any more.
    while thread.is_alive() and not stop.wait(1.0):
        # The server that started this process has died without a signal.
        if parent is not None and os.getppid() != parent:
            stop.set()
    thread.join(STOP_SECONDS)
    logger.info("the worker has stopped")
    return stop.is_set()


def run_to_the_end(database: Database, rounds: Sequence[Round], stop: threading.Event) -> None:
    """The thread of the worker: runs the rounds, and logs what ends it; the process ends with it."""
    try:
        run_rounds(database, rounds, stop)
    except DamageError as error:
        logger.critical("the worker ends: %s", describe_failure(error))
    except Exception:
        logger.critical("the worker ends by a defect of Newswire", exc_info=True)


def run_rounds(database: Database, rounds: Sequence[Round], stop: threading.Event) -> None:
    """Runs every round when it is due. One that failed is repeated after a minute at most; the others go on.

    Damage of the database, and whatever no database explains, end it.
    """
    due = {item.name: 0.0 for item in rounds}
    while not stop.is_set():
        for item in rounds:
            if time.monotonic() >= due[item.name]:
                pause = item.every if run_round(item, database) else retry_seconds(item)
                due[item.name] = time.monotonic() + pause
        stop.wait(max(0.0, min(due.values()) - time.monotonic()))


def retry_seconds(item: Round) -> float:
    return min(LONGEST_RETRY_SECONDS, max(SHORTEST_RETRY_SECONDS, item.every))


def run_round(item: Round, database: Database) -> bool:
    try:
        item.work(database)
    except DamageError:
        raise
    except (Problem, SQLAlchemyError) as error:
        logger.error("a round failed", extra={"round": item.name, "reason": describe_failure(error) or repr(error)})
        return False
    return True
