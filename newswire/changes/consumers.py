"""Named consumers: stored log positions of a party's programs, which they acknowledge themselves.

Reading the log never moves a position: a program that crashes after reading a page gets that page again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from newswire import wire
from newswire.changes.positions import LogPosition, complete_position, verify_position
from newswire.errors import Problem
from newswire.store.articles import insert_unless_there
from newswire.store.tables import consumer

MOST = 100


class Consumer(NamedTuple):
    """A name and the last sequence number that was acknowledged under it, on the wire of this id.

    `chain` is the chain value at that number; None if an earlier release stored it.
    """

    name: str
    after: int
    updated_at: int
    wire: str
    chain: str | None


COLUMNS = tuple(consumer.c[name] for name in Consumer._fields)


def store_position(connection: Connection, party: str, name: str, position: LogPosition, now: int) -> Consumer:
    """Stores a position, forward or back, with its whole chain value; raises what `verify_position` raises."""
    head = wire.read_head(connection)
    verified = complete_position(connection, head, verify_position(connection, head, position))
    values = {"after": verified.seq, "updated_at": now, "wire": head.wire, "chain": verified.chain}
    row = {"party": party, "name": name, **values}
    if insert_unless_there(connection, consumer, row, consumer.c.name) is None:
        connection.execute(update(consumer).where(*is_consumer(party, name)).values(**values))
    elif len(consumers_of(connection, party)) > MOST:
        raise Problem("validation_failed", f"There are {MOST} consumers already; delete one that is not used.")
    return Consumer(name, verified.seq, now, head.wire, verified.chain)


def consumers_of(connection: Connection, party: str) -> Sequence[Consumer]:
    """All consumers of a party, by name."""
    return sorted(Consumer(*row) for row in connection.execute(select(*COLUMNS).where(consumer.c.party == party)))


def find_consumer(connection: Connection, party: str, name: str) -> Consumer:
    """One consumer; raises `not_found`, also for another party's."""
    row = connection.execute(select(*COLUMNS).where(*is_consumer(party, name))).one_or_none()
    if row is None:
        raise unknown_consumer(name)
    return Consumer(*row)


def forget_consumer(connection: Connection, party: str, name: str) -> None:
    """Deletes a consumer; raises `not_found`."""
    if connection.execute(delete(consumer).where(*is_consumer(party, name))).rowcount != 1:
        raise unknown_consumer(name)


def is_consumer(party: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return consumer.c.party == party, consumer.c.name == name


def unknown_consumer(name: str) -> Problem:
    return Problem("not_found", f"There is no consumer {name!r} of yours; PUT /v1/consumers/{name} makes it.")
