"""When articles expire: lists change at these times although no entry of the log has told of it yet."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from newswire.store.statements import Statement
from newswire.store.tables import article
from newswire.wire import Head

LAST = Statement(select(func.max(article.c.expires_at)).where(article.c.expires_at <= bindparam("now")))
NEXT = Statement(select(func.min(article.c.expires_at)).where(article.c.expires_at > bindparam("now")))


class Expiries(NamedTuple):
    """The last one before a moment and the first one after it, in milliseconds, None where there is none."""

    last: int | None
    following: int | None


class Calendar:
    """The expiries around now, looked up anew for every head: only what is on the wire expires from it."""

    def __init__(self) -> None:
        self._known: tuple[Head, int, Expiries] | None = None

    def around(self, connection: Connection, head: Head, now: int) -> Expiries:
        """`head` is that of this transaction."""
        if self._known is not None:
            of, since, found = self._known
            if of == head and since <= now and (found.following is None or now < found.following):
                return found
        found = Expiries(*(each.execute(connection, {"now": now}).fetchone()[0] for each in (LAST, NEXT)))
        self._known = (head, now, found)
        return found
