"""Accounts: publishers, partners with their entitlements, keys, the callers that they authenticate, and saved feeds.

What a caller may see is decided in `newswire.visibility`; HTTP authentication is in `newswire.api.auth`.
"""
