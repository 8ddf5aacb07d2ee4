"""Statements that go to the driver directly fail like all others."""

import threading
import time
from statistics import median

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newswire import wire
from newswire.errors import Problem
from newswire.reading import article
from newswire.store import articles
from newswire.store.database import Database
from newswire.store.statements import Statement


def test_a_refused_statement_is_an_error_of_sqlalchemy_without_its_values(database_url: str) -> None:
    database = Database(database_url)
    nowhere = Statement(text("DELETE FROM nowhere WHERE name = :name"))
    sendings = (nowhere.execute, lambda connection, values: nowhere.execute_many(connection, [values, values]))
    for send in sendings:
        with pytest.raises((DBAPIError, Problem)) as refused, database.begin() as connection:
            send(connection, {"name": "a secret"})
        error = refused.value.__cause__ if isinstance(refused.value, Problem) else refused.value
        assert isinstance(error, DBAPIError)
        assert "nowhere" in str(error)
        assert "a secret" not in str(error)
    database.dispose()


def test_what_postgresql_has_prepared_outlives_a_reading(fresh_postgresql: str) -> None:
    database = Database(fresh_postgresql)
    for _ in range(8):
        with database.read() as connection:
            assert article.BY_ID.all(connection, {"id": "nothing"}) == []
    with database.read() as connection:
        prepared = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
    assert any("FROM article" in statement for statement in prepared)
    database.dispose()


def test_the_head_is_looked_at_alike_in_every_way(database_url: str) -> None:
    database = Database(database_url)
    for number in range(3):
        with database.begin() as connection:
            wire.bump_revision(connection)
        for _ in range(2):
            with database.read() as connection:
                stands = wire.read_head(connection)
            assert stands == wire.look_at_head(database)
        assert stands.revision == number + 1
    if database.backend.name == "postgresql":
        # What is prepared can be gone: psycopg forgets everything after a rollback.
        with database.look() as connection:
            connection.exec_driver_sql("DEALLOCATE ALL")
        assert wire.look_at_head(database) == stands
    database.dispose()


def test_a_connection_that_is_lost_under_a_statement_is_unavailable_and_replaced(fresh_postgresql: str) -> None:
    database, other = Database(fresh_postgresql), Database(fresh_postgresql)

    def publish_without_a_connection() -> None:
        with database.begin() as connection:
            lost = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with other.begin() as killer:
                killer.exec_driver_sql(f"SELECT pg_terminate_backend({lost}, 5000)")
            articles.lock_by_id(connection, "nothing")

    with pytest.raises(Problem) as failed:
        publish_without_a_connection()
    assert failed.value.code == "unavailable"
    with database.begin() as connection:
        assert articles.lock_by_id(connection, "nothing") is None
    database.dispose()
    other.dispose()


def test_a_thread_that_waits_to_write_to_sqlite_does_so_as_soon_as_it_can(fresh_sqlite: str) -> None:
    database = Database(fresh_sqlite)
    began: list[float] = []

    def write() -> None:
        with database.begin():
            began.append(time.monotonic())

    delays = []
    for _ in range(5):
        with database.begin():
            waiting = threading.Thread(target=write)
            waiting.start()
            time.sleep(0.4)
            with pytest.raises(Problem) as refused, database.begin(wait=0.0):
                pass
            assert refused.value.code == "unavailable"
        ended = time.monotonic()
        waiting.join()
        delays.append(began.pop() - ended)
    # SQLite's own wait would look again after up to 0.1 s.
    assert median(delays) < 0.02
    database.dispose()
