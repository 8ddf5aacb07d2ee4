"""Limits: slots and shares of them for each party (`slots`), quotas counted over all processes (`windows`, `quotas`).

What a key's quota is, is stored in `newswire.accounts`. Limits of single requests, such as the size of a body, are
beside what they limit.
"""
