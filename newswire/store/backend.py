"""The interface of a database system, which `sqlite` and `postgres` implement.

Code above this package never asks which database system it runs on. It has a `Database`, whose `backend` was chosen
once from the URL, or a connection, from which `backend_of` gets the same object. A third database system needs one more
package with a subclass of `Backend`, one line in `database.create_backend`, and its counterpart in `newswire.search`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

BACKEND = "newswire_backend"
"""The execution option of a connection whose value is its `Backend`."""
BUSY_SECONDS = 30.0
"""How long a command waits for a lock before it fails. Requests wait for less: `Settings.wait_seconds`."""
CONNECT_SECONDS = 3
"""How long opening a connection may take."""
LEND_SECONDS = 2.0
"""How long a thread waits for a connection of a pool; then the request is refused as `unavailable`."""
IDLE_CLOSED_SECONDS = 60.0
"""The server closes a connection that was idle for so long, so that others can connect after a burst of requests."""
CONNECTION_MAX_AGE_SECONDS = 1800
"""Older connections are replaced when they leave the pool, because a firewall may have dropped them silently."""
MAX_LISTEN_SECONDS = 1.0
"""A `CommitListener` returns after this time at the latest, so that a lost notification only causes a delay."""

Errors = tuple[type[Exception], ...]
CommitListener = Callable[[], None]
"""Blocks until something may have been committed since its last call, or `MAX_LISTEN_SECONDS` have passed."""
ShowProgress = Callable[[str, str, int | None], AbstractContextManager[Callable[[int, int], None]]]
"""Progress display for a long task: takes its label, unit and total (None: unknown); yields a function for reports.

