"""Idempotency keys: a repeated request gets the answer of the first, in the same transaction as its work.

The record is claimed before the work and completed after it. A concurrent repeat waits at
the claim (on PostgreSQL for the rival's unique row, on SQLite for the write lock) and
then finds the finished answer; a rollback takes the claim with it, so that only what was
stored is ever replayed.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from newswire.errors import Problem
from newswire.store.articles import insert_unless_there
from newswire.store.tables import idempotency

KEPT_FOR = 24 * 3600 * 1000


class Answer(NamedTuple):
    """What was answered, without any address of our own: these are put in when it is sent.

    `facts` are those of an article's answer, `article` (its id), `tag` (its ETag) and `warnings`, else empty.
    """

    status: int
    facts: dict[str, Any]
    body: bytes


def claim(connection: Connection, publisher_id: int, key: str, fingerprint: str, now: int) -> Answer | None:
    """Claims `key` for this transaction (None), or returns the earlier answer to the same request.

    Raises `idempotency_key_reused` when the key came with another request in the last 24 hours.
    """
    ours = (idempotency.c.publisher_id == publisher_id) & (idempotency.c.key == key)
    connection.execute(delete(idempotency).where(ours, idempotency.c.created_at < now - KEPT_FOR))
    values = {"publisher_id": publisher_id, "key": key, "fingerprint": fingerprint, "created_at": now}
    if insert_unless_there(connection, idempotency, values, idempotency.c.key) is not None:
        return None
    row = connection.execute(select(idempotency).where(ours)).one()
    if row.fingerprint != fingerprint:
        raise Problem("idempotency_key_reused", "This Idempotency-Key was used with another request; use a new one.")
    return Answer(row.status, row.facts, row.answer)


def complete(connection: Connection, publisher_id: int, key: str, answer: Answer) -> None:
    """Keeps the answer with the claim."""
    ours = (idempotency.c.publisher_id == publisher_id) & (idempotency.c.key == key)
    values = {"status": answer.status, "facts": answer.facts, "answer": answer.body}
    connection.execute(update(idempotency).where(ours).values(**values))


def forget_old(connection: Connection, now: int) -> int:
    """Deletes records older than 24 hours; returns how many."""
    return connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT_FOR)).rowcount
