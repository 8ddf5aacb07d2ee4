"""The append-only log and its head: append, read, verify. No other module writes to the tables head and entry.

Sequence numbers follow the order of commits, without gaps. They come from the one row of `head`, which a transaction
updates at its end, after every other lock. It keeps the lock on that row until the commit, so the next number is
assigned only after the previous one is visible: a reader that has seen entry n never meets an unseen smaller one.
(On SQLite the whole transaction holds the one write lock.)
A rollback returns its numbers. (An identity column was refused: it assigns numbers at the insert and shows them at the
commit, so a polling reader loses entries that commit late; decision 0001.)

Each entry carries `chain`, a hash over the previous chain value, its own number and the digest of its content. So the
last chain value covers the whole wire, and a number with its chain value names one history: a database that lost its
newest entries gives their numbers out again, but never with the same chain values. Delivery of entries to readers is in
`changes`; what a process does when the log has lost entries is in `changes.forks`.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, Update, bindparam, exists, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from newswire.article import EntryType
from newswire.document import decode_stored, digest_of
from newswire.store.articles import AnyRow
from newswire.store.backend import Errors, backend_of
from newswire.store.database import Database
from newswire.store.query_watch import QueryLimit
from newswire.store.statements import Statement
from newswire.store.tables import entry, former_wire, head, version
from newswire.timestamps import format_instant
from newswire.timestamps import now as clock

GENESIS = "0" * 64
VERIFY_BATCH = 1000
MAX_AHEAD = 3_600_000
"""Milliseconds by which the newest entry may be ahead of the clock before that is a fault of a clock."""
T = TypeVar("T")


class Head(NamedTuple):
    """The state of the log: the id of the wire, the newest sequence number and chain value, the configuration revision.

    `changed_at` is the time of the last change of number or revision, in milliseconds since 1970.
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
    """A cache of one value, valid while the head, or the part of it that `part` selects, stays the same.

    There is no lock: two threads may compute the value at the same time, both results are correct, and key and value
    are replaced together as one tuple.
    """

    __slots__ = ("_cached", "_part")

    def __init__(self, part: Callable[[Head], object] = lambda head: head) -> None:
        self._part = part
        self._cached: tuple[object, T] | None = None

    def get(self, head: Head) -> T | None:
        """The cached value at `head`; None when there is none."""
        # Read once: another thread may replace the tuple between two reads.
        cached = self._cached
        return cached[1] if cached is not None and cached[0] == self._part(head) else None

    def put(self, head: Head, value: T) -> T:
        """Caches the value at `head` in place of the previous one, and returns it."""
        self._cached = self._part(head), value
        return value


POSITION = Statement(select(*(head.c[name] for name in Head._fields)))
CHAIN = Statement(select(entry.c.chain).where(entry.c.seq == bindparam("seq")))
BEFORE = entry.alias()
# Times never fall along the log, so this walks back over the entries of the same time only.
RANKS = select(
    entry.c.seq,
    select(BEFORE.c.seq).where(BEFORE.c.seq < entry.c.seq, BEFORE.c.at < entry.c.at)
    .order_by(BEFORE.c.seq.desc()).limit(1).scalar_subquery().label("before"),
)  # fmt: skip
FORMER = Statement(select(former_wire.c.wire).where(former_wire.c.wire == bindparam("wire")))
RAISE = Statement(update(head).values(seq=head.c.seq + bindparam("entries")).returning(head.c.seq, head.c.chain))


class NewEntry(NamedTuple):
    """An entry to append: `number` and `version` identify the article version, `digest` is that of its content."""

    type: EntryType
    number: int
    version: int
    digest: str


class Verification(NamedTuple):
    """The number of valid entries; the first invalid one in `broken` and its fault in `reason`, or None."""

    entries: int
    broken: int | None
    reason: str | None


def chain_value(chain: str, seq: int, digest: str) -> str:
    """The chain value of entry `seq`: SHA-256 of "CHAIN SEQ DIGEST", ASCII, one blank between, in hexadecimal."""
    return hashlib.sha256(f"{chain} {seq} {digest}".encode("ascii")).hexdigest()


def read_head(connection: Connection) -> Head:
    """The head in the snapshot of this transaction."""
    return Head(*POSITION.execute(connection, {}).fetchone())


