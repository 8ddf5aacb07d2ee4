"""THE LOG: append, since, head, verify. Nothing else in the project changes the tables head and entry.

Why the order holds. The number of an entry comes from the one row of `head`, raised as the
last thing before the commit. Whoever raises it holds the lock on that row until it
commits, so the next number can only be given out after the previous one is visible: the
order of numbers is the order of commits, and a reader that has seen entry n will never
meet a smaller one that it has not seen. A rollback gives its numbers back, so there are
no gaps. (An identity column gives numbers out at the insert and shows them at the
commit; readers that poll lose what commits late.)

Each entry carries `chain`, a hash over the chain value before it, its number and the digest
of its content; so the last chain value vouches for the whole wire.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, Update, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from newswire.article import EntryType
from newswire.document import decode_stored, digest_of
from newswire.store.articles import AnyRow
from newswire.store.backend import Errors, backend_of
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.store.tables import entry, head, version
from newswire.timestamps import now as clock

GENESIS = "0" * 64
VERIFY_BATCH = 1000
T = TypeVar("T")


class Head(NamedTuple):
    """Where the wire stands: its id, the newest sequence number and chain value, the configuration revision.

    `changed_at` is when number or revision were raised, in milliseconds.
    """

    wire: str
    seq: int
    chain: str
    revision: int
    changed_at: int


def revision_of(head: Head) -> object:
    """The part of a head that an edit of a publisher, partner, key or feed changes, and a publication does not."""
    return head.wire, head.revision


class PerHead(Generic[T]):
    """A cache of one value, which holds as long as the head, or what `part` takes of it, stays the same.

    The value is replaced whole, never locked: two threads may make it at the same time, and either one is right.
    """

    __slots__ = ("_held", "_part")

    def __init__(self, part: Callable[[Head], object] = lambda head: head) -> None:
        self._part = part
        self._held: tuple[object, T] | None = None

    def get(self, head: Head) -> T | None:
        """The value at `head`; None when it is not known."""
        held = self._held
        return held[1] if held is not None and held[0] == self._part(head) else None

    def put(self, head: Head, value: T) -> T:
        """Keeps and returns the value at `head`, in place of the one at any other head."""
        self._held = self._part(head), value
        return value


POSITION = Statement(select(*(head.c[name] for name in Head._fields)))
RAISE = Statement(update(head).values(seq=head.c.seq + bindparam("entries")).returning(head.c.seq, head.c.chain))


class NewEntry(NamedTuple):
    """What is to be told: `number` and `version` name the content, `digest` is over it."""

    type: EntryType
    number: int
    version: int
    digest: str


class Verification(NamedTuple):
    """Entries walked; `broken` is the first one that is not as it was written, `reason` why; null when whole."""

    entries: int
    broken: int | None
    reason: str | None


def chain_value(chain: str, seq: int, digest: str) -> str:
    """The chain value of entry `seq`: SHA-256 of "CHAIN SEQ DIGEST", ASCII, one blank between, in hexadecimal."""
    return hashlib.sha256(f"{chain} {seq} {digest}".encode("ascii")).hexdigest()


def read_head(connection: Connection) -> Head:
    """The head as this transaction sees it."""
    return Head(*POSITION.execute(connection, {}).fetchone())


def read_committed_head(connection: Connection) -> Head:
    """The head as the last commit left it, at the least price; outside of any transaction."""
    return Head(*POSITION.fetch_single_row(connection))


def look_at_head(database: Database) -> Head | None:
    """The head as the last commit left it; None when the database is away.

    Every request asks for it first, at the price of one bare statement: it decides which cached page is fresh.
    """
    failures: Errors = (SQLAlchemyError, *database.backend.errors)
    try:
        with database.look() as connection:
            return read_committed_head(connection)
    except failures:
        return None


def read_at_one_head(database: Database, seen: Head | None, read: Callable[[Connection, Head], T]) -> T:
    """What `read` finds with one or more statements that all see the wire at the same head, which it is told.

    An optimistic read: the statements run outside of any transaction, on the assumption that the wire still stands
    at `seen`, and the head is compared behind them. When it moved meanwhile, or `seen` is None, `read` runs (again)
    in a reading transaction, which on PostgreSQL costs three more round trips. So `read` must have no effect that
    a second run does not replace. What is not on the wire, such as an embargoed article, changes without the head.
    """
    if seen is not None:
        with database.failures_as_problems(), database.look() as connection:
            found = read(connection, seen)
            if read_committed_head(connection) == seen:
                return found
    with database.read() as connection:
        return read(connection, read_head(connection))


def append_entries(connection: Connection, entries: Sequence[NewEntry], now: int) -> list[int]:
    """Appends `entries`, in order, points their articles at them, and returns their sequence numbers.

    Call it last before the commit.
    """
    if not entries:
        return []
    [(last, chain)] = RAISE.all(connection, {"entries": len(entries)})
    first = last - len(entries) + 1
    rows = []
    for seq, new in enumerate(entries, first):
        chain = chain_value(chain, seq, new.digest)
        rows.append({"seq": seq, "at": now, "chain": chain, **new._asdict()})
    # Of an article that is told of twice the later entry counts.
    newest = {row["number"]: row["seq"] for row in rows}
    # By the clock of this moment: the head is locked, so it is the order of the commits, as `now` may not be.
    backend_of(connection).write_entries(connection, rows, newest, chain, clock())
    return list(range(first, last + 1))


def bump_revision(connection: Connection) -> None:
    """Notes that a publisher, partner, key or feed was edited, so that no kept page outlives the edit."""
    connection.execute(update(head).values(revision=head.c.revision + 1))
    # The time is taken once the head is locked, for which the first statement may have waited long.
    connection.execute(update(head).values(changed_at=clock()))
    backend_of(connection).notify_commit(connection)


def new_wire_statement() -> Update:
    """The change that gives a restored wire a new id, so that whoever read the old one is told.

    What the old one told after its backup is not in the log, and its numbers are given out again.
    """
    return update(head).values(wire=str(uuid4()), revision=head.c.revision + 1)


def read_entries(connection: Connection, after: int, limit: int) -> Sequence[AnyRow]:
    """Up to `limit` entries with a number above `after`, in order: seq, type, at, number, version, digest, chain."""
    return connection.execute(select(entry).where(entry.c.seq > after).order_by(entry.c.seq).limit(limit)).all()


def verify_log(connection: Connection, progress: Callable[[int], None] = lambda seq: None) -> Verification:
    """Walks the whole log and holds numbers, chain, digests and stored content against each other."""
    chain, walked = GENESIS, 0
    for row in stored_entries(connection):
        reason = entry_fault(row, walked + 1, chain)
        if reason:
            return Verification(walked, walked + 1 if row.seq > walked + 1 else row.seq, reason)
        chain, walked = row.chain, row.seq
        if walked % VERIFY_BATCH == 0:
            progress(walked)
    stands = read_head(connection)
    if stands.seq != walked:
        return Verification(walked, walked + 1, f"the head stands at {stands.seq}, the log ends at {walked}")
    if stands.chain != chain:
        return Verification(walked, walked, "the chain value of the head is not that of the last entry")
    return Verification(walked, None, None)


def stored_entries(connection: Connection) -> Iterator[AnyRow]:
    """Every entry with the content it tells of, in batches, so that memory does not grow with the wire."""
    query = (
        select(
            entry.c.seq,
            entry.c.digest,
            entry.c.chain,
            version.c.digest.label("stored"),
            version.c.rendered,
            version.c.body,
        )
        .outerjoin(version, (version.c.number == entry.c.number) & (version.c.version == entry.c.version))
        .order_by(entry.c.seq)
        .limit(VERIFY_BATCH)
    )
    after = 0
    while rows := connection.execute(query.where(entry.c.seq > after)).all():
        yield from rows
        after = rows[-1].seq


def is_intact(row: AnyRow) -> bool:
    try:
        return bool(digest_of(decode_stored(row.rendered, row.body)) == row.digest)
    except (ValueError, TypeError, LookupError, AttributeError):
        return False


def entry_fault(row: AnyRow, expected: int, chain: str) -> str | None:
    """Why this entry is not as it was written, or None."""
    if row.seq != expected:
        return f"entry {expected} is missing"
    if row.stored is None:
        return "its content is missing"
    if row.stored != row.digest or not is_intact(row):
        return "its content was altered"
    if chain_value(chain, row.seq, row.digest) != row.chain:
        return "its chain value does not follow from the entry before it"
    return None
