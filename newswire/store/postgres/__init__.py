"""PostgreSQL: its connections, transactions, errors, notifications and copies. Nothing of it is known elsewhere."""
