"""The discovery of a fork: a process remembers the log as it saw it, and notices that the database has lost a part.

After a failover to a standby that lagged, or when an older copy is put back, the log ends earlier, or continues with
other entries under the numbers of the lost ones. A reader whose position has a chain value is stopped by that alone
(`positions`). For the others the wire then takes a new id, so that a position under the former one is refused unless
its chain value matches. What a process remembers lasts as long as it runs; the worker runs always.
"""

import logging
import threading
import time

from sqlalchemy import Connection

from newswire import wire
from newswire.errors import Problem
from newswire.store.database import Database
from newswire.timestamps import format_instant, now

logger = logging.getLogger("newswire.forks")

MOST_IDS = 16
"""Ids of the wire whose heads are remembered. A failover can bring back a former id, if the renewal itself was lost."""
RETRY_SECONDS = 1.0
"""The pause after a renewal that failed, for example because this process reads a replica and can write nothing."""
WARNED_MILLISECONDS = 7 * 24 * 3_600_000
"""How long `/readyz` names a fork."""
LOST = (
    "the wire has lost entries: where this process had seen entry %d, the database has another one or none, as after a"
    " failover to a standby that lagged. The wire %s is %s from now on; see 'How to survive a failover'"
)


class HistoryMemory:
    """The furthest head that this process has seen, for each id of the wire; `newest` is the one admitted last."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._furthest: dict[str, wire.Head] = {}
        self.newest: wire.Head | None = None
        self._forked: str | None = None
        self._retry_at = 0.0

    def look(self) -> wire.Head | None:
        """The head after the last commit, admitted; None while the database is unavailable."""
        return self.admit(wire.look_at_head(self.database))

    def admit(self, head: wire.Head | None) -> wire.Head | None:
        """`head`, if the log still holds what this process has seen of it; else the head under the new id.

        It costs one look-up of the primary key when the head has moved, and nothing when it has not.
        """
        if head is None or head == self.newest:
            return head
        known = self._furthest.get(head.wire)
        try:
            with self.database.failures_as_problems():
                if known is None or self._holds(known):
                    self.remember(head)
                    return head
                self._forked = head.wire
                if time.monotonic() < self._retry_at:
                    return head
                self._renew(known)
        except Problem as problem:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            logger.error("the wire cannot take a new id now: %s", problem.detail)
            return head
        found = wire.look_at_head(self.database)
        if found is not None:
            self.remember(found)
        return found

    def remember(self, head: wire.Head) -> None:
        """Remembers a head that follows from what this process has seen."""
        with self._lock:
            known = self._furthest.get(head.wire)
            if known is None or head.seq >= known.seq:
                # Anew, so that the ids are in the order in which they were last seen.
                self._furthest.pop(head.wire, None)
                self._furthest[head.wire] = head
            while len(self._furthest) > MOST_IDS:
                del self._furthest[next(iter(self._furthest))]
            self.newest, self._forked = head, None

    def refuse_forked(self, head: wire.Head) -> None:
        """Raises `unavailable` while the log is known to have lost entries and has no new id yet.

        This process may be unable to write, as on a replica; then another one renews the id.
        """
        if head.wire == self._forked:
            detail = "The wire has lost entries, and is about to take a new id; ask again."
            raise Problem("unavailable", detail, headers={"Retry-After": "1"})

    def _holds(self, known: wire.Head) -> bool:
        """Whether the log holds the entry at which `known` stood, or may yet receive it: a replica that lags will.

        The look-up comes after `known` was seen, so that a head which another thread read earlier proves nothing.
        """
        with self.database.look() as connection:
            found = wire.read_chain(connection, known.seq)
            return found == known.chain or (found is None and self.database.backend.is_replica(connection))

    def _renew(self, known: wire.Head) -> None:
        """Gives the wire a new id, unless another process has done so; raises `Problem` where that is impossible."""
        try:
            new = self._write_new_id(known)
        except Problem:
            # What broke the connections for reading has broken those for writing too. After the first failure
            # SQLAlchemy replaces them all.
            new = self._write_new_id(known)
        if new is not None:
            logger.critical(LOST, known.seq, known.wire, new, extra={"lost_seq": known.seq, "lost_chain": known.chain})

    def _write_new_id(self, known: wire.Head) -> str | None:
        with self.database.begin() as connection:
            return wire.renew_wire(connection, known, "fork", now())


def fork_warning(connection: Connection, moment: int) -> str | None:
    """The sentence for `/readyz` about a fork that was found in the last seven days; None without one."""
    found = wire.last_fork(connection)
    if found is None or found.ended_at < moment - WARNED_MILLISECONDS:
        return None
    return (
        f"At {format_instant(found.ended_at)} the wire was found to have lost entries that had been read, and took a"
        f" new id in place of {found.wire}; see 'How to survive a failover'."
    )
