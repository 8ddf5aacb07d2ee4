"""A burst of requests can neither take all connections of PostgreSQL nor end publishing: each process has a bound."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from newswire.config import Settings, SettingsError
from newswire.errors import Problem
from newswire.store import pools
from newswire.store.backend import IDLE_CLOSED_SECONDS, driver_connection
from newswire.store.database import FEWEST_CONNECTIONS, Database
from newswire.store.migrate import upgrade
from newswire.store.pools import LONGEST_IDLE_SECONDS
from tests.support.asking import ask
from tests.support.bursts import Activity, burst
from tests.support.command import Cli
from tests.support.postgres import Postgres, new_database, temporary_postgres
from tests.support.served import Serving, started

MAX_CONNECTIONS = 42
PROCESSES = 2
SOCKETS, BURSTS = 400, 2
BOUND = PROCESSES * Settings().connections + FEWEST_CONNECTIONS


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with temporary_postgres("-c", f"max_connections={MAX_CONNECTIONS}") as postgres:
        yield postgres


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    with new_database(server.url) as made:
        upgrade(made)
        yield made


class Publishing:
    """Publishes again and again until it is stopped; keeps the answers."""

    def __init__(self, url: str, key: str) -> None:
        self.answers: list[tuple[int, float]] = []
        self._url, self._key = url, key
        self._stop = threading.Event()

    def publish(self) -> None:
        self.answers.append(ask(f"{self._url}/v1/articles", self._key, b'{"headline": "A story in a burst"}'))

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.publish()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


@pytest.mark.slow
def test_a_burst_of_readers_leaves_connections_to_publishers_and_operators(url: str, serving: Serving) -> None:
    cli = Cli(url)
    running, wire = started(serving, cli, workers=PROCESSES)
    publisher, partner = wire.publisher(), wire.partner()
    activity, publishing = Activity(url), Publishing(wire.url, publisher.key)
    address = ("127.0.0.1", int(wire.url.rpartition(":")[2]))
    with activity.watched(), publishing.going_on():
        answers = Counter[bytes]()
        for number in range(BURSTS):
            answers += burst(address, partner.key, publisher.key, SOCKETS, number)
        during = len(publishing.answers)
        # Nobody reads any longer, and nobody has to wait until the connections of the readers have gone.
        for _ in range(5):
            publishing.publish()
        assert cli.json("stats")["head"] >= len(publishing.answers) - 1
    # Who waits for two seconds in vain is refused; on a quick machine nobody is.
    assert {*answers} <= {b"200", b"201", b"429", b"503"}
    assert answers[b"200"] > SOCKETS / 2
    assert answers[b"201"] > 0
    assert {status for status, _ in publishing.answers} == {201}, publishing.answers
    assert during > 0
    assert PROCESSES < activity.most <= BOUND
    assert not running.logged("This server may open")


@pytest.mark.slow
def test_a_server_that_may_open_more_than_there_are_warns(url: str, serving: Serving) -> None:
    running, _ = started(serving, Cli(url), NEWSWIRE_DATABASE_CONNECTIONS="35")
    warning = "This server may open 40 connections (web processes: 1, with 35 each; worker: 5)"
    running.wait_for(lambda: running.logged(warning), "it warns")


def test_too_few_connections_are_refused_in_one_sentence(url: str) -> None:
    for sent in ("0", "many", "1001"):
        with pytest.raises(SettingsError, match="NEWSWIRE_DATABASE_CONNECTIONS must be a whole number"):
            Settings.from_env({"NEWSWIRE_DATABASE_CONNECTIONS": sent})
    done = Cli(url).finished("serve", "--port", "0", env={"NEWSWIRE_DATABASE_CONNECTIONS": "4"})
    assert done.returncode == 1
    assert done.stderr.startswith("Error: NEWSWIRE_DATABASE_CONNECTIONS must be at least 5: ")
    assert len(done.stderr.splitlines()) == 1


def test_an_idle_connection_is_closed_by_the_server_and_replaced_before_that(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(url)
    with database.read() as connection:
        first = driver_connection(connection)
        assert connection.exec_driver_sql("SHOW idle_session_timeout").scalar() == "1min"
    with database.begin() as connection:
        writing = driver_connection(connection)
    assert LONGEST_IDLE_SECONDS < IDLE_CLOSED_SECONDS
    monkeypatch.setattr(pools, "LONGEST_IDLE_SECONDS", 0.05)
    time.sleep(0.1)
    with database.read() as connection:
        assert driver_connection(connection) is not first
    with database.begin() as connection:
        assert driver_connection(connection) is not writing
    database.dispose()


def test_noting_the_use_of_a_key_waits_for_no_connection(url: str) -> None:
    database = Database(url, connections=FEWEST_CONNECTIONS)
    with database.begin():
        began = time.monotonic()
        with pytest.raises(Problem), database.begin(wait=0.0):
            pass
        assert time.monotonic() - began < 1.0
    database.dispose()
