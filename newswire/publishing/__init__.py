"""Publishing: from the validated fields of an article to the log.

`draft` resolves URLs, sanitises bodies and makes the content as served, `prepare` its index tokens and JSON; both are
pure and need no lock. `receive` decides what becomes of
an article and writes it within a `publish_transaction`. `idempotency` stores answers for repeated requests. `release`
ends embargoes and expires articles. Validation is in `newswire.schemas`, the log itself in `newswire.wire`.
"""
