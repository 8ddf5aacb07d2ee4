"""The seam between Newswire and a database system: what `sqlite` and `postgres` each provide.

Code above this package never asks which database system it runs on. It has a `Database`, whose `backend` was chosen
once from the URL, or a connection, from which `backend_of` takes the same object. A third database system is one
more package with a subclass of `Backend`, one line in `database.create_backend`, and its twin in `newswire.search`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import URL, Connection, Engine

BACKEND = "newswire_backend"
"""The execution option of every connection that holds its backend."""
BUSY_SECONDS = 30.0
"""How long a statement waits for a lock before the database counts as too busy."""
CONNECTION_MAX_AGE_SECONDS = 1800
"""Older connections are replaced when they are taken: a firewall may have forgotten them without saying so."""
MAX_LISTEN_SECONDS = 1.0
"""A `CommitListener` returns after this time at the latest, even if a notification was lost."""

Errors = tuple[type[Exception], ...]
CommitListener = Callable[[], None]
"""Blocks until something may have been committed since its last call, or `MAX_LISTEN_SECONDS` have passed."""
ShowProgress = Callable[[str, str, int | None], AbstractContextManager[Callable[[int, int], None]]]
"""Label, unit and total (None: unknown) of a long task; gives a function that takes the count and the part done."""


class DatabaseError(Exception):
    """The database cannot be used; the text is one sentence for the operator, without secrets."""


class RestoreSteps(NamedTuple):
    """What a restore needs from the floors above the store.

    `refuse_newer` raises `DatabaseError` for a schema that this code does not know. `upgrade` migrates the wire at a
    database URL and returns the schema that it had, None if there is no wire. `rename_wire` is the SQL that gives the
    wire a new id. `say` tells the operator one line.
    """

    refuse_newer: Callable[[str], None]
    upgrade: Callable[[str], str | None]
    rename_wire: str
    show_progress: ShowProgress
    say: Callable[[str], None]


class Backend(ABC):
    """One database of one database system. Methods that take `driver` want the connection of the DBAPI driver."""

    name: ClassVar[str]
    """As in a database URL."""
    errors: ClassVar[Errors]
    """Everything that the driver raises."""
    lost_errors: ClassVar[Errors]
    """What it raises when the database is lost, locked or out of reach."""
    replica_errors: ClassVar[Errors]
    """What a read-only replica raises for a statement that writes."""
    upgrades_on_serve: ClassVar[bool]
    """Whether `newswire serve` may migrate: true where no other machine can be running another version meanwhile."""
    pause_seconds: ClassVar[float]
    """How long a task of many transactions pauses between two, so that others who wait to write get their turn."""
    restores_over: ClassVar[bool]
    """Whether a restore can replace a database that is not empty, as one transaction."""
    not_empty_advice: ClassVar[str]
    damaged_advice: ClassVar[str]
    """What an operator can do about a restore into such a database: the end of a sentence, and one more sentence."""

    def __init__(self, url: URL) -> None:
        """Raises `DatabaseError` for a URL that cannot be meant."""
        self.url = url

    @abstractmethod
    def create_engine(self, connections: int) -> Engine:
        """The engine for writing and for schema work, with a pool of at most so many connections.

        The execution option `newswire_write` makes its transactions take the write lock when they begin, where there
        is only one; with `newswire_patient=False` they fail at once instead of waiting for it.
        """

    @abstractmethod
    def create_read_engine(self, connections: int) -> Engine:
        """The engine for readings: autocommit, no reset when a connection is returned, the last one is reused first."""

    @abstractmethod
    def begin_snapshot(self, driver: Any) -> None:
        """Begins a transaction that reads and whose statements all see the same state."""

    @abstractmethod
    def write_turn(self, *, patient: bool) -> AbstractContextManager[None]:
        """The right of this process's threads to write, one after the other where the database system wants that."""

    @abstractmethod
    def execute(self, driver: Any, sql: str, values: Any) -> Any:
        """Executes compiled SQL; returns the driver's cursor."""

    @abstractmethod
    def fetch_single_row(self, driver: Any, sql: str) -> tuple[Any, ...]:
        """The one row of a statement without values, outside of any transaction, at the least cost.

        The row may hold whole numbers and texts only.
        """

    @abstractmethod
    def write_entries(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], newest: Mapping[int, int], chain: str, at: int
    ) -> None:
        """Stores log entries, points articles (number to sequence number) at them, sets the head's chain and time.

        Called by `wire.append` only, while the head's row is locked.
        """

    @abstractmethod
    def notify_commit(self, connection: Connection) -> None:
        """Wakes every `CommitListener` when this transaction commits, where listeners would not see that anyway."""

    @abstractmethod
    def create_listener(self, driver: Any, stop: Event) -> CommitListener:
        """A listener on a connection of its own. It may return early; where it can, it returns when `stop` is set."""

    @abstractmethod
    def lock_migrations(self, connection: Connection) -> None:
        """Waits until no other process migrates; the lock ends with the connection or its transaction."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a database that can be connected to, as far as one can know without connecting."""

    @abstractmethod
    def check_encoding(self, connection: Connection) -> None:
        """Raises `DatabaseError` unless the database can hold every letter of every language."""

    @abstractmethod
    def size_bytes(self, connection: Connection) -> int:
        """What the database takes on the disk."""

    @abstractmethod
    def refuse_copy_to(self, file: Path) -> None:
        """Raises `DatabaseError` if `file` is the database itself."""

    @abstractmethod
    def copy_out(self, connection: Connection, file: Path, show_progress: ShowProgress) -> None:
        """Copies the database into `file`, as `connection`, a snapshot, sees it. Others may write meanwhile."""

    @abstractmethod
    def copy_in(self, file: Path, steps: RestoreSteps) -> str:
        """Restores what `copy_out` wrote, wholly or not at all, under a new wire id; returns the schema that it had.

        Nothing of this process may be connected to the database. Raises `DatabaseError`.
        """


def backend_of(connection: Connection) -> Backend:
    """The backend of the database that a connection is to."""
    backend: Backend = connection.get_execution_options()[BACKEND]
    return backend


def driver_connection(connection: Connection) -> Any:
    """The connection of the DBAPI driver inside one of SQLAlchemy's."""
    return connection.connection.dbapi_connection
