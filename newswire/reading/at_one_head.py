"""Where the wire stands, at the price of one bare statement: what every request asks first.

What is seen here decides which kept page is fresh, and who the caller is.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from newswire import wire
from newswire.store.backend import Errors
from newswire.store.database import Database
from newswire.wire import Head

T = TypeVar("T")


def glance(database: Database) -> Head | None:
    """The head as the last commit left it; None when the database is away."""
    failures: Errors = (SQLAlchemyError, *database.backend.errors)
    try:
        with database.look() as connection:
            return wire.latest(connection)
    except failures:
        return None


def while_it_stands(database: Database, seen: Head | None, read: Callable[[Connection, Head], T]) -> T:
    """What `read` finds on the wire, all of its statements at the same head, which it is told.

    Where the wire was `seen` to stand is asked again behind it. If it stood there all the time, nothing was committed
    between the statements; else, and when it was not seen, they are asked (again) in a transaction. That
    costs three round trips more. What is not on the wire, such as an embargoed article, changes without the head.
    """
    if seen is not None:
        with database.failures_as_problems(), database.look() as connection:
            found = read(connection, seen)
            if wire.latest(connection) == seen:
                return found
    with database.read() as connection:
        return read(connection, wire.position(connection))
