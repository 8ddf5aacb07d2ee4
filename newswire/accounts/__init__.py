"""Accounts: publishers, partners and their entitlements, keys and the callers behind them, saved feeds."""
