"""Idempotency keys: a repeated request gets the answer to the first, stored in the same transaction as its work.

The key is claimed before the work, and the answer is stored after it. A concurrent repeat waits at the claim (on
PostgreSQL for the unique row of the other transaction, on SQLite for the write lock) and then reads the stored answer.
A rollback removes the claim too, so an answer is repeated only if its work was committed.

A batch commits in parts, and its record grows with each of them: until it is finished the record has no status, and the
results of the articles so far in place of the answer. So a repeat goes on where the first request stopped, whatever
stopped it. If both are still working, each part is stored by one of them: it compares the number of results under the
lock of the record.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from newswire.errors import Problem
from newswire.store.articles import AnyRow, insert_unless_there
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


class Progress(NamedTuple):
    """The state of a batch that is not finished.

    `results` are those of its first `done` articles, in JSON, joined by commas. `worker` is the request that stored the
    last part, at the time `at` in milliseconds (0: it has stopped).
    """

    done: int
    results: bytes
    worker: str
    at: int


NOT_BEGUN = Progress(0, b"", "", 0)


def claim_key(connection: Connection, publisher_id: int, key: str, fingerprint: str, now: int) -> Answer | None:
    """Claims `key` for this transaction and returns None, or returns the stored answer to the same request.

    Raises `idempotency_key_reused` if another request had the key in the last 24 hours. `fingerprint` is the digest of
    the request, `now` is in milliseconds.
    """
    found = claim_batch(connection, publisher_id, key, fingerprint, now)
    return found if isinstance(found, Answer) else None


def claim_batch(connection: Connection, publisher_id: int, key: str, fingerprint: str, now: int) -> Answer | Progress:
    """Claims `key` as `claim_key` does, and returns how far the batch has come; the record is locked."""
    record = _is_record(publisher_id, key)
    connection.execute(delete(idempotency).where(record, idempotency.c.created_at < now - KEPT_FOR))
    # Insert first, select afterwards: with a select first, two concurrent requests could both find no record.
    values = {"publisher_id": publisher_id, "key": key, "fingerprint": fingerprint, "created_at": now}
    if insert_unless_there(connection, idempotency, values, idempotency.c.key) is not None:
        return NOT_BEGUN
    row = connection.execute(select(idempotency).where(record).with_for_update()).one()
    return _read_record(row, fingerprint)


def read_record(
    connection: Connection, publisher_id: int, key: str, fingerprint: str, now: int
) -> Answer | Progress | None:
    """The stored answer or progress, without claiming the key; None if it is free."""
    record = _is_record(publisher_id, key)
    row = connection.execute(select(idempotency).where(record, idempotency.c.created_at >= now - KEPT_FOR)).first()
    return None if row is None else _read_record(row, fingerprint)


def _read_record(row: AnyRow, fingerprint: str) -> Answer | Progress:
    if row.fingerprint != fingerprint:
        raise Problem("idempotency_key_reused", "This Idempotency-Key was used with another request; use a new one.")
    if row.status is None:
        return Progress(results=row.answer, **row.facts)
    return Answer(row.status, row.facts, row.answer)


def store_answer(connection: Connection, publisher_id: int, key: str, answer: Answer) -> None:
    """Stores the answer to the request that claimed `key` in this transaction."""
    values = {"status": answer.status, "facts": answer.facts, "answer": answer.body}
    connection.execute(update(idempotency).where(_is_record(publisher_id, key)).values(**values))


def store_progress(connection: Connection, publisher_id: int, key: str, progress: Progress) -> None:
    """Stores how far a batch has come, in the transaction that claimed `key` and stores the part."""
    facts = {"done": progress.done, "worker": progress.worker, "at": progress.at}
    values = {"facts": facts, "answer": progress.results}
    connection.execute(update(idempotency).where(_is_record(publisher_id, key)).values(**values))


def delete_old_keys(connection: Connection, now: int) -> int:
    """Deletes the records older than 24 hours; returns their number."""
    return connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT_FOR)).rowcount


def _is_record(publisher_id: int, key: str) -> ColumnElement[bool]:
    # Keys belong to a publisher: the same key of another publisher must neither collide nor return this answer.
    return (idempotency.c.publisher_id == publisher_id) & (idempotency.c.key == key)
