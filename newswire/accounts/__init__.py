"""Accounts: publishers, partners and their entitlements, keys and callers, saved feeds.

What a caller may see is decided in `newswire.visibility`; HTTP authentication is in `newswire.api.auth`.
"""
