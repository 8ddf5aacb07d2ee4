"""The deadline of queries: what runs too long, or for a caller who has gone, is canceled on both engines."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from newswire.errors import Problem
from newswire.store.database import Database
from newswire.store.query_watch import QueryLimit

ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT count(*) FROM n"
)
SECONDS = 0.3
PATIENCE = 20.0
"""Seconds after which a query counts as not canceled; it would take an hour."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.dispose()


def run(database: Database, limit: QueryLimit) -> Problem:
    began = time.monotonic()
    with pytest.raises(Problem) as caught, database.read(limit) as connection:
        connection.execute(ENDLESS).all()
    assert time.monotonic() - began < PATIENCE
    return caught.value


def test_a_query_over_its_deadline_is_refused_without_a_time_to_come_back(database: Database) -> None:
    problem = run(database, QueryLimit(SECONDS))
    assert (problem.status, problem.code) == (503, "query_too_slow")
    assert "Narrow it" in problem.detail
    assert not problem.headers
    # The connections that are left serve the next request.
    with database.read(QueryLimit(SECONDS)) as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_query_without_a_transaction_has_the_same_deadline(database: Database) -> None:
    with pytest.raises(Problem) as caught, database.look(QueryLimit(SECONDS)) as connection:
        connection.execute(ENDLESS).all()
    assert caught.value.code == "query_too_slow"


def test_the_queries_of_a_request_share_one_deadline(database: Database) -> None:
    limit = QueryLimit(SECONDS)
    with database.read(limit) as connection:
        connection.scalar(text("SELECT 1"))
    time.sleep(SECONDS)
    # What is left of the time is nothing, so that the next query ends at the first look.
    began = time.monotonic()
    with pytest.raises(Problem), database.read(limit) as connection:
        connection.execute(ENDLESS).all()
    assert time.monotonic() - began < PATIENCE


def test_a_query_ends_when_its_caller_has_gone(database: Database) -> None:
    gone = threading.Event()
    timer = threading.Timer(SECONDS, gone.set)
    timer.start()
    assert "closed the connection" in run(database, QueryLimit(3600, gone.is_set)).detail


def test_a_query_goes_on_while_its_caller_is_there(database: Database) -> None:
    asked: list[float] = []

    def is_gone() -> bool:
        asked.append(time.monotonic())
        return False

    with database.read(QueryLimit(3600, is_gone)) as connection:
        deadline = time.monotonic() + PATIENCE
        while not asked and time.monotonic() < deadline:
            assert connection.scalar(text("SELECT 1")) == 1
    assert asked


def test_eight_slow_queries_end_together_and_the_others_go_on(database: Database) -> None:
    problems: list[Problem] = []
    slow = [threading.Thread(target=lambda: problems.append(run(database, QueryLimit(SECONDS)))) for _ in range(8)]
    for thread in slow:
        thread.start()
    for _ in range(20):
        with database.read(QueryLimit(PATIENCE)) as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    for thread in slow:
        thread.join()
    assert [problem.code for problem in problems] == ["query_too_slow"] * len(slow)


def test_the_thread_ends_with_its_database_and_starts_again_with_the_next_query(database: Database) -> None:
    for _ in range(2):
        before = threading.enumerate()
        with database.read(QueryLimit(SECONDS)) as connection:
            connection.scalar(text("SELECT 1"))
        (thread,) = (each for each in threading.enumerate() if each not in before)
        database.dispose()
        thread.join(PATIENCE)
        assert not thread.is_alive()
