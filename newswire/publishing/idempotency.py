"""Idempotency keys: a repeated request gets the answer to the first, stored in the same transaction as its work.

The key is claimed before the work, and the answer is stored after it. A concurrent repeat waits at the claim (on
PostgreSQL for the unique row of the other transaction, on SQLite for the write lock) and then reads the stored answer.
A rollback removes the claim too, so an answer is repeated only if its work was committed.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from newswire.errors import Problem
from newswire.store.articles import insert_unless_there
from newswire.store.tables import idempotency

KEPT_FOR = 24 * 3600 * 1000
"""Milliseconds for which an answer is kept."""


class Answer(NamedTuple):
    """A stored answer, without our own URLs: the base URL of the repeated request may be another one.

    `facts` of an answer about one article are `article` (its id), `tag` (its ETag) and `warnings`; otherwise empty.
    """

    status: int
    facts: dict[str, Any]
    body: bytes


def claim_key(connection: Connection, publisher_id: int, key: str, fingerprint: str, now: int) -> Answer | None:
    """Claims `key` for this transaction and returns None, or returns the stored answer to the same request.

    Raises `idempotency_key_reused` if another request had the key in the last 24 hours. `fingerprint` is the digest of
    the request, `now` is in milliseconds.
    """
    record = _is_record(publisher_id, key)
    connection.execute(delete(idempotency).where(record, idempotency.c.created_at < now - KEPT_FOR))
    # Insert first, select afterwards: with a select first, two concurrent requests could both find no record.
    values = {"publisher_id": publisher_id, "key": key, "fingerprint": fingerprint, "created_at": now}
    if insert_unless_there(connection, idempotency, values, idempotency.c.key) is not None:
        return None
    row = connection.execute(select(idempotency).where(record)).one()
    if row.fingerprint != fingerprint:
        raise Problem("idempotency_key_reused", "This Idempotency-Key was used with another request; use a new one.")
    return Answer(row.status, row.facts, row.answer)


def store_answer(connection: Connection, publisher_id: int, key: str, answer: Answer) -> None:
    """Stores the answer to the request that claimed `key` in this transaction."""
    values = {"status": answer.status, "facts": answer.facts, "answer": answer.body}
    connection.execute(update(idempotency).where(_is_record(publisher_id, key)).values(**values))


def delete_old_keys(connection: Connection, now: int) -> int:
    """Deletes the records older than 24 hours; returns their number."""
    return connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT_FOR)).rowcount


def _is_record(publisher_id: int, key: str) -> ColumnElement[bool]:
    # Keys belong to a publisher: the same key of another publisher must neither collide nor return this answer.
    return (idempotency.c.publisher_id == publisher_id) & (idempotency.c.key == key)
