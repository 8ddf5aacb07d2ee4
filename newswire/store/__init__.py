"""The database: tables, transactions, connection pools, statements, migrations. Not here: search and access rules.

Functions take an open connection as their first argument and never commit. The differences between the database
systems are in `sqlite` and `postgres`, behind the interface `backend.Backend`.
"""
