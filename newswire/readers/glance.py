"""Where the wire stands, at the price of one bare statement: what every request asks first.

What is seen here decides which kept page is fresh, and who the caller is.
"""

import sqlite3

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from newswire import wire
from newswire.store.engine import Database
from newswire.wire import Head

OUTAGES = (SQLAlchemyError, psycopg.Error, sqlite3.Error)


def glance(database: Database) -> Head:
    """The head as the last commit left it; raises one of `OUTAGES` when the database is away."""
    with database.look() as connection:
        return wire.position(connection)
