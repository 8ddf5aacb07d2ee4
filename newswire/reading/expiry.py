"""Expiries of articles: the times at which lists change before any entry of the log tells of it."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from newswire.store.statements import Statement
from newswire.store.tables import article
from newswire.wire import Head, PerHead

LAST = Statement(select(func.max(article.c.expires_at)).where(article.c.expires_at <= bindparam("now")))
NEXT = Statement(select(func.min(article.c.expires_at)).where(article.c.expires_at > bindparam("now")))


class Expiries(NamedTuple):
    """The last expiry before `since` and the first one after it, in milliseconds, None where there is none."""

    since: int
    last: int | None
    following: int | None


class Calendar:
    """A cache of the expiries around now. A new head ends it, because only what is on the wire expires from it."""

    def __init__(self) -> None:
        self._known: PerHead[Expiries] = PerHead()

    def around(self, connection: Connection, head: Head, now: int) -> Expiries:
        """The expiries around `now` at `head`, which `connection` sees."""
        known = self._known.get(head)
        if known is None or now < known.since or (known.following is not None and known.following <= now):
            last, following = (each.execute(connection, {"now": now}).fetchone()[0] for each in (LAST, NEXT))
            known = self._known.put(head, Expiries(now, last, following))
        return known