def read_committed_head(connection: Connection) -> Head:
    """The head after the last commit, by one bare statement outside of any transaction."""
    return Head(*POSITION.fetch_single_row(connection))


def read_chain(connection: Connection, seq: int) -> str | None:
    """The chain value of entry `seq`, by one look-up of the primary key; of 0 the 64 zeros; None without that entry."""
    if seq == 0:
        return GENESIS
    found = CHAIN.all(connection, {"seq": seq})
    return found[0].chain if found else None


def read_ranks(connection: Connection, numbers: Collection[int]) -> dict[int, int]:
    """The position of each of these entries among those of the same time, from 0: those of one batch have one time."""
    rows = connection.execute(RANKS.where(entry.c.seq.in_(numbers))) if numbers else ()
    return {row.seq: row.seq - 1 - (row.before or 0) for row in rows}


def is_former_wire(connection: Connection, wire: str) -> bool:
    """Whether the wire had this id once (`renew_wire`)."""
    return bool(FORMER.all(connection, {"wire": wire}))


def look_at_head(database: Database) -> Head | None:
    """The head after the last commit; None when the database is unavailable.

    Every request reads it first, because it decides which cached pages are fresh. Requests that ask at the same time
    share one statement, which begins after the last of them has asked.
    """
    if database.damage.is_set():
        return None
    failures: Errors = (SQLAlchemyError, *database.backend.errors)
    try:
        return database.look_once(read_committed_head)
    except failures:
        return None


def read_at_one_head(
    database: Database, seen: Head | None, read: Callable[[Connection, Head], T], limit: QueryLimit | None = None
) -> T:
    """An optimistic read: the result of `read(connection, head)`, whose statements all see the wire at that head.

    The statements run outside of any transaction, on the assumption that the head is still `seen`, and the head is
    compared afterwards. If it has moved, or `seen` is None, `read` runs (again) in a reading transaction, which costs
    three more round trips on PostgreSQL. So a second run of `read` must replace every effect of the first.
    The head does not cover what is not on the wire: an embargoed article changes without it.
    """
    if seen is not None:
        with database.failures_as_problems(), database.look(limit) as connection:
            found = read(connection, seen)
            if read_committed_head(connection) == seen:
                return found
    with database.read(limit) as connection:
        return read(connection, read_head(connection))


def append_entries(connection: Connection, entries: Sequence[NewEntry], now: int) -> list[int]:
    """Appends `entries` in order, sets `seq` of their articles, and returns the new sequence numbers.

    Their time is `now`, or that of the entry before them if it is later: no entry is older than the one before it, even
    if a clock was set back, so the entries since a time follow one number (`GET /v1/changes?start=`).
    Call it at the end of the transaction, after every other lock: all other writers wait for the head, which it locks.
    """
    if not entries:
        return []
    [(last, chain)] = RAISE.all(connection, {"entries": len(entries)})
    first = last - len(entries) + 1
    rows = []
    for seq, new in enumerate(entries, first):
        chain = chain_value(chain, seq, new.digest)
        rows.append({"seq": seq, "at": now, "chain": chain, **new._asdict()})
    # An article may have two entries in one batch; its row refers to the later one.
    newest = {row["number"]: row["seq"] for row in rows}
    # `changed_at` is read from the clock while the head is locked, so it follows the order of commits; `now` was taken
    # before this transaction waited for the lock.
    backend_of(connection).write_entries(connection, rows, newest, chain, clock())
    return list(range(first, last + 1))


def check_newest_entry(connection: Connection, now: int) -> str | None:
    """Returns a warning if the newest entry is dated more than `MAX_AHEAD` after `now` (milliseconds), else None."""
    at = connection.scalar(select(entry.c.at).order_by(entry.c.seq.desc()).limit(1))
    if at is None or at <= now + MAX_AHEAD:
        return None
    return (
        f"The newest entry of the wire is dated {format_instant(at)}, {(at - now) / 3_600_000:.1f} hours ahead of the"
        " clock: the clock was wrong when it was written, or is wrong now. No entry gets an earlier time until then."
    )


