"""Pages of the log for one reader, read from the database, and the log position that belongs to a time.

`rules` decides which entries are delivered, `follow` waits for entries that do not exist yet, `content` encodes them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, exists, func, literal_column, select

from newswire import wire
from newswire.article import EntryType
from newswire.changes.content import TOLD, DeliveredEntry, load_contents, read_content
from newswire.changes.positions import LogPosition, complete_position, cursor_ahead_problem, verify_continuation
from newswire.changes.rules import LogEntry, Matcher, Reader, event_type_for, is_readable
from newswire.document import PAGE_BYTES
from newswire.store.articles import (
    AnyRow,
    FormerTerms,
    Past,
    as_terms,
    load_terms,
    read_former_terms,
    short_terms,
    told_before,
    with_former_terms,
)
from newswire.store.statements import Statement
from newswire.store.tables import article, entry, former_terms, version
from newswire.visibility import AccessRule, Standing

MOST_SCANNED = 5000
MOST_LOOKED_INTO = 1000
MATCHING_SECONDS = 1.0
"""After this time a page ends with what was scanned, so that no query is too slow for the log."""
CHUNK = 500
KILLS_AT_ONCE = 20
"""Kills whose earlier versions are in memory together: the terms of one version can take a megabyte there."""
TERM_MEMORY = 5
"""Bytes that a character of terms takes once they are a set of words: measured 1.5 to 5."""
DISORDER = 120_000
"""The most by which the time of an entry may precede that of an earlier entry, in milliseconds, in an old log.

