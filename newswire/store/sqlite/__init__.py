"""SQLite: connections, transactions, errors, commit listeners and copies. No other package may depend on these."""