def bump_revision(connection: Connection) -> None:
    """Raises the configuration revision after an edit of a publisher, partner, key or feed, so cached pages expire."""
    connection.execute(update(head).values(revision=head.c.revision + 1))
    # A second statement, so that the clock is read with the head locked; the first one may have waited long for it.
    connection.execute(update(head).values(changed_at=clock()))
    backend_of(connection).notify_commit(connection)


def lock_head(connection: Connection) -> None:
    """Locks the head row until the end of the transaction, as every entry and every edit does, and changes nothing."""
    connection.execute(update(head).values(seq=head.c.seq))


def new_wire_statement() -> Update:
    """The update that gives a restored wire a new id, by which its readers notice that their cursors are void.

    Entries written after the backup are lost, and their numbers are assigned again to other entries.
    """
    return update(head).values(wire=str(uuid4()), revision=head.c.revision + 1)


def renew_wire(connection: Connection, known: Head, reason: str, now: int) -> str | None:
    """Gives the wire a new id and keeps the former one; returns the new id, None where there is nothing to do.

    It compares and sets: of several processes that come with the same `known` id one succeeds. With the reason "fork"
    it also requires that the log does not hold the entry at which `known` stood. The comparison is made here, in the
    transaction that writes, so that neither a stale read nor a replica that lags can cause a new id.
    """
    new = str(uuid4())
    renewal = update(head).where(head.c.wire == known.wire).values(wire=new).returning(head.c.seq, head.c.chain)
    if reason == "fork":
        renewal = renewal.where(~exists().where(entry.c.seq == known.seq, entry.c.chain == known.chain))
    ended = connection.execute(renewal).one_or_none()
    if ended is None:
        return None
    values = {"wire": known.wire, "seq": ended.seq, "chain": ended.chain, "ended_at": now, "reason": reason}
    connection.execute(insert(former_wire).values(values))
    bump_revision(connection)
    return new


def last_fork(connection: Connection) -> AnyRow | None:
    """The row of `former_wire` for the newest fork that was found, or None."""
    forks = select(former_wire).where(former_wire.c.reason == "fork").order_by(former_wire.c.ended_at.desc())
    return connection.execute(forks.limit(1)).one_or_none()


def read_entries(connection: Connection, after: int, limit: int) -> Sequence[AnyRow]:
    """Up to `limit` entries with a number above `after`, in order: seq, type, at, number, version, digest, chain."""
    return connection.execute(select(entry).where(entry.c.seq > after).order_by(entry.c.seq).limit(limit)).all()


def verify_log(connection: Connection, progress: Callable[[int], None] = lambda seq: None) -> Verification:
    """Verifies the whole log: numbers without gaps, the chain, and each digest against the stored content."""
    chain, walked = GENESIS, 0
    for row in stored_entries(connection):
        reason = entry_fault(row, walked + 1, chain)
        if reason:
            return Verification(walked, walked + 1 if row.seq > walked + 1 else row.seq, reason)
        chain, walked = row.chain, row.seq
        if walked % VERIFY_BATCH == 0:
            progress(walked)
    newest = read_head(connection)
    if newest.seq != walked:
        return Verification(walked, walked + 1, f"the head stands at {newest.seq}, the log ends at {walked}")
    if newest.chain != chain:
        return Verification(walked, walked, "the chain value of the head is not that of the last entry")
    return Verification(walked, None, None)


def stored_entries(connection: Connection) -> Iterator[AnyRow]:
    """Every entry with its stored content, in batches, so that memory does not grow with the log."""
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
    """Whether the stored bytes have the digest of their entry; bytes that cannot be decoded do not."""
    try:
        return bool(digest_of(decode_stored(row.rendered, row.body)) == row.digest)
    except (ValueError, TypeError, LookupError, AttributeError):
        return False


def entry_fault(row: AnyRow, expected: int, chain: str) -> str | None:
    """The reason why an entry is invalid, or None; `chain` is the chain value of the entry before it."""
    if row.seq != expected:
        return f"entry {expected} is missing"
    if row.stored is None:
        return "its content is missing"
    if row.stored != row.digest or not is_intact(row):
        return "its content was altered"
    if chain_value(chain, row.seq, row.digest) != row.chain:
        return "its chain value does not follow from the entry before it"
    return None
