"""Connections for readings, lent and given back: outside of the pool, and as many as read at the same time.

A transaction of SQLAlchemy's for a reading takes longer than the reading. So these connections stay open, each begins
and ends what it is lent for with one bare statement, and the last one given back is lent first. Statements
of SQLAlchemy's can be sent on them all the same.
"""

import time
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from newswire.errors import Problem

LONGEST_SECONDS = 1800.0


class Lent(NamedTuple):
    """A connection, the driver's own inside it, and when it was opened, on the monotonic clock."""

    connection: Connection
    driver: Any
    born: float


class Loan:
    """A connection for a block. Every request takes some, so that this is no generator, which costs twice as much."""

    __slots__ = ("lender", "lent", "whole")

    def __init__(self, lender: "Lender", *, whole: bool) -> None:
        self.lender, self.whole = lender, whole

    def __enter__(self) -> Connection:
        self.lent = self.lender.take(whole=self.whole)
        return self.lent.connection

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, Problem):
            self.lender.give_back(self.lent, whole=self.whole)
        else:
            self.lender.drop(self.lent)


class Lender:
    """The readings' connections to one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(newswire_begins=False)
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._idle: deque[Lent] = deque()

    def take(self, *, whole: bool) -> Lent:
        """A connection; `whole`: all its statements see the same state, else each the newest."""
        try:
            lent = self._idle.pop()
        except IndexError:
            lent = self._opened()
        if whole:
            try:
                self._begin(lent.driver)
            except BaseException:
                self.drop(lent)
                raise
        return lent

    def drop(self, lent: Lent) -> None:
        """Closes a connection that failed, and the others: whatever befell this one may have befallen all."""
        close(lent)
        self.close()

    def close(self) -> None:
        """Closes those that are not lent at the moment."""
        while self._idle:
            with suppress(IndexError):
                close(self._idle.pop())

    def _opened(self) -> Lent:
        connection = self._engine.connect()
        connection.detach()
        driver: Any = connection.connection.dbapi_connection
        if self._is_sqlite:
            # Each connection has a cache of its own; what many read the operating system keeps, once for all.
            driver.execute("PRAGMA cache_size = -512")
        else:
            driver.autocommit = True
        return Lent(connection, driver, time.monotonic())

    def _begin(self, driver: Any) -> None:
        if self._is_sqlite:
            driver.execute("BEGIN")
        else:
            driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", prepare=False)

    def give_back(self, lent: Lent, *, whole: bool) -> None:
        """Ends what the connection was taken for, and keeps it for the next one."""
        if lent.connection.in_transaction():
            lent.connection.rollback()
        elif whole:
            # Nothing was written. After a rollback psycopg would forget every statement that it has prepared.
            lent.driver.commit()
        # A firewall may have forgotten one that is old; there are always some that are young.
        if time.monotonic() - lent.born < LONGEST_SECONDS:
            self._idle.append(lent)
        else:
            close(lent)


def close(lent: Lent) -> None:
    with suppress(Exception):
        lent.connection.close()
