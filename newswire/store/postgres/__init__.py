"""PostgreSQL: connections, transactions, errors, notifications and copies. No other package may depend on these."""
