"""The wire in order, for one reader: which entries it is told of, and as what.

An entry reaches a reader when its version matched what the reader could see at that entry
or later. A version that no longer matches is told once, as `article.removed`; a kill
reaches everyone to whom any version was told. What may no longer be read keeps its entry
and loses its content.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from newswire import wire
from newswire.article import EntryType, Status
from newswire.errors import Problem
from newswire.query import Visibility
from newswire.readers.splicing import how_many_fit
from newswire.store.rows import AnyRow
from newswire.store.tables import article, entry, version


class Told(NamedTuple):
    """One entry as this reader gets it; `readable`: with its article."""

    type: str
    row: AnyRow
    readable: bool


class Changes(NamedTuple):
    """A page of the wire: `next_after` is the last number scanned, whether or not it was told."""

    entries: list[Told]
    next_after: int
    has_more: bool
    head: wire.Head


def changes(connection: Connection, visibility: Visibility, after: int, limit: int, now: int) -> Changes:
    """The entries after `after`, at most `limit` scanned; raises `cursor_ahead` beyond the head."""
    head = wire.position(connection)
    if after > head.seq:
        raise Problem("cursor_ahead", f"The wire stands at {head.seq}; {after} lies beyond it.", head=head.seq)
    rows = scan(connection, after, affordable(connection, after, limit))
    last = rows[-1].seq if rows else after
    told = list(seen(connection, rows, visibility, now))
    return Changes(told, last, last < head.seq, head)


def affordable(connection: Connection, after: int, limit: int) -> int:
    """How many of the next entries fit into a page; one at least."""
    sizes = (
        select(func.length(version.c.rendered) + func.length(version.c.body))
        .join_from(entry, version, and_(version.c.number == entry.c.number, version.c.version == entry.c.version))
        .where(entry.c.seq > after)
        .order_by(entry.c.seq)
        .limit(limit)
    )
    return how_many_fit(connection.scalars(sizes).all())


def scan(connection: Connection, after: int, limit: int) -> Sequence[AnyRow]:
    """Entries with their version and what its article is now."""
    current = version.alias()
    statement = (
        select(
            entry.c.seq, entry.c.type, entry.c.at, entry.c.number, entry.c.version, entry.c.digest, entry.c.chain,
            version.c.terms, version.c.rendered, version.c.body, article.c.id, article.c.status,
            article.c.expires_at, current.c.terms.label("current_terms"),
        )
        .join_from(entry, version, and_(version.c.number == entry.c.number, version.c.version == entry.c.version))
        .join(article, article.c.number == entry.c.number)
        .join(current, and_(current.c.number == article.c.number, current.c.version == article.c.version))
        .where(entry.c.seq > after)
        .order_by(entry.c.seq)
        .limit(limit)
    )  # fmt: skip
    return connection.execute(statement).all()


def seen(connection: Connection, rows: Sequence[AnyRow], visibility: Visibility, now: int) -> Iterator[Told]:
    for row in rows:
        kind = kind_for(connection, row, visibility)
        if kind is not None:
            yield Told(kind, row, readable(row, visibility, kind, now))


def kind_for(connection: Connection, row: AnyRow, visibility: Visibility) -> str | None:
    """What this entry is to the reader, or None when it is nothing."""
    if row.type != EntryType.CANCELED and visibility.told(terms(row), row.seq):
        return str(row.type)
    earlier = earlier_terms(connection, row.number, row.seq)
    if row.type == EntryType.CANCELED:
        return str(row.type) if any(visibility.told(found, seq) for seq, found in earlier) else None
    left = bool(earlier) and visibility.told(earlier[0][1], earlier[0][0])
    return EntryType.REMOVED.value if left else None


def readable(row: AnyRow, visibility: Visibility, kind: str, now: int) -> bool:
    """Whether the reader may have the content of this entry's version today."""
    if kind in (EntryType.REMOVED, EntryType.CANCELED):
        return False
    if visibility.owner:
        return True
    expired = row.expires_at is not None and row.expires_at <= now
    if row.status != Status.USABLE or expired or not visibility.shows(terms(row)):
        return False
    return visibility.shows(frozenset(row.current_terms.split()))


def terms(row: AnyRow) -> frozenset[str]:
    return frozenset(row.terms.split())


def earlier_terms(connection: Connection, number: int, before: int) -> list[tuple[int, frozenset[str]]]:
    """Number and terms of the article's entries before `before`, newest first, without kills."""
    statement = (
        select(entry.c.seq, version.c.terms)
        .join_from(entry, version, and_(version.c.number == entry.c.number, version.c.version == entry.c.version))
        .where(entry.c.number == number, entry.c.seq < before, entry.c.type != EntryType.CANCELED.value)
        .order_by(entry.c.seq.desc())
    )
    return [(row.seq, terms(row)) for row in connection.execute(statement)]
