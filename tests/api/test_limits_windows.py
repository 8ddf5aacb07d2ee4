"""The table of windows in shared memory: exact between threads and processes, and after one was killed."""

import multiprocessing
import multiprocessing.process
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.api.limits import windows
from newswire.api.limits.windows import ADDRESSES, KEYS, ROWS, WindowTable
from newswire.quotas import Quota, format_quotas, parse_quotas
from tests.support.cases import case

QUOTA = Quota(5, 10)


def granted(table: WindowTable, name: str, now: float, quota: Quota = QUOTA) -> bool:
    return table.count(KEYS, name, quota, now).used <= quota.requests


def test_a_window_begins_with_the_first_request_and_ends_after_its_time() -> None:
    table = WindowTable()
    assert [granted(table, "a", 100.0 + number) for number in range(7)] == [True] * 5 + [False] * 2
    assert table.look(KEYS, "a", 109.9) == (5, 110.0)
    assert table.look(KEYS, "a", 110.0) is None
    assert table.count(KEYS, "a", QUOTA, 113.0) == (1, 123.0)
    assert granted(table, "b", 101.0)


def test_what_is_given_back_can_be_used_again_in_the_same_window_only() -> None:
    table = WindowTable()
    first = table.count(KEYS, "a", QUOTA, 100.0)
    for _ in range(4):
        table.count(KEYS, "a", QUOTA, 100.0)
    assert not granted(table, "a", 101.0)
    table.give_back(KEYS, "a", first, 102.0)
    assert granted(table, "a", 103.0)
    table.count(KEYS, "a", QUOTA, 120.0)
    table.give_back(KEYS, "a", first, 121.0)
    assert table.look(KEYS, "a", 121.0) == (1, 130.0)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 4)), max_size=200))
def test_the_table_counts_like_a_dictionary(steps: list[tuple[str, int]]) -> None:
    table, known, now = WindowTable(), dict[str, tuple[int, float]](), 50.0
    for name, pause in steps:
        now += pause
        used, ends_at = known.get(name, (0, 0.0))
        if ends_at <= now:
            used, ends_at = 0, now + QUOTA.seconds
        assert table.count(KEYS, name, QUOTA, now) == (used + 1, ends_at)
        known[name] = (min(used + 1, QUOTA.requests), ends_at)


def test_many_addresses_take_no_room_of_keys() -> None:
    table = WindowTable()
    for number in range(5):
        table.count(KEYS, f"key {number}", QUOTA, 1.0)
    for number in range(2 * ROWS[ADDRESSES]):
        table.count(ADDRESSES, f"10.0.{number >> 8}.{number & 255}", QUOTA, 1.0)
    assert all(table.look(KEYS, f"key {number}", 2.0) == (1, 11.0) for number in range(5))
    # The latest are there, at the cost of older ones.
    assert table.look(ADDRESSES, f"10.0.{number >> 8}.{number & 255}", 2.0) == (1, 11.0)


def test_threads_count_exactly() -> None:
    table, quota, found = WindowTable(), Quota(1000, 60), list[bool]()

    def ask() -> None:
        found.extend(granted(table, "a", 1.0, quota) for _ in range(300))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), sum(found)) == (1800, 1000)


def forked(act: Callable[[], None]) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=act)
    process.start()
    return process


# A process that is forked while a thread runs might inherit a lock that nobody releases; none runs here.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_processes_count_exactly_and_a_killed_one_loses_nothing() -> None:
    table, quota = WindowTable(), Quota(100_000_000, 600)
    counting = [forked(lambda: count_on(table, quota, 3000)) for _ in range(3)]
    for process in counting:
        process.join(30)
    assert table.look(KEYS, "a", time.monotonic()) is not None
    look = table.look(KEYS, "a", time.monotonic())
    assert look is not None
    assert look.used == 9000
    endless = forked(lambda: count_on(table, quota, 10**9))
    time.sleep(0.2)
    os.kill(endless.pid or 0, signal.SIGKILL)
    endless.join(30)
    began = time.monotonic()
    used = table.count(KEYS, "a", quota, began).used
    assert used > 9000
    # The lock of the killed process is free.
    assert time.monotonic() - began < windows.LOCK_SECONDS
    assert table.count(KEYS, "a", quota, began).used == used + 1


def count_on(table: WindowTable, quota: Quota, times: int) -> None:
    for _ in range(times):
        table.count(KEYS, "a", quota, time.monotonic())


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_process_that_was_stopped_within_the_table_stops_no_other() -> None:
    table = WindowTable()

    def stop_within() -> None:
        with table._lock:
            os.kill(os.getpid(), signal.SIGSTOP)

    stopped = forked(stop_within)
    os.waitid(os.P_PID, stopped.pid or 0, os.WSTOPPED | os.WNOWAIT)
    began = time.monotonic()
    assert granted(table, "a", began)
    assert time.monotonic() - began < 5
    os.kill(stopped.pid or 0, signal.SIGKILL)
    stopped.join(30)


def test_quotas_are_read_and_written() -> None:
    found = parse_quotas(["read=600/60s, publish=120/3600s"])
    assert found == {"read": Quota(600, 60), "publish": Quota(120, 3600)}
    assert parse_quotas([format_quotas(found)]) == found
    assert parse_quotas([]) == {}
    for text, said in (
        ("read", "looks like"), ("read=0/60s", "looks like"), ("read=1/60", "looks like"), ("", "looks like"),
        ("reed=1/60s", "Did you mean read?"), ("read=1/60s,read=2/60s", "twice"), ("read=1/90000s", "at most"),
        ("read=٣/60s", "looks like"),
    ):  # fmt: skip
        with case(text), pytest.raises(ValueError, match=said.replace("?", r"\?")):
            parse_quotas([text])
