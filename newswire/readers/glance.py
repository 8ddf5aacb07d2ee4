"""Where the wire stands, at the price of one bare statement: what every request asks first.

What is seen here decides which kept page is fresh, and who the caller is.
"""

import sqlite3

import psycopg
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from newswire.store.engine import Database
from newswire.store.prepared import Prepared
from newswire.store.tables import head
from newswire.wire import Head

OUTAGES = (SQLAlchemyError, psycopg.Error, sqlite3.Error)
LOOK = Prepared(select(*(head.c[name] for name in Head._fields)))


def glance(database: Database) -> Head:
    """The head as the last commit left it; raises one of `OUTAGES` when the database is away."""
    with database.look() as connection:
        return seen(connection)


def seen(connection: Connection) -> Head:
    """The head as this reading sees it."""
    return Head(*LOOK.execute(connection, {}).fetchone())