That function takes the number of units to show and the part of the total that is done.
"""


class DatabaseError(Exception):
    """A database that cannot be used. The text is one sentence for the operator, without secrets."""


class TableSize(NamedTuple):
    """The bytes on disk of a table: of its rows, of long values that are kept apart from these, and of its indexes."""

    name: str
    rows: int
    long_values: int
    indexes: int

    @property
    def total(self) -> int:
        return self.rows + self.long_values + self.indexes


class RestoreSteps(NamedTuple):
    """Functions of higher floors that a restore calls, because the store may not import them.

    `refuse_newer` raises `DatabaseError` for a schema that this code does not know. `upgrade` migrates the wire at a
    database URL and returns its previous schema, None if there is no wire. `rename_wire` is the SQL that gives the
    wire a new id. `say` prints one line for the operator.
    """

    refuse_newer: Callable[[str], None]
    upgrade: Callable[[str], str | None]
    rename_wire: str
    show_progress: ShowProgress
    say: Callable[[str], None]


class Backend(ABC):
    """A database. `driver` in the arguments of a method is a connection of the DBAPI driver."""

    name: ClassVar[str]
    """The scheme of its URL."""
    errors: ClassVar[Errors]
    """The base classes of all exceptions of the driver."""
    lost_errors: ClassVar[Errors]
    """Exceptions of the driver for a database that is lost, locked or out of reach."""
    replica_errors: ClassVar[Errors]
    """Exceptions of the driver for a statement that writes on a read-only replica."""
    upgrades_on_serve: ClassVar[bool]
    """Whether `newswire serve` may migrate: true if no other machine can run another release on this database."""
    pause_seconds: ClassVar[float]
    """How long a task of many transactions pauses between two, so that others who wait to write get their turn."""
    restores_over: ClassVar[bool]
    """Whether a restore can replace a database that is not empty, as one transaction."""
    restore_trust: ClassVar[str]
    """What a restore does with a backup that only its own operator should have made (end of a sentence)."""
    not_empty_advice: ClassVar[str]
    damaged_advice: ClassVar[str]
    """Advice for a restore into a database that is not empty (end of a sentence) or damaged (one more sentence)."""

    def __init__(self, url: URL) -> None:
        """Raises `DatabaseError` for a URL that cannot be right."""
        self.url = url
        self.lock_seconds = BUSY_SECONDS

    @property
    def damage_file(self) -> str | None:
        """The file that marks this database as damaged, where its processes share one; see `damage`."""
        return None

    @abstractmethod
    def is_damage(self, error: BaseException) -> bool:
        """Whether an exception of the driver says that stored data is damaged."""

    @abstractmethod
    def find_damage(self, connection: Connection, *, thorough: bool) -> str | None:
        """The first fault that the database system finds in its own files, in words; None if it finds none.

        `thorough` covers what can be checked only with the lock of a writer: `connection` must be one then.
        """

    @abstractmethod
    def create_engine(self, connections: int, answer_seconds: float | None = None) -> Engine:
        """The engine for writing and for schema changes, with a pool of at most `connections`.

        If the database system has a single write lock, transactions with the execution option `newswire_write` take it
        when they begin. The option `newswire_wait` bounds in seconds how long they wait for a lock; the default is
        `lock_seconds`.

        A statement fails, and its connection is closed, when a server has not answered it within `answer_seconds` and
        the time that it may wait for a lock; None means no deadline.
        """

    @abstractmethod
    def create_read_engine(self, connections: int, answer_seconds: float | None = None) -> Engine:
        """The engine for reading: autocommit, no reset on return, last in first out so that caches stay warm."""

    @abstractmethod
    def begin_snapshot(self, driver: Any) -> None:
        """Begins a read-only transaction whose statements all see the same snapshot."""

    begin_look: Callable[[Any], None] | None = None
    """Begins a read-only transaction whose statements each see what was committed before; None: none is needed."""

    @abstractmethod
    def cancel_query(self, driver: Any) -> None:
        """Makes the statement that another thread executes on this connection fail; a no-op if there is none."""

    @abstractmethod
    def write_turn(self, wait: float) -> AbstractContextManager[float]:
        """A lock between the writing threads of this process, where the database system has a single writer.

        It fails if another thread has the lock for longer than `wait` seconds, and yields what is left of them.
        """

    @abstractmethod
    def execute(self, driver: Any, sql: str, values: Any) -> Any:
        """Executes compiled SQL; returns the driver's cursor."""

    @abstractmethod
    def fetch_single_row(self, driver: Any, sql: str) -> tuple[Any, ...]:
        """The one row of a statement without values, outside of any transaction, as fast as the driver allows.

        The row may contain integers and texts only.
        """

    @abstractmethod
    def write_entries(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], newest: Mapping[int, int], chain: str, at: int
    ) -> None:
        """Inserts log entries; sets the newest entry of their articles, and the chain value and time of the head.

        No entry gets a time before that of the entry before it, whatever its row says: a clock may have been set back.
        `newest` maps article numbers to sequence numbers. Only `wire.append_entries` calls this; the head is locked.
        """

    @abstractmethod
    def notify_commit(self, connection: Connection) -> None:
        """Makes the commit of this transaction wake every `CommitListener`; a no-op if they see every commit anyway."""

    @abstractmethod
    def open_listener(self, engine: Engine, stop: Event) -> AbstractContextManager[CommitListener]:
        """A listener on a connection of its own, outside of the pool of `engine`.

        It may return early; if it polls, it also returns when `stop` is set.
        """

    @abstractmethod
    def lock_migrations(self, connection: Connection) -> None:
        """Takes the lock of migrations, after any other process. It ends with the transaction of `connection`."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether the database exists, as far as that can be known without connecting to it."""

    def find_exposure(self) -> str | None:
        """A warning if users of this machine who are no operators can read the database's files, else None."""
        return None

    def is_stale(self, info: Mapping[str, Any]) -> bool:
        """Whether the connection with this `info` has a database open in whose place another one was put since."""
        return False

    @abstractmethod
    def check_replication(self, connection: Connection) -> None:
        """Raises `DatabaseError` unless the database makes each commit wait until a standby has it."""

    @abstractmethod
    def guard_replication(self, engine: Engine) -> None:
        """Makes writing transactions of `engine` raise `unavailable` while no standby would confirm them."""

    @abstractmethod
    def is_replica(self, connection: Connection) -> bool:
        """Whether the server behind a connection follows another one, and may not yet have what that one has."""

    @abstractmethod
    def check_encoding(self, connection: Connection) -> None:
        """Raises `DatabaseError` unless the database stores Unicode text."""

    @abstractmethod
    def check_session(self, connection: Connection) -> None:
        """Raises `DatabaseError` if a session has not the settings that it was opened with."""

    @abstractmethod
    def check_listener(self) -> None:
        """Raises `DatabaseError` if no listener can be opened where notifications are to be heard."""

    def describe_failure(self, error: DBAPIError) -> str:
        """Why the database cannot be used: the first line of what the driver says, without a period."""
        return str(error.orig).strip().splitlines()[0].rstrip(".") if error.orig else str(error)

    @abstractmethod
    def connection_limit(self, connection: Connection) -> int | None:
        """How many connections the server accepts from us, all processes together; None if it has no such limit."""

    @abstractmethod
    def size_bytes(self, connection: Connection) -> int:
        """The size of the database on disk."""

    @abstractmethod
    def table_sizes(self, connection: Connection) -> Iterator[TableSize]:
        """The size of each table, the system's own among them, one after the other: it may take long to find out.

        Raises `DatabaseError` where the database system cannot tell.
        """

    @abstractmethod
    def refuse_copy_to(self, file: Path) -> None:
        """Raises `DatabaseError` if `file` is the database itself."""

    @abstractmethod
    def copy_out(self, connection: Connection, file: Path, show_progress: ShowProgress) -> None:
        """Copies the snapshot that `connection` sees into `file`. Other connections may write meanwhile."""

    @abstractmethod
    def copy_in(self, file: Path, steps: RestoreSteps) -> str:
        """Restores a copy made by `copy_out`, completely or not at all, under a new wire id; returns its schema.

        This process must have no connection to the database. Raises `DatabaseError`.
        """


def backend_of(connection: Connection) -> Backend:
    """The backend of the database of a connection."""
    backend: Backend = connection.get_execution_options()[BACKEND]
    return backend


def driver_connection(connection: Connection) -> Any:
    """The connection of the DBAPI driver under a connection of SQLAlchemy."""
    return connection.connection.dbapi_connection
