"""Timestamps: RFC 3339 text at the interfaces, whole milliseconds since 1970 in UTC everywhere else.

Only a view, a command or a round of the worker calls `now()`; all other code gets the time as an argument. It is the
machine's clock, or the clock of a database server once that was measured (`follow_clock`, decision 0025).
"""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_YEAR, LATEST_YEAR = 1800, 2200
EARLIEST = (datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
LATEST = (datetime(LATEST_YEAR + 1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
# RFC 3339, and what libraries make of ISO 8601: no seconds (Java's `OffsetDateTime`), a comma before the fraction, an
# offset without its colon (PHP, Superdesk) or its minutes (PostgreSQL), a blank before it (Ruby).
INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?:([Zz])| ?([+-])([0-9]{2})(?::?([0-9]{2}))?)"
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


# It goes on while the machine sleeps, which CLOCK_MONOTONIC does not. Only Linux has it.
STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
MILLISECOND = 1_000_000  # nanoseconds


class Anchor(NamedTuple):
    """A moment of another clock, in nanoseconds since 1970, and the reading of the steady clock at that moment."""

    moment: int
    steady: int


# Replaced as a whole, so that a thread never combines the halves of two anchors.
anchor: Anchor | None = None


def now() -> int:
    """The current time, in milliseconds since 1970.

    Once another clock is followed, it is that clock: neither a wrong clock of this machine nor a step of it counts.
    """
    followed = anchor
    if followed is None:
        return read_machine_clock()
    return (followed.moment + read_steady_clock() - followed.steady) // MILLISECOND


def follow_clock(moment: int, steady: int, uncertainty: int) -> None:
    """Makes `now()` follow another clock, which showed `moment` when the steady clock showed `steady`.

    All are in nanoseconds. What `now()` says already stays as long as the measurement does not contradict it, so that
    the noise of measurements moves no time.
    """
    global anchor
    followed = anchor or Anchor(time.time_ns(), read_steady_clock())
    expected = followed.moment + steady - followed.steady
    is_contradicted = abs(moment - expected) > uncertainty
    anchor = Anchor(moment if is_contradicted else expected, steady)


def machine_clock_error() -> int:
    """By how many milliseconds this machine's clock is ahead of `now()`; 0 while no other clock is followed."""
    return 0 if anchor is None else read_machine_clock() - now()


def read_machine_clock() -> int:
    """Milliseconds since 1970 by the clock of this machine, which may be wrong and may be stepped."""
    return time.time_ns() // MILLISECOND


def read_steady_clock() -> int:
    """Nanoseconds since an arbitrary moment, which no step of the machine's clock changes."""
    return time.clock_gettime_ns(STEADY_CLOCK)


def parse_instant(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 date-time, or a spelling that `INSTANT` allows.

    A leap second counts as the second after it; digits beyond the millisecond are dropped. Raises ValueError with a
    sentence for the sender.
    """
    found = INSTANT.fullmatch(text)
    if not found:
        raise ValueError(_describe_fault(text))
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, zulu, sign, offset_hours, offset_minutes = found.groups()[6:]
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError(f"The year must lie between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    # `datetime` has no second 60, so a leap second is parsed as 59 and one second is added to the result.
    leap = second == 60
    offset = timedelta()
    if not zulu:
        hours, minutes = int(offset_hours), int(offset_minutes or 0)
        if hours > 23 or minutes > 59:
            raise ValueError("The offset must lie between -23:59 and +23:59.")
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    try:
        local = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    except ValueError:
        raise ValueError("There is no such date or time of day.") from None
    milliseconds = int(((fraction or "") + "000")[:3])
    result = milliseconds_of(local - offset) + milliseconds + (1000 if leap else 0)
    if not EARLIEST <= result < LATEST:
        raise ValueError(f"The year, in UTC, must lie between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    return result


def _describe_fault(text: str) -> str:
    """The sentence for the sender of a text that is not a time with an offset."""
    if DATE.fullmatch(text):
        return f"Is a date without a time of day; send a time with an offset, such as {text}T00:00:00Z."
    if INSTANT.fullmatch(f"{text}Z"):
        # Which hour of the world it means cannot be guessed.
        return f"Has no offset from UTC; add Z for UTC, or an offset such as +02:00: {text}Z."
    return "Must be an RFC 3339 time with an offset, such as 2026-11-22T09:30:00Z."


def milliseconds_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def format_instant(milliseconds: int) -> str:
    """RFC 3339 in UTC with three decimals: 2026-11-22T09:30:00.000Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{format_whole_second(seconds)}.{rest:03d}Z"


@lru_cache(1000)
def format_whole_second(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()[:-6]


# The value of an embargo without an end: the article is withheld until its publisher releases it.
END_OF_TIME = format_instant(LATEST - 1)


def format_optional(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_instant(milliseconds)
