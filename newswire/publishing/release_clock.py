"""The watch over the clock by which one worker releases and expires articles; it logs what is wrong with it.

A release cannot be taken back. So a worker whose machine disagrees with the database's clock releases nothing, although
`timestamps.now` follows the database (decision 0025): one of the two is wrong, and other workers know better.
"""

import logging

from newswire import wire
from newswire.store.database import Database
from newswire.timestamps import machine_clock_error, now, read_machine_clock, read_steady_clock

logger = logging.getLogger("newswire.clock")

TOLERATED_MILLISECONDS = 1000


class ReleaseClock:
    """The state of the watch in one worker: each fault is logged once, when it begins, and once more when it ends."""

    def __init__(self) -> None:
        self._differs = False
        self._is_ahead = False
        self._offset = machine_offset()

    def may_release(self) -> bool:
        """Whether the clock of this machine is within a second of the database's; call it before each release."""
        self._report_step()
        error = machine_clock_error()
        differs = abs(error) > TOLERATED_MILLISECONDS
        if differs and not self._differs:
            logger.critical(
                "the clock of this machine is %.1f s %s that of the database: this worker releases and expires nothing"
                " until it is right",
                abs(error) / 1000, "ahead of" if error > 0 else "behind",
            )  # fmt: skip
        elif self._differs and not differs:
            logger.warning("the clock of this machine is right again: this worker releases and expires articles")
        self._differs = differs
        return not differs

    def check_newest_entry(self, database: Database) -> None:
        """Logs when the newest entry is dated more than an hour ahead of the clock."""
        with database.read() as connection:
            warning = wire.check_newest_entry(connection, now())
        if warning and not self._is_ahead:
            logger.critical("%s", warning)
        self._is_ahead = warning is not None

    def _report_step(self) -> None:
        """Logs a step of the machine's clock: on SQLite embargoes and expiries go by it, and move with it."""
        offset = machine_offset()
        step = offset - self._offset
        if abs(step) > TOLERATED_MILLISECONDS:
            direction = "ahead" if step > 0 else "back"
            logger.warning(
                "the clock of this machine was set %s by %.1f s; let chrony slew it", direction, abs(step) / 1000
            )
        self._offset = offset


def machine_offset() -> int:
    """The machine's clock less the steady clock, in milliseconds: it changes only when the former is stepped."""
    return read_machine_clock() - read_steady_clock() // 1_000_000
