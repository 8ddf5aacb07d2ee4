"""Connections to PostgreSQL: how one is opened, how long it waits for an answer, and what is set in its session.

A server that is frozen (a paused virtual machine, a disk that does not return) still acknowledges every packet, so no
time-out of TCP or of the server itself ends the waiting: only a deadline of the client does.

Through a pooler in transaction mode, such as PgBouncer, each transaction may run in another session of the server. So
nothing of a session may be relied on: settings are set in each transaction, statements are not prepared, and neither
LISTEN nor session locks are used.
"""

import select
import time
from typing import Any

import psycopg
from psycopg.pq import Format, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import URL

from newswire.store.backend import BUSY_SECONDS, CONNECT_SECONDS, IDLE_CLOSED_SECONDS

# Sequential scans are off because every statement has an index. The planner would scan the table of the search index,
# which it takes for small, because it ignores the texts that are stored out of line: 28 ms for a search among 5,000
# articles.
SETTINGS = {
    "timezone": "UTC", "synchronous_commit": "on", "work_mem": "32MB", "enable_seqscan": "off",
    "idle_in_transaction_session_timeout": "120s",
}  # fmt: skip
MARK = "newswire.session"
"""A setting of our own. A session without it has lost the others too: a pooler stands in between."""
# A peer that has vanished (no FIN, no RST) is noticed after 25 seconds while we wait, and after 15 while we send.
TCP_OPTIONS = {
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000,
}  # fmt: skip


def connection_options(lock_seconds: float, *, pooler: bool) -> dict[str, Any]:
    """The arguments with which a connection is opened, through a pooler without any that belong to a session."""
    settings = SETTINGS | {
        "lock_timeout": milliseconds(lock_seconds), MARK: "on", "idle_session_timeout": f"{int(IDLE_CLOSED_SECONDS)}s",
    }  # fmt: skip
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    ours = {"prepare_threshold": None} if pooler else {"options": options}
    return {"connect_timeout": CONNECT_SECONDS, **TCP_OPTIONS, **ours}


def set_in_transaction(lock_seconds: float) -> str:
    """The statements that set for one transaction what else is set when a connection is opened."""
    settings = SETTINGS | {"lock_timeout": milliseconds(lock_seconds)}
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())


def milliseconds(seconds: float) -> int:
    """A time-out as PostgreSQL takes it, 1 at least: 0 would be none."""
    return max(int(seconds * 1000), 1)


def connect_directly(url: URL) -> "AnsweredConnection":
    """A connection to PostgreSQL itself, outside of any pool and pooler; the server does not close it when idle."""
    dialect: Any = url.get_dialect()
    _, address = dialect().create_connect_args(url)
    options = connection_options(BUSY_SECONDS, pooler=False)
    connection = AnsweredConnection.connect(autocommit=True, **{**address, **options})
    connection.answer_seconds = float(CONNECT_SECONDS)
    connection.execute("SET idle_session_timeout = 0")
    return connection


class AnsweredConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server does not answer a statement within `answer_seconds`.

    None means no deadline: migrations and the commands of an operator may take as long as they need.
    """

    answer_seconds: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Waits for the answer to a statement. Raises `psycopg.OperationalError` when the deadline has passed.

        psycopg waits by this method for every answer but those of `exec_single`.
        """
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # Still active: the deadline has passed. The answer may arrive later, when it would be taken for that to
            # the next statement, and even a ROLLBACK would wait as long.
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                failure = self.give_up()
                # Ctrl-C: psycopg had the statement cancelled, and the answer to that did not come either.
                raise (KeyboardInterrupt if isinstance(error.__context__, KeyboardInterrupt) else failure) from error
            raise

    def exec_single(self, name: bytes, seconds: float) -> PGresult:
        """Executes the prepared statement `name`, which has no parameters, and waits at most `seconds`.

        This takes 18 µs with the server's part; through psycopg's cursors it takes 40.
        """
        self.pgconn.send_query_prepared(name, None, None, result_format=Format.BINARY)
        return self._await_result(seconds)

    def prepare_single(self, name: bytes, sql: bytes, seconds: float) -> None:
        """Prepares a statement for `exec_single`."""
        self.pgconn.send_prepare(name, sql)
        self._await_result(seconds)

    def give_up(self) -> psycopg.OperationalError:
        """Closes the connection, and returns the error to raise."""
        self.close()
        return psycopg.OperationalError("PostgreSQL does not answer")

    def _await_result(self, seconds: float) -> PGresult:
        pgconn, deadline, poll = self.pgconn, time.monotonic() + seconds, select.poll()
        poll.register(pgconn.socket, select.POLLIN)
        while pgconn.is_busy():
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise self.give_up()
            pgconn.consume_input()
        result = pgconn.get_result()
        # libpq takes the next statement only after it has returned that there is no further result.
        while pgconn.get_result() is not None:
            pass
        assert result is not None
        return result
