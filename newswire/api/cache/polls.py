"""Single flight for polls of the wire that wait: of all that wait for the same page, one makes it.

The first one leads: Flask serves it, and it waits for an entry. Those that come meanwhile wait here, in the middleware,
and are given its response, which costs each a wake-up and no page. What polls have in common is their key, by which the
page cache keeps pages: the same address and position, and the same visibility. Which polls those are, and when a
response may be handed over, is in `middleware`.
"""

import threading
from collections import deque

from newswire.api.cache.pages import CachedPage, Key
from newswire.wire import Head


class PollFlight:
    """A poll that is being answered, and those that wait for its response; `page` was made at `head`."""

    __slots__ = ("head", "is_over", "key", "page", "waiting")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.page: CachedPage | None = None
        self.head: Head | None = None
        self.is_over = False
        self.waiting: deque[threading.Lock] = deque()


class PollFlights:
    """The polls of one process that lead others, by their keys."""

    def __init__(self) -> None:
        self._flights: dict[Key, PollFlight] = {}
        self._lock = threading.Lock()

    def board(self, key: Key) -> tuple[PollFlight, bool]:
        """The flight under `key`, and whether the caller leads it: then it must `land` it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = PollFlight(key)
            return flight, True

    def wait(self, flight: PollFlight, seconds: float) -> bool:
        """Waits at most `seconds` for the end of a flight; True when it is over. Call `wake_next` after it."""
        # A bare lock: an `Event` wakes all threads that wait for it at once, and each takes the lock of it again.
        alarm = threading.Lock()
        alarm.acquire()
        with self._lock:
            if flight.is_over:
                return True
            flight.waiting.append(alarm)
        if alarm.acquire(timeout=seconds):
            return True
        with self._lock:
            if alarm in flight.waiting:
                flight.waiting.remove(alarm)
            return flight.is_over

    def land(self, flight: PollFlight, page: CachedPage | None = None, head: Head | None = None) -> None:
        """Ends a flight, with the response that all who wait may have, if there is one; a second call does nothing."""
        with self._lock:
            if flight.is_over:
                return
            flight.page, flight.head, flight.is_over = page, head, True
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
        self.wake_next(flight)

    def wake_next(self, flight: PollFlight) -> None:
        """Wakes one of those who wait for a flight that is over; each wakes the next one when it has its answer.

        All at once would stand in line for the interpreter, and a publisher behind twenty of them.
        """
        with self._lock:
            if flight.is_over and flight.waiting:
                flight.waiting.popleft().release()
