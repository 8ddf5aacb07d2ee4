"""Newswire: a self-hosted newswire ingestion REST API.

The wire is a log: whatever changes what a reader should see takes the next sequence number in the
transaction that stores it (`wire`). A version of an article never changes, and its public JSON is stored
as bytes beside it (`document`). Everything that reads is the same query (`search.query`), the same
entitlement (`visibility`) and the same log.

    publishing/    from a publisher's request to the log        reading/    lists, one article, facets, names
    changes/       the log on its way out                       search/     finding: words, queries, index, ranking
    formats/       bytes to an article and back                 accounts/   publishers, partners, keys, saved feeds
    schemas/       what publishers send                         store/      the database: connections, tables, rows
    api/           HTTP, and nothing else                       client/     the HTTP client as a library
    server/        everything that touches gunicorn             cli/        a file for each command

Imports point downward only; the floors are in `pyproject.toml`, checked by import-linter:
cli, server, app, api, client, schemas, publishing | reading | changes, accounts, formats, search, wire,
document, store, visibility, plain_text, article, logs, config, subjects, caches | quotas, errors | language_tags |
timestamps | urls.
"""

__version__ = "0.1.0"