Since `wire.append_entries` raises the time of an entry to that of the one before it, times are in order. Older versions
took it before the transaction waited for locks and for its commit, each for 30 seconds at most; the rest allowed for
clocks of several servers that disagreed.
"""


class Changes(NamedTuple):
    """A page of the log: `next` is the position of the last entry scanned, whether or not it was delivered.

    `until` is the first expiry of an article in it, in milliseconds since 1970: from then on the page is another one.
    """

    entries: list[DeliveredEntry]
    next: LogPosition
    has_more: bool
    head: wire.Head

    @property
    def until(self) -> int | None:
        expiries = [entry.expires_at for entry in self.entries if entry.readable]
        return min((each for each in expiries if each is not None), default=None)


def changes_page(
    connection: Connection, reader: Reader, head: wire.Head, position: LogPosition, limit: int, now: int,
    until: int | None = None, most_bytes: int = PAGE_BYTES,
) -> Changes:  # fmt: skip
    """At most `limit` entries after the position, none after `until`; raises `cursor_ahead` for one beyond the head.

    `head` is that of this transaction. The cost of a page is bounded (entries scanned, versions decoded, time, bytes):
    at a bound it ends early, possibly empty, and `next` still moves on. A position with a chain value is one that was
    verified before: raises `wire_forked` if the log does not continue from it any more.
    """
    end = head.seq if until is None else until
    for number in (position.seq, end):
        # The end too: after a failover the log may end before the entry that a stream wanted to reach.
        if number > head.seq:
            raise cursor_ahead_problem(number, head)
    rule = reader.visibility.rule_at(now)
    matcher = Matcher(reader, lambda number, past: read_content(connection, number, past))
    items = islice(scan_entries(connection, position.seq, end, limit, bare=reader.gets_everything), MOST_SCANNED)
    delivered, reached = select_entries(
        items, position, head, limit, matcher, rule, lambda item: item.standing, most_bytes
    )
    # Content is loaded last, so that it is read for delivered entries only. A kill needs it for its reason.
    wanted = [entry.item for entry in delivered if entry.readable or entry.type == EntryType.CANCELED]
    load_contents(connection, wanted)
    return Changes(delivered, complete_position(connection, head, reached), reached.seq < end, head)


def select_entries(
    items: Iterable[LogEntry], position: LogPosition, head: wire.Head, limit: int, matcher: Matcher, rule: AccessRule,
    standing_of: Callable[[LogEntry], Standing], most_bytes: int,
) -> tuple[list[DeliveredEntry], LogPosition]:  # fmt: skip
    """The entries among `items` that the reader gets, and the position of the last one scanned.

    `items` follow the position; raises `wire_forked` if their chain values do not. It ends at `limit` entries,
    `most_bytes`, `MOST_LOOKED_INTO` or `MATCHING_SECONDS`, but not before the first entry, so that a reader always
    moves on.
    """
    delivered: list[DeliveredEntry] = []
    last: LogEntry | None = None
    size, end = 0, time.monotonic() + MATCHING_SECONDS
    for item in items:
        if last is None:
            verify_continuation(position, item, head)
        last = item
        kind = event_type_for(item, matcher)
        if kind is not None:
            standing = standing_of(item)
            delivered.append(DeliveredEntry(kind, item, is_readable(item, standing, kind, rule), standing.expires_at))
            size += item.size
        if len(delivered) == limit or size >= most_bytes or matcher.looked >= MOST_LOOKED_INTO:
            break
        if time.monotonic() >= end:
            break
    if last is None:
        verify_continuation(position, None, head)
        return delivered, position._replace(wire=head.wire)
    return delivered, LogPosition(last.seq, last.chain, head.wire)


def position_before(connection: Connection, moment: int) -> int:
    """The position before the first entry whose time is `moment` or later; the head where there is none.

    A binary search finds an entry so old that no earlier one can qualify, in an old log either (`DISORDER`), and a scan
    from there finds the first one that does. `moment` is in milliseconds since 1970.
    """
    head = wire.read_head(connection).seq
    older, beyond = 0, head + 1
    while beyond - older > 1:
        middle = (older + beyond) // 2
        at = connection.execute(select(entry.c.at).where(entry.c.seq == middle)).scalar_one()
        older, beyond = (middle, beyond) if at < moment - DISORDER else (older, middle)
    behind = select(entry.c.seq).where(entry.c.seq > older, entry.c.at >= moment)
    found = connection.scalar(behind.order_by(entry.c.seq).limit(1))
    return head if found is None else int(found) - 1


def scan_entries(
    connection: Connection, after: int, until: int, first: int = CHUNK, *, bare: bool = False
) -> Iterator[LogEntry]:
    """The entries after `after` up to `until`, in order, without content, in chunks: `first` entries, then `CHUNK`.

    `bare`, for a reader who gets everything, leaves out the terms and the previous version: delivery needs neither.
    """
    chunk, entries = min(first, CHUNK), BARE if bare else ENTRIES
    while after < until:
        rows = entries.all(connection, {"after": after, "until": until, "limit": chunk})
        if not rows:
            return
        kills = [row.number for row in rows if row.type == EntryType.CANCELED]
        remapped = {row.number for row in rows if row.is_remapped}
        former = read_former_terms(connection, remapped) if remapped else {}
        pasts: Mapping[int, Sequence[Past]] = {}
        for row in rows:
            if row.type == EntryType.CANCELED and row.number not in pasts:
                pasts = told_before(connection, kills[:KILLS_AT_ONCE])
                kills = kills[KILLS_AT_ONCE:]
            yield _log_entry_of(connection, row, pasts[row.number] if row.type == EntryType.CANCELED else None, former)
        after, chunk = rows[-1].seq, CHUNK


def _entries_statement(*, bare: bool) -> Statement:
    """Selects entries with their version, the article's current state, and the version delivered before.

    Parameters: `limit` entries after `after`, none after `until`.
    """
    current, earlier, past, before = version.alias(), entry.alias(), version.alias(), entry.alias()
    size = func.length(version.c.rendered) + func.length(version.c.body)
    entries = (
        select(
            *entry.c,
            article.c.id,
            article.c.version.label("current_version"),
            article.c.status,
            article.c.published_at,
            article.c.updated_at,
            article.c.expires_at,
            size.label("size"),
        )
        .join_from(entry, version, TOLD)
        .join(article, article.c.number == entry.c.number)
        .where(entry.c.seq > bindparam("after"), entry.c.seq <= bindparam("until"))
        .order_by(entry.c.seq)
        .limit(bindparam("limit"))
    )
    if bare:
        absent = ("terms", "current_terms", "past_seq", "past_version", "past_terms", "is_remapped")
        return Statement(entries.add_columns(*(literal_column("NULL").label(name) for name in absent)))
    last = (
        select(func.max(before.c.seq))
        .where(before.c.number == entry.c.number, before.c.seq < entry.c.seq)
        .where(before.c.type != EntryType.CANCELED.value)
        .scalar_subquery()
    )
    return Statement(
        entries.add_columns(
            short_terms(version.c.terms).label("terms"), short_terms(current.c.terms).label("current_terms"),
            earlier.c.seq.label("past_seq"), past.c.version.label("past_version"),
            short_terms(past.c.terms).label("past_terms"),
            exists().where(former_terms.c.number == entry.c.number).label("is_remapped"),
        )
        .join(current, and_(current.c.number == article.c.number, current.c.version == article.c.version))
        .outerjoin(earlier, earlier.c.seq == last)
        .outerjoin(past, and_(past.c.number == earlier.c.number, past.c.version == earlier.c.version))
    )  # fmt: skip


ENTRIES, BARE = _entries_statement(bare=False), _entries_statement(bare=True)
NO_TERMS: frozenset[str] = frozenset()


def _log_entry_of(
    connection: Connection, row: AnyRow, pasts: Sequence[Past] | None,
    former: Mapping[tuple[int, int], Sequence[FormerTerms]],
) -> LogEntry:  # fmt: skip
    """The entry of one row; `pasts` are all versions delivered before a kill, None for an entry that is not a kill.

    `former` are the former terms of versions, by article number and version.
    Versions of the article that are the same share one set of terms.
    """
    if row.terms is None and pasts is None:
        own = Past(row.seq, row.version, NO_TERMS)
        standing = Standing(row.status, row.published_at, row.updated_at, row.expires_at, NO_TERMS)
        return LogEntry(
            row.seq, row.type, row.at, row.number, row.id, row.digest, row.chain, own, (), standing, row.size
        )
    known: dict[int, frozenset[str]] = {}
    size = row.size

    def terms_of(version: int, stored: str) -> frozenset[str]:
        nonlocal size
        if version not in known:
            stored = load_terms(connection, row.number, version, stored)
            size += TERM_MEMORY * len(stored)
            known[version] = as_terms(stored)
        return known[version]

    terms = current = NO_TERMS
    if row.terms is not None:
        terms, current = terms_of(row.version, row.terms), terms_of(row.current_version, row.current_terms)
    if pasts is None:
        pasts = ()
        if row.past_seq is not None:
            last = Past(row.past_seq, row.past_version, terms_of(row.past_version, row.past_terms))
            pasts = with_former_terms(last, former.get((row.number, row.past_version), ()))
    else:
        sets = {id(past.terms): past.terms for past in pasts}
        size += TERM_MEMORY * sum(len(term) for each in sets.values() for term in each)
    own = with_former_terms(Past(row.seq, row.version, terms), former.get((row.number, row.version), ()))[0]
    standing = Standing(row.status, row.published_at, row.updated_at, row.expires_at, current)
    return LogEntry(
        row.seq, row.type, row.at, row.number, row.id, row.digest, row.chain, own, tuple(pasts), standing, size
    )
