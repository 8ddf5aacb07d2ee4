"""Slots: how many requests a process serves at the same time, shared between parties, with a bounded wait.

Readers and writers have slots of their own, so that a write lock that somebody holds delays no reader. A party gets at
most half of the slots of a kind, however many requests it sends: the other half serves the next party at once. Requests
that find no slot wait, together at most `MOST_WAITING` and each for a short time (NEWSWIRE_WAIT_SECONDS); a slot that
is released goes to the waiting party that has fewest. Who is not served is told when to come again.
"""

import math
import random
import threading
import time
from collections import Counter, OrderedDict
from typing import Self

from newswire.config import Settings
from newswire.errors import Problem

WRITERS = 4
"""Slots for requests that write. More would only wait: on SQLite for the one write lock, on PostgreSQL for the head."""
AUTHENTICATIONS = 2
"""Slots for looking up who is calling in the database; callers that are known already need none."""
MOST_WAITING = 64
"""Requests of one process that wait for a slot. One more is refused at once, or displaces one of a greedier party."""
READER_QUEUE_SECONDS = 0.2
"""The longest queue of readers at the recent pace: with a longer one they all would wait, and no more be served."""
SPARE_THREADS = 16
"""For what needs no slot, such as /healthz and kept pages, while all others are taken."""
MOST_OF_ADDRESS = 40
"""Requests that one address behind a trusted proxy may have in progress in one process, besides open streams."""
LONGEST_RETRY_SECONDS = 30
PROCESSOR_WINDOW_SECONDS = 10.0
"""Processor time counts half after 7 s: it decays by e in this time."""
MOST_PARTIES = 1024
"""Parties whose processor time is remembered; addresses are parties too, and a client may have many of them."""


class SlotPool:
    """The slots of one kind: `size` in all, at most `share` for one party. The lock of the `SlotLedger` guards it."""

    __slots__ = ("mean_seconds", "parties", "queue_seconds", "share", "size", "taken")

    def __init__(self, size: int, share: int | None = None, queue_seconds: float = math.inf) -> None:
        self.size = size
        self.queue_seconds = queue_seconds
        self.share = (size + 1) // 2 if share is None else min(share, size)
        self.taken = 0
        self.parties: dict[str, int] = {}
        self.mean_seconds = 0.0

    def has_room(self, party: str) -> bool:
        return self.taken < self.size and self.parties.get(party, 0) < self.share

    def is_queue_long(self, waiting: int) -> bool:
        """Whether the last of so many would wait for too long; one for each slot may always, as the mean is a guess."""
        return waiting > self.size and self.mean_seconds * waiting / self.size > self.queue_seconds

    def give(self, party: str) -> None:
        self.taken += 1
        self.parties[party] = self.parties.get(party, 0) + 1

    def take_back(self, party: str) -> None:
        self.taken -= 1
        left = self.parties[party] - 1
        if left:
            self.parties[party] = left
        else:
            # Parties that have nothing are forgotten: there is no bound on how many ever come.
            del self.parties[party]


class Slot:
    """A slot that a party has taken; `release` it once, in the same thread, or its processor time is not known."""

    __slots__ = ("_began", "_ledger", "_processor_began", "party", "pool")

    def __init__(self, ledger: "SlotLedger", pool: SlotPool, party: str) -> None:
        self._ledger = ledger
        self.pool = pool
        self.party = party
        self._began = time.monotonic()
        self._processor_began = time.thread_time()

    def release(self) -> None:
        now = time.monotonic()
        processor_seconds = max(0.0, time.thread_time() - self._processor_began)
        self._ledger.take_back(self.pool, self.party, now - self._began, processor_seconds, now)


class Waiter:
    """A request that waits for a slot. It is woken when it was `granted` one, or has lost its turn."""

    __slots__ = ("granted", "party", "pool", "woken")

    def __init__(self, pool: SlotPool, party: str) -> None:
        self.pool = pool
        self.party = party
        self.granted = False
        self.woken = threading.Event()


