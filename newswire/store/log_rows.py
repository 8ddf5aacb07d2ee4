"""Rows of the log: the versions of an article that earlier entries delivered."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from newswire.article import EntryType
from newswire.store.tables import entry, version


class Past(NamedTuple):
    """A version that entry `seq` delivered, and the terms that it had."""

    seq: int
    version: int
    terms: frozenset[str]


@lru_cache(1024)
def as_terms(stored: str) -> frozenset[str]:
    return frozenset(stored.split())


def told_before(connection: Connection, killed: Sequence[int]) -> dict[int, list[Past]]:
    """The versions of killed articles that were delivered before, by article number, newest first."""
    pasts: dict[int, list[Past]] = {number: [] for number in killed}
    if killed:
        statement = (
            select(entry.c.number, entry.c.seq, entry.c.version, version.c.terms)
            .join_from(entry, version, and_(version.c.number == entry.c.number, version.c.version == entry.c.version))
            .where(entry.c.number.in_(killed), entry.c.type != EntryType.CANCELED.value)
            .order_by(entry.c.seq.desc())
        )
        for row in connection.execute(statement):
            pasts[row.number].append(Past(row.seq, row.version, as_terms(row.terms)))
    return pasts
