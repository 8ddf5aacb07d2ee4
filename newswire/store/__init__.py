"""The database: tables, the two kinds of transaction, migrations, and search on both engines.

Functions here take an open connection first and never commit; what an article or a
reader is, they do not know.
"""
