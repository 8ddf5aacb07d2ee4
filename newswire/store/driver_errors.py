"""What the drivers raise. psycopg takes 9 MB, so a wire on SQLite does not load it.

Whoever catches these asks when something was raised: what a driver raises that is not loaded cannot be among it.
Each of these is a tuple to catch, with whatever is to be caught `besides`.
"""

import sqlite3
import sys

Errors = tuple[type[Exception], ...]


def errors(*besides: type[Exception]) -> Errors:
    """Everything that a driver raises."""
    psycopg = sys.modules.get("psycopg")
    return (*besides, sqlite3.Error) if psycopg is None else (*besides, sqlite3.Error, psycopg.Error)


def lost(*besides: type[Exception]) -> Errors:
    """What they say of a database that is lost, locked or out of reach."""
    psycopg = sys.modules.get("psycopg")
    of_postgresql = () if psycopg is None else (psycopg.OperationalError, psycopg.InterfaceError)
    return *besides, sqlite3.OperationalError, *of_postgresql


def on_a_replica(*besides: type[Exception]) -> Errors:
    """What a PostgreSQL that only follows another says to a statement that writes, and to a transaction that may."""
    psycopg = sys.modules.get("psycopg")
    if psycopg is None:
        return besides
    return *besides, psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.FeatureNotSupported
