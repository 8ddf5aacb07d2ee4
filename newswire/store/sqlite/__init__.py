"""SQLite: its connections, transactions, errors, commit notifications and copies. Nothing of it is known elsewhere."""
