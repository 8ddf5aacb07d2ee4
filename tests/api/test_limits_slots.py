"""Slots of a process: shares of parties, who waits how long, and who gets the next one."""

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.api.limits.slots import (
    MOST_WAITING,
    PROCESSOR_WINDOW_SECONDS,
    ProcessorShares,
    Slot,
    SlotLedger,
    busy_problem,
)
from newswire.errors import Problem
from tests.support.command import waited


def ledger(readers: int = 4) -> SlotLedger:
    return SlotLedger(readers=readers, writers=2, streams=4)


class Waiting:
    """Requests that wait for a slot of readers, each in a thread; `served` are the parties in order of their turn."""

    def __init__(self, slots: SlotLedger) -> None:
        self.slots = slots
        self.served: list[str] = []
        self.refused: list[str] = []
        self.threads: list[threading.Thread] = []

    def add(self, party: str, patience: float = 10.0) -> None:
        def wait() -> None:
            try:
                slot = self.slots.take(self.slots.readers, party, patience)
            except Problem:
                self.refused.append(party)
                return
            self.served.append(party)
            slot.release()

        before = self.count()
        self.threads.append(threading.Thread(target=wait))
        self.threads[-1].start()
        # The next one comes after this one.
        waited(lambda: self.count() > before or self.refused or self.served, "it waits")

    def count(self) -> int:
        return len(self.slots._waiting)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(10)


def refused(act: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.code == "unavailable"
    return caught.value


def test_a_party_gets_half_of_the_slots_and_leaves_the_other_half() -> None:
    slots = ledger(5)
    greedy = [slots.take(slots.readers, "greedy", 0) for _ in range(3)]
    refused(lambda: slots.take(slots.readers, "greedy", 0))
    others = [slots.take(slots.readers, name, 0) for name in ("one", "two")]
    refused(lambda: slots.take(slots.readers, "three", 0))
    for slot in (*greedy, *others):
        slot.release()
    assert (slots.readers.taken, slots.readers.parties) == (0, {})


def test_writers_take_no_slot_of_readers() -> None:
    slots = ledger()
    for name in ("one", "two"):
        slots.take(slots.writers, name, 0)
    refused(lambda: slots.take(slots.writers, "three", 0))
    slots.take(slots.readers, "three", 0)


def test_a_request_waits_for_as_long_as_it_may() -> None:
    slots = ledger(1)
    slots.take(slots.readers, "one", 0)
    began = time.monotonic()
    refused(lambda: slots.take(slots.readers, "two", 0.2))
    assert 0.2 <= time.monotonic() - began < 2


def test_a_slot_goes_to_the_party_that_has_fewest() -> None:
    slots = ledger(4)
    held = [slots.take(slots.readers, name, 0) for name in ("greedy", "greedy", "one", "two")]
    waiting = Waiting(slots)
    for party in ("greedy", "greedy", "new", "greedy"):
        waiting.add(party)
    held[2].release()
    waited(lambda: waiting.served, "somebody is served")
    # `new` came later; of `greedy`, which has its share, nobody can be served before it releases one.
    assert (waiting.served, waiting.count()) == (["new"], 3)
    held[0].release()
    waiting.join()
    assert waiting.served == ["new", "greedy", "greedy", "greedy"]


def test_when_too_many_wait_the_greediest_party_makes_room() -> None:
    slots = ledger(1)
    held = slots.take(slots.readers, "holder", 0)
    waiting = Waiting(slots)
    for _ in range(MOST_WAITING):
        waiting.add("greedy")
    assert waiting.count() == MOST_WAITING
    refused(lambda: slots.take(slots.readers, "greedy", 5))
    waiting.add("modest")
    waited(lambda: waiting.refused, "one of the greedy ones gives way")
    assert (waiting.refused, waiting.count()) == (["greedy"], MOST_WAITING)
    held.release()
    waiting.join()
    assert len(waiting.served) == MOST_WAITING
    assert waiting.served.index("modest") <= 2


def test_readers_do_not_queue_for_longer_than_they_would_like_to_wait() -> None:
    slots = ledger(1)
    held = slots.take(slots.readers, "holder", 0)
    slots.readers.mean_seconds = 0.06
    waiting = Waiting(slots)
    for _ in range(3):
        waiting.add("greedy")
    # A fourth one would wait for 0.24 s.
    refused(lambda: slots.take(slots.readers, "greedy", 5))
    waiting.add("modest")
    waited(lambda: waiting.refused, "one of the greedy ones gives way")
    slots.take(slots.writers, "greedy", 0)
    held.release()
    waiting.join()
    assert sorted(waiting.served) == ["greedy", "greedy", "modest"]


def test_a_party_that_uses_most_of_the_processor_comes_last() -> None:
    slots = ledger(2)
    burning = slots.take(slots.readers, "burner", 0)
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    burning.release()
    held = [slots.take(slots.readers, name, 0) for name in ("one", "two")]
    waiting = Waiting(slots)
    for party in ("burner", "calm"):
        waiting.add(party)
    held[0].release()
    waiting.join()
    assert waiting.served == ["calm", "burner"]
    held[1].release()


def test_processor_time_is_forgotten() -> None:
    shares = ProcessorShares()
    shares.charge("one", 5.0, now=0.0)
    later = 3 * PROCESSOR_WINDOW_SECONDS
    assert shares.rank("one", now=0.0) == (True, 0.0)
    shares.charge("two", 1.0, now=later)
    assert shares.rank("one", now=later) == (False, 0.0)
    assert shares.rank("two", now=later) == (True, later)


def test_the_time_of_the_next_try_is_a_guess_from_the_queue_and_varies() -> None:
    slots = ledger(1)
    slots.take(slots.readers, "one", 0)
    assert {retry_after(slots) for _ in range(50)} == {1, 2}
    slots.readers.mean_seconds = 5.0
    found = {retry_after(slots) for _ in range(200)}
    assert found >= {5, 10}
    assert found <= set(range(5, 11))
    assert int(busy_problem("Busy.", 10_000).headers["Retry-After"]) <= 60


def retry_after(slots: SlotLedger) -> int:
    return int(refused(lambda: slots.take(slots.readers, "two", 0)).headers["Retry-After"])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_no_party_has_more_than_its_share_and_nothing_is_lost(steps: list[tuple[str, bool]]) -> None:
    slots, held = ledger(5), list[Slot]()
    for party, is_release in steps:
        if is_release and held:
            held.pop(0).release()
        elif (slot := slots.take_now(slots.readers, party)) is not None:
            held.append(slot)
        counts = {party: sum(slot.party == party for slot in held) for party in "abc"}
        assert slots.readers.parties == {party: count for party, count in counts.items() if count}
        assert max(counts.values()) <= 3
        assert slots.readers.taken == len(held) <= 5
