"""The clock of the PostgreSQL server, measured once a minute by each process on a connection that it has in hand.

Machines share embargoes and expiries, so all of them go by one clock. A query for each request would cost a round trip,
so `timestamps.now` follows the measured clock by the steady clock of the machine (decision 0025).
"""

import logging
import time
from contextlib import suppress
from typing import Any

import psycopg

from newswire.timestamps import follow_clock, machine_clock_error, read_steady_clock

logger = logging.getLogger("newswire.clock")

READ_CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
MEASURED_EVERY_SECONDS = 60.0
SAMPLES = 3
"""The quickest of these round trips is believed: its answer has the smallest uncertainty."""
TOLERATED_MILLISECONDS = 1000


class ServerClock:
    """The measurements of one database, the next of which is `due` (monotonic clock, seconds).

    There is no lock: two threads that measure at the same time agree.
    """

    def __init__(self) -> None:
        self.due = 0.0
        self._differs = False

    def expire(self, *ignored: Any) -> None:
        """Listener of the event `connect`: a new connection may lead to another server, so it is measured at once."""
        self.due = 0.0

    def measure(self, driver: Any) -> None:
        """Measures the clock on a connection of the driver, and has `timestamps.now` follow it."""
        # A connection that fails here fails again at its first statement, where the failure is handled.
        with suppress(psycopg.Error):
            uncertainty, moment, middle = min(read_sample(driver) for _ in range(SAMPLES))
            follow_clock(moment, middle, uncertainty)
            self.due = time.monotonic() + MEASURED_EVERY_SECONDS
            self._report_difference()

    def _report_difference(self) -> None:
        """Logs once when this machine's clock begins or ceases to differ from the server's."""
        error = machine_clock_error()
        differs = abs(error) > TOLERATED_MILLISECONDS
        if differs and not self._differs:
            logger.warning(
                "the clock of this machine is %.1f s %s that of the database, which counts; let chrony put it right",
                abs(error) / 1000, "ahead of" if error > 0 else "behind",
            )  # fmt: skip
        elif self._differs and not differs:
            logger.warning("the clock of this machine is that of the database again")
        self._differs = differs


def read_sample(driver: Any) -> tuple[int, int, int]:
    """Reads the server's clock once: uncertainty, moment and the steady clock at that moment, in nanoseconds.

    The server read its clock at some time between the two readings of ours: the middle, give or take half the distance.
    """
    sent = read_steady_clock()
    (microseconds,) = driver.execute(READ_CLOCK, prepare=False).fetchone()
    received = read_steady_clock()
    return (received - sent + 1) // 2, microseconds * 1000, (sent + received) // 2
