"""The pool of connections for reading: bounded, the last one reused first, all replaced when one of them fails."""

import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from newswire import wire
from newswire.errors import Problem
from newswire.store.backend import LEND_SECONDS, driver_connection
from newswire.store.database import FEWEST_CONNECTIONS, Database
from newswire.store.tables import article


def test_a_reader_beyond_the_bound_waits_until_a_connection_is_returned(database_url: str) -> None:
    database = Database(database_url, connections=FEWEST_CONNECTIONS)
    taken, release = threading.Barrier(database.readers + 1), threading.Event()
    waited: list[float] = []

    def hold() -> None:
        with database.read() as connection:
            wire.read_head(connection)
            taken.wait()
            release.wait()

    def want() -> None:
        with database.look() as connection:
            wire.read_head(connection)
            waited.append(time.monotonic())

    holders = [threading.Thread(target=hold) for _ in range(database.readers)]
    for holder in holders:
        holder.start()
    taken.wait()
    waiter = threading.Thread(target=want)
    waiter.start()
    waiter.join(0.3)
    assert waiter.is_alive()
    assert not waited
    returned = time.monotonic()
    release.set()
    for thread in (*holders, waiter):
        thread.join()
    assert 0 <= waited[0] - returned < 2
    database.dispose()


@pytest.mark.slow
def test_a_reader_that_waits_for_a_connection_in_vain_is_refused(fresh_postgresql: str) -> None:
    database = Database(fresh_postgresql, connections=FEWEST_CONNECTIONS)
    with ExitStack() as readings:
        for _ in range(database.readers):
            readings.enter_context(database.read())
        began = time.monotonic()
        with pytest.raises(Problem) as refused:
            readings.enter_context(database.read())
        assert LEND_SECONDS <= time.monotonic() - began < LEND_SECONDS + 5
        # Publishers have connections of their own.
        with database.begin() as connection:
            wire.bump_revision(connection)
    assert refused.value.code == "unavailable"
    assert refused.value.headers["Retry-After"] in {"1", "2", "3"}
    database.dispose()


def test_readings_one_after_the_other_share_one_connection(database_url: str) -> None:
    database = Database(database_url)
    seen = set()
    for _ in range(5):
        with database.look() as connection:
            seen.add(id(driver_connection(connection)))
        with database.read() as connection:
            seen.add(id(driver_connection(connection)))
    assert len(seen) == 1
    database.dispose()


def test_a_connection_that_failed_is_replaced_and_so_are_the_idle_ones(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as first, database.read() as second:
        before = {driver_connection(first), driver_connection(second)}
    with pytest.raises((DBAPIError, Problem)), database.read() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
    with database.read() as first, database.read() as second:
        assert not {driver_connection(first), driver_connection(second)} & before
    database.dispose()


def test_a_reader_that_waits_for_a_connection_that_fails_gets_another(database_url: str) -> None:
    database = Database(database_url, connections=FEWEST_CONNECTIONS)
    # All but one are taken, so that who waits gets the connection that fails.
    others = ExitStack()
    for _ in range(database.readers - 1):
        others.enter_context(database.look())
    for _ in range(20):
        taken, done = threading.Event(), threading.Event()

        def want(taken: threading.Event = taken, done: threading.Event = done) -> None:
            taken.wait()
            with database.read() as connection:
                wire.read_head(connection)
                done.set()

        waiter = threading.Thread(target=want)
        waiter.start()
        with pytest.raises((DBAPIError, Problem)), database.read() as connection:
            fail_while_another_waits(connection, taken)
        assert done.wait(10)
        waiter.join()
    others.close()
    database.dispose()


def fail_while_another_waits(connection: Connection, taken: threading.Event) -> None:
    taken.set()
    time.sleep(0.01)
    connection.exec_driver_sql("SELECT nothing FROM nowhere")


def test_a_problem_of_the_caller_costs_no_connection(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as connection:
        before = driver_connection(connection)
    with pytest.raises(Problem), database.read():
        raise Problem("not_found", "There is no such article.")
    with database.read() as connection:
        assert driver_connection(connection) is before
    database.dispose()


def test_a_snapshot_ends_with_its_block_whatever_was_sent_in_it(database_url: str) -> None:
    database = Database(database_url)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(article)).scalar_one() == 0
        before = wire.read_head(connection)
        with database.begin() as writer:
            wire.bump_revision(writer)
        assert wire.read_head(connection) == before
    after = wire.look_at_head(database)
    assert after is not None
    assert after.revision == before.revision + 1
    with database.read() as connection:
        assert wire.read_head(connection) == after
    database.dispose()


def test_prepared_statements_survive_a_reading_that_sqlalchemy_took_part_in(fresh_postgresql: str) -> None:
    database = Database(fresh_postgresql)
    for _ in range(8):
        with database.read() as connection:
            wire.read_head(connection)
            connection.execute(select(article.c.id).limit(1)).all()
    with database.read() as connection:
        prepared = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
    assert any("FROM head" in statement for statement in prepared)
    database.dispose()
