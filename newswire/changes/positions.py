"""Positions in the log that name their history, and their verification against the log as it is now.

A number alone does not say which log was read: a database that lost its newest entries, at a failover or when a copy
was put back, gives their numbers out again to other entries. So a position carries the chain value of its entry, and is
refused where the log has another one at that number. Where the pages come from is in `page`, what a process does about
a log that has lost entries in `forks`.
"""

from typing import NamedTuple, Self

from sqlalchemy import Connection

from newswire import wire
from newswire.changes.rules import LogEntry
from newswire.errors import Problem

CHAIN_PATTERN = "([0-9a-fA-F]{16}|[0-9a-fA-F]{64})"
"""A chain value as a reader may send it: whole, or its first 16 digits, 64 bits, which no accident repeats."""
SHORT_DIGITS = 16


class LogPosition(NamedTuple):
    """The last sequence number that a reader has, its chain value, and the id of the wire that it was read from.

    `chain` and `wire` are None where the reader did not send them; `chain` may be the first digits only.
    """

    seq: int
    chain: str | None = None
    wire: str | None = None

    @property
    def short_chain(self) -> str:
        """The first digits of the chain value, for the ids of events."""
        return (self.chain or "")[:SHORT_DIGITS]

    def precedes(self, entry: LogEntry) -> bool:
        """Whether the chain value of `entry`, the next one, follows from this position; true without a chain value."""
        return self.chain is None or wire.chain_value(self.chain, entry.seq, entry.digest) == entry.chain

    def after_entry(self, entry: LogEntry) -> Self:
        return self._replace(seq=entry.seq, chain=entry.chain)


def verify_position(connection: Connection, head: wire.Head, position: LogPosition) -> LogPosition:
    """The position under today's id of the wire, its chain value whole if it had one; `head` is of this transaction.

    Raises `wire_changed` for another wire, `cursor_ahead` beyond the head, and `wire_forked` where the log has another
    chain value at that number. A former id of this wire is as good as today's where the chain value matches: whoever
    read no entry of the lost ones goes on.
    """
    is_current = position.wire in (None, head.wire)
    if not is_current and (position.chain is None or not wire.is_former_wire(connection, str(position.wire))):
        raise wire_changed_problem(position.wire, head)
    if is_current and position.seq > head.seq:
        # Perhaps this is a replica that lags, which cannot know whether the number will get the same entry.
        raise cursor_ahead_problem(position.seq, head)
    if position.chain is None:
        return position._replace(wire=head.wire)
    own = chain_at(connection, head, position.seq)
    if own is None or not own.startswith(position.chain.lower()):
        raise wire_forked_problem(position.seq, own)
    return LogPosition(position.seq, own, head.wire)


def complete_position(connection: Connection, head: wire.Head, position: LogPosition) -> LogPosition:
    """A verified position with the chain value of the log at its number, which it need not have named."""
    if position.chain is not None:
        return position
    return position._replace(chain=chain_at(connection, head, position.seq))


def chain_at(connection: Connection, head: wire.Head, seq: int) -> str | None:
    """The chain value at a number, None beyond the head; `head` is that of this transaction."""
    if seq >= head.seq:
        return head.chain if seq == head.seq else None
    return wire.read_chain(connection, seq)


def verify_continuation(position: LogPosition, entry: LogEntry | None, head: wire.Head) -> None:
    """Raises `wire_forked` unless the log continues from a position whose whole chain value is known.

    `entry` is the one behind the position, None where there is none up to `head`. It costs one hash and no statement,
    so every page of a stream is checked: the database may fail over between two of them.
    """
    if entry is not None and not position.precedes(entry):
        raise wire_forked_problem(position.seq, None)
    if entry is None and position.seq == head.seq and position.chain not in (None, head.chain):
        raise wire_forked_problem(position.seq, head.chain)


def cursor_ahead_problem(after: int, head: wire.Head) -> Problem:
    detail = (
        f"The newest entry is {head.seq}; {after} lies beyond it. If the wire was restored or has lost entries, begin"
        " again from the oldest; if this server only lags behind, ask again."
    )
    return Problem("cursor_ahead", detail, head=head.seq)


def wire_changed_problem(expected: str | None, head: wire.Head) -> Problem:
    """The problem of a position of another wire, such as this one before it was restored from a backup."""
    return Problem(
        "wire_changed",
        f"This is the wire {head.wire}, not {str(expected)[:100]!r}. What you hold of the other may be missing"
        " here: begin again with start=oldest.",
    )


def wire_forked_problem(seq: int, chain: str | None) -> Problem:
    """The problem of a position that was read in a history which this wire has lost; `chain` is its own value there."""
    return Problem(
        "wire_forked",
        f"You have read up to entry {seq} of a history that this wire has lost: its database went back to an earlier"
        " state, and gives those numbers to other entries. The newest entries that you hold do not exist here: go back"
        " to an earlier position whose chain value still matches, or begin again with start=oldest.",
        seq=seq,
        chain=chain,
    )
