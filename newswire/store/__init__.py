"""The database: tables, transactions, statements, migrations. Not here: search, and what a reader may see.

Functions take an open connection first and never commit. What differs between the database systems is in `sqlite`
and `postgres`, behind `backend.Backend`.
"""
