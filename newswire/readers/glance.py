"""Where the wire stands, at the price of one bare statement: what every request asks first.

The connections are this module's own, outside of any transaction, and as many as ask at the same
time. What is read here decides which kept page is fresh; who reads a page reads the head again.
"""

import sqlite3
import time
from collections import deque
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from newswire.store.engine import Database
from newswire.wire import Head

OUTAGES = (SQLAlchemyError, psycopg.Error, sqlite3.Error)
LONGEST_SECONDS = 1800.0
LOOK = f"SELECT {', '.join(Head._fields)} FROM head"


class Glance:
    """The head of one database, looked at from many threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._idle: deque[tuple[PoolProxiedConnection, Any, float]] = deque()

    def head(self) -> Head:
        """The head as the last commit left it; raises one of `OUTAGES` when the database is away."""
        try:
            held, inside, born = self._idle.pop()
        except IndexError:
            held, inside, born = *self.database.apart(), time.monotonic()
        try:
            row = inside.execute(LOOK).fetchone()
        except OUTAGES:
            with suppress(*OUTAGES):
                held.close()
            raise
        # A firewall may have forgotten one that is old; there are always some that are young.
        if time.monotonic() - born < LONGEST_SECONDS:
            self._idle.append((held, inside, born))
        else:
            held.close()
        return Head(*row)

    def close(self) -> None:
        while self._idle:
            with suppress(IndexError):
                self._idle.pop()[0].close()
