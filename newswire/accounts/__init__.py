"""Accounts: publishers, partners and their entitlements, keys, saved feeds."""
