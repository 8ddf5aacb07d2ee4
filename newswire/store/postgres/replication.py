"""Synchronous replication: what NEWSWIRE_DURABILITY=replicated demands of PostgreSQL, and a bound on its commits.

With synchronous replication a commit waits until a standby has it, without an end if no standby is connected, and with
the row of the head locked. So a writing transaction is refused before it begins while there is none. A commit that
waits nevertheless is given up after `COMMIT_SECONDS`, and not cancelled: PostgreSQL would then show the transaction to
readers though no standby has it. The server goes on waiting, and the transaction may well be there later.
"""

import re
import select
import time
from threading import Lock
from typing import Any

from psycopg import OperationalError
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, Engine, event, text

from newswire.errors import Problem
from newswire.store.backend import DatabaseError, driver_connection

COMMIT_SECONDS = 10.0
CHECK_SECONDS = 0.1
"""How long an answer about the standbys is taken as true, so that a busy publisher asks ten times a second."""
STANDBYS = text(
    "SELECT current_setting('synchronous_standby_names') AS names, current_setting('synchronous_commit') AS level,"
    " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may_see,"
    " (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum'))"
    " AS connected"
)
NEEDED = re.compile(r"\s*(?:(?:FIRST|ANY)\s+)?([0-9]+)\s*\(", re.IGNORECASE)


def standbys_needed(names: str) -> int:
    """How many standbys `synchronous_standby_names` makes a commit wait for: 0 where it is empty."""
    found = NEEDED.match(names)
    return int(found[1]) if found else int(bool(names.strip()))


def check_replication(connection: Connection) -> None:
    """Raises `DatabaseError` where PostgreSQL does not replicate synchronously, or does not let us see it."""
    found = connection.execute(STANDBYS).one()
    if not standbys_needed(found.names):
        raise DatabaseError(
            "NEWSWIRE_DURABILITY=replicated, but PostgreSQL waits for no standby: set synchronous_standby_names, or"
            " synchronous_mode with Patroni; see 'How to survive a failover'."
        )
    if not found.may_see:
        raise DatabaseError(
            "NEWSWIRE_DURABILITY=replicated needs to see the standbys: GRANT pg_read_all_stats TO the role of Newswire."
        )


class ReplicationGuard:
    """Refuses transactions of an engine while no standby would confirm them, and bounds their commits."""

    def __init__(self, engine: Engine) -> None:
        self._lock = Lock()
        self._asked_at = -CHECK_SECONDS
        self._is_ready = False
        event.listen(engine, "begin", self._refuse_unreplicated)
        event.listen(engine, "commit", commit_in_time)

    def _refuse_unreplicated(self, connection: Connection) -> None:
        """Raises `unavailable`, with the first statement of the transaction, while too few standbys are connected."""
        if not connection.get_execution_options().get("newswire_write"):
            return
        with self._lock:
            is_fresh = time.monotonic() - self._asked_at < CHECK_SECONDS
        if not is_fresh:
            found = connection.execute(STANDBYS).one()
            with self._lock:
                self._is_ready = found.connected >= standbys_needed(found.names) > 0
                self._asked_at = time.monotonic()
        if not self._is_ready:
            raise Problem(
                "unavailable",
                "No standby of the database is connected, so that nothing can be stored safely now; try again.",
                headers={"Retry-After": "5"},
            )


def commit_in_time(connection: Connection) -> None:
    """Commits, or raises `unavailable` and closes the connection after `COMMIT_SECONDS`; SQLAlchemy then finds it done.

    It listens to the event before the commit. psycopg has no deadline for a statement, so COMMIT is sent through libpq.
    """
    driver: Any = driver_connection(connection)
    server, deadline = driver.pgconn, time.monotonic() + COMMIT_SECONDS
    if server.transaction_status == TransactionStatus.IDLE:
        return
    server.send_query(b"COMMIT")
    poll = select.poll()
    poll.register(server.socket, select.POLLIN)
    # The five bytes of a COMMIT fit into every socket's buffer, so flushing does not have to wait for it.
    server.flush()
    while server.is_busy():
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            driver.close()
            raise Problem(
                "unavailable",
                "No standby has confirmed this in time. It may have been stored: send it again, with the same"
                " Idempotency-Key or external_id, and it is stored once.",
                headers={"Retry-After": "5"},
            )
        server.consume_input()
    while (result := server.get_result()) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            raise OperationalError(result.error_message.decode("utf-8", "replace"))
