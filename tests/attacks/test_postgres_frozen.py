"""A PostgreSQL that hangs costs a deadline and no more: every request is answered, and all recovers by itself."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from newswire import wire
from newswire.errors import Problem
from newswire.store.backend import driver_connection
from newswire.store.database import Database, create_backend
from newswire.store.migrate import upgrade
from tests.support.asking import ask
from tests.support.command import Cli, waited
from tests.support.postgres import Postgres, new_database, temporary_postgres
from tests.support.served import Serving, started

READERS = 300
"""More than a web process has threads."""
MARGIN_SECONDS = 15.0
"""For a machine that does other work too; the reads that were tried on the old code had no answer after 55 seconds."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with temporary_postgres() as postgres:
        yield postgres


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    with new_database(server.url) as made:
        upgrade(made)
        yield made


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    server.signal_all(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal_all(signal.SIGCONT)


@pytest.mark.slow
def test_a_frozen_server_costs_a_deadline_and_not_the_service(server: Postgres, url: str, serving: Serving) -> None:
    running, served = started(serving, Cli(url))
    publisher, partner = served.publisher(), served.partner()
    assert publisher.put("before", headline="Before")["version"] == 1
    assert ask(f"{served.url}/v1/articles", partner.key)[0] == 200
    found: list[tuple[int, float]] = []

    def read(number: int) -> None:
        if number % 50:
            found.append(ask(f"{served.url}/v1/articles?q=word{number}", partner.key))
        else:
            found.append(ask(f"{served.url}/v1/articles", publisher.key, b'{"headline": "While it is frozen"}'))

    with frozen(server):
        readers = [threading.Thread(target=read, args=[number]) for number in range(READERS)]
        for reader in readers:
            reader.start()
        health = []
        for _ in range(6):
            time.sleep(0.3)
            health.append(ask(f"{served.url}/healthz"))
        for reader in readers:
            reader.join()
        ready = ask(f"{served.url}/readyz")
    assert {status for status, _ in found} == {503}, found
    assert max(seconds for _, seconds in found) < MARGIN_SECONDS
    # All threads of the process wait for a second at first, and from then on for nothing.
    assert {status for status, _ in health} == {200}
    assert max(seconds for _, seconds in health[3:]) < 1.0, health
    assert ready[0] == 503
    assert ready[1] < MARGIN_SECONDS

    waited(lambda: ask(f"{served.url}/readyz")[0] == 200, "it is ready again")
    assert ask(f"{served.url}/v1/articles?q=word", partner.key)[0] == 200
    assert publisher.put("after", headline="After")["version"] == 1
    assert running.process.poll() is None


def test_a_statement_without_an_answer_ends_at_its_deadline(server: Postgres, url: str) -> None:
    engine = create_backend(url).create_read_engine(1, answer_seconds=0.5)
    with engine.connect() as connection, frozen(server):
        began = time.monotonic()
        with pytest.raises(OperationalError, match="does not answer"):
            connection.execute(text("SELECT 1"))
        assert 0.4 < time.monotonic() - began < 5.0
        assert connection.invalidated
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_a_publication_without_an_answer_is_refused_and_stores_nothing(server: Postgres, url: str) -> None:
    database = Database(url)
    before = wire.look_at_head(database)
    assert before is not None
    with pytest.raises(Problem) as refused:
        publish_while_frozen(database, server)
    assert refused.value.code == "unavailable"
    assert wire.look_at_head(database) == before
    with database.begin() as connection:
        wire.bump_revision(connection)
    database.dispose()


def publish_while_frozen(database: Database, server: Postgres) -> None:
    with database.begin() as connection:
        wire.bump_revision(connection)
        driver_connection(connection).answer_seconds = 0.5
        with frozen(server):
            wire.bump_revision(connection)


def test_a_statement_that_takes_its_time_is_not_cut_short_without_a_deadline(url: str) -> None:
    engine = create_backend(url).create_read_engine(1)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1 FROM pg_sleep(0.7)")) == 1
    engine.dispose()
