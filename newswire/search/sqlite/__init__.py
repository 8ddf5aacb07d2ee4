"""The search index on SQLite: one FTS5 table whose rowid is the order of publication."""
