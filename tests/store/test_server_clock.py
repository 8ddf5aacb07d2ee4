"""The clock that `now()` follows: measurements of the database's clock, each with its uncertainty."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire import timestamps
from newswire.store.database import Database
from newswire.store.postgres.server_clock import read_sample
from newswire.timestamps import (
    MILLISECOND,
    follow_clock,
    machine_clock_error,
    now,
    read_machine_clock,
    read_steady_clock,
)

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def anchor() -> Iterator[None]:
    """Every test begins with a clock that follows no other, and leaves the one of the process as it was."""
    kept, timestamps.anchor = timestamps.anchor, None
    yield
    timestamps.anchor = kept


def followed_clock() -> timestamps.Anchor:
    followed = timestamps.anchor
    assert followed is not None
    return followed


def measure(ahead: int, uncertainty: int) -> None:
    """Follows a clock that is `ahead` of this machine's, in nanoseconds."""
    follow_clock(read_machine_clock() * MILLISECOND + ahead, read_steady_clock(), uncertainty)


def test_a_clock_that_is_right_within_the_uncertainty_is_left_alone() -> None:
    measure(2 * SECOND, 3 * SECOND)
    assert abs(machine_clock_error()) < 100


@pytest.mark.parametrize("ahead", [-3600, -2, 2, 3600])
def test_a_clock_that_is_wrong_is_corrected(ahead: int) -> None:
    measure(ahead * SECOND, SECOND // 10)
    assert abs(now() - read_machine_clock() - ahead * 1000) < 200
    assert abs(machine_clock_error() + ahead * 1000) < 200


def test_a_later_measurement_with_much_noise_moves_no_time() -> None:
    measure(5 * SECOND, 0)
    before = machine_clock_error()
    measure(6 * SECOND, 4 * SECOND)
    assert abs(machine_clock_error() - before) < 100
    measure(60 * SECOND, 4 * SECOND)
    assert abs(machine_clock_error() + 60_000) < 200


@given(st.lists(st.tuples(st.integers(-10_000, 10_000), st.integers(0, 5_000)), max_size=20))
def test_the_followed_clock_is_never_outside_of_the_last_measurement(measured: list[tuple[int, int]]) -> None:
    timestamps.anchor = None
    for ahead, uncertainty in measured:
        moment, steady = SECOND * 1_800_000_000 + ahead * MILLISECOND, read_steady_clock()
        follow_clock(moment, steady, uncertainty * MILLISECOND)
        followed = followed_clock()
        assert abs(followed.moment - moment) <= uncertainty * MILLISECOND
        assert followed.steady == steady


def test_a_sample_names_the_servers_time_and_how_sure_that_is(fresh_postgresql: str) -> None:
    database = Database(fresh_postgresql)
    with database.look() as connection:
        uncertainty, moment, _ = read_sample(connection.connection.dbapi_connection)
        assert followed_clock(), "the first connection measures the clock"
    database.dispose()
    assert 0 < uncertainty < 10 * SECOND
    assert abs(moment // MILLISECOND - read_machine_clock()) < 10_000