class SlotLedger:
    """All slots of one process, who has them, who waits for them, and who used the processor.

    A party is `Caller.party`, or an address for callers that are not known. All methods are safe between threads.
    """

    def __init__(self, readers: int, writers: int, streams: int, streams_per_party: int | None = None) -> None:
        self.readers = SlotPool(readers, queue_seconds=READER_QUEUE_SECONDS)
        self.writers = SlotPool(writers)
        self.authentications = SlotPool(AUTHENTICATIONS)
        self.streams = SlotPool(streams, streams_per_party)
        self.addresses = SlotPool(2**31, MOST_OF_ADDRESS)
        self._waiting: list[Waiter] = []
        self._processor = ProcessorShares()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.threads, WRITERS, settings.streams, settings.streams_per_party)

    def take(self, pool: SlotPool, party: str, patience: float) -> Slot:
        """A slot for `party`, after at most `patience` seconds; raises `unavailable`."""
        with self._lock:
            # Whoever waits could not be served with what is free now, so nobody is overtaken here.
            if pool.has_room(party):
                pool.give(party)
                return Slot(self, pool, party)
            waiter = Waiter(pool, party)
            self._let_wait(waiter)
        waiter.woken.wait(patience)
        with self._lock:
            if waiter.granted:
                return Slot(self, pool, party)
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            raise self._refusal(pool, party)

    def take_now(self, pool: SlotPool, party: str) -> Slot | None:
        """A slot for `party` without waiting, or None."""
        with self._lock:
            if not pool.has_room(party):
                return None
            pool.give(party)
        return Slot(self, pool, party)

    def take_back(self, pool: SlotPool, party: str, held: float, processor_seconds: float, now: float) -> None:
        """Ends a `Slot` that was held for so many seconds, and hands it on to one who waits."""
        with self._lock:
            pool.take_back(party)
            pool.mean_seconds += (held - pool.mean_seconds) / 16
            self._processor.charge(party, processor_seconds, now)
            if self._waiting:
                self._hand_on(pool, now)

    def _hand_on(self, pool: SlotPool, now: float) -> None:
        """Grants the free slot to the party with the fewest; one that uses most of the processor comes last."""
        able = [waiter for waiter in self._waiting if waiter.pool is pool and pool.has_room(waiter.party)]
        if not able:
            return

        def rank(waiter: Waiter) -> tuple[bool, int, float]:
            # Of parties that have equally many the one comes first that was served least recently: they take turns.
            uses_most, served_at = self._processor.rank(waiter.party, now)
            return uses_most, pool.parties.get(waiter.party, 0), served_at

        # The list is in order of arrival, and `min` returns the first of equals.
        chosen = min(able, key=rank)
        self._waiting.remove(chosen)
        pool.give(chosen.party)
        chosen.granted = True
        chosen.woken.set()

    def _let_wait(self, newcomer: Waiter) -> None:
        """Adds a waiter. When too many wait, the last of the party that has most of them gives way to another party."""
        crowd = self._waiting
        if len(crowd) < MOST_WAITING:
            crowd = [waiter for waiter in self._waiting if waiter.pool is newcomer.pool]
        if len(crowd) >= MOST_WAITING or newcomer.pool.is_queue_long(len(crowd) + 1):
            counts = Counter(waiter.party for waiter in crowd)
            greediest, most = counts.most_common(1)[0]
            if most <= counts[newcomer.party] + 1:
                raise self._refusal(newcomer.pool, newcomer.party)
            last = next(waiter for waiter in reversed(crowd) if waiter.party == greediest)
            self._waiting.remove(last)
            last.woken.set()
        self._waiting.append(newcomer)

    def _refusal(self, pool: SlotPool, party: str) -> Problem:
        """The refusal of a request, with the time after which those who wait now are probably served."""
        ahead = [waiter for waiter in self._waiting if waiter.pool is pool]
        own = sum(waiter.party == party for waiter in ahead)
        if pool.parties.get(party, 0) >= pool.share:
            detail = f"You have {pool.share} requests in progress here, as many as one party may have; try again."
        else:
            detail = "Too many requests at once; try again."
        seconds = pool.mean_seconds * max((len(ahead) + 1) / pool.size, (own + 1) / pool.share)
        return busy_problem(detail, seconds)


class ProcessorShares:
    """Who used the processor lately: seconds of processor time by party, which decay. Guarded by the ledger's lock."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._total = (0.0, 0.0)

    def charge(self, party: str, seconds: float, now: float) -> None:
        """Adds processor time of a party; the one that was charged least recently is forgotten."""
        self._used[party] = (decayed_seconds(self._used.get(party, (0.0, now)), now) + seconds, now)
        self._used.move_to_end(party)
        if len(self._used) > MOST_PARTIES:
            self._used.popitem(last=False)
        self._total = (decayed_seconds(self._total, now) + seconds, now)

    def rank(self, party: str, now: float) -> tuple[bool, float]:
        """Whether a party used more than half of all processor time lately, and when it was last charged."""
        used = self._used.get(party)
        if used is None:
            return False, 0.0
        return decayed_seconds(used, now) > decayed_seconds(self._total, now) / 2, used[1]


def decayed_seconds(noted: tuple[float, float], now: float) -> float:
    """What is left at `now` of an amount that was noted at a time, both in seconds of the monotonic clock."""
    amount, at = noted
    return amount * math.exp((at - now) / PROCESSOR_WINDOW_SECONDS)


def address_party(address: str | None) -> str:
    """The party that callers without a known key are: those of an address. None is that of a proxy of our own."""
    return f"address:{address or ''}"


def busy_problem(detail: str, seconds: float) -> Problem:
    """503 with a Retry-After of about `seconds`; it varies, or all that are refused now would return together."""
    least = min(max(math.ceil(seconds), 1), LONGEST_RETRY_SECONDS)
    return Problem("unavailable", detail, headers={"Retry-After": str(random.randint(least, 2 * least))})


def most_requests(settings: Settings) -> int:
    """The threads that a process needs, so that nothing but a slot is ever waited for, and health can be asked for."""
    return settings.threads + settings.streams + WRITERS + AUTHENTICATIONS + MOST_WAITING + SPARE_THREADS
