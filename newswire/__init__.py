"""Newswire: a self-hosted newswire ingestion REST API.

The wire is a log: whatever changes what a reader should see takes the next sequence
number in the transaction that stores it (`wire`). Publishers push articles through
`api` and `ingest`; a version, once written, never changes, and its public JSON is
stored as bytes beside it. Every door that reads (`readers`) is the same query, the same
entitlement (`query`) and the same log in other clothes; pages are joined from bytes.
`store` speaks to SQLite and PostgreSQL and knows no HTTP; `analysis` decides alone what
a word is, so that both engines find the same articles. `app` is the only place where
the parts meet; `cli` starts it and talks to the operator. Imports point downward only:
cli, app, api | web, ingest | readers, wire, store, article | query, config | errors.
"""

__version__ = "0.1.0"
