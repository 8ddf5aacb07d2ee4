"""The search index: what is written to it and what can be asked of it, the same on each database system.

Rows of the index are written in the publishing transaction, so that an article is found as soon as its 201 is sent.
Each row holds the forms and stems of an article's texts, and its terms (`visibility.term`), so that words and filters
are one look-up. Which backend answers is chosen here and nowhere else.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from newswire.search.backend import Document, SearchBackend
from newswire.search.index_version import VersionRange, version_range
from newswire.search.languages import fitting_languages, languages_for
from newswire.search.postgres.index import PostgresSearch
from newswire.search.query import Position, Query
from newswire.search.sqlite.index import SqliteSearch
from newswire.store.backend import backend_of
from newswire.store.statements import Statement
from newswire.visibility import Filter, TimeRules

BACKENDS: Mapping[str, SearchBackend] = {"sqlite": SqliteSearch(), "postgresql": PostgresSearch()}


def search_backend(connection: Connection) -> SearchBackend:
    return BACKENDS[backend_of(connection).name]


def read_versions(connection: Connection) -> VersionRange:
    """The versions that the index holds rows of: two look-ups, however many rows there are."""
    return VersionRange(*version_range(search_backend(connection).rows).execute(connection, {}).fetchone())


def read_languages(connection: Connection) -> list[str]:
    """The languages in whose stems a query word is looked up, in alphabetical order.

    None while the index holds rows of another version: words are then looked for as they are written.
    """
    return [language for (language,) in fitting_languages(search_backend(connection).rows).execute(connection, {})]


def query_languages(connection: Connection, query: Query, wanted: Filter, known: Sequence[str] | None) -> list[str]:
    """The languages in whose stems the words of this query are looked up; empty without words.

    `known` are the languages of the index; None: read them.
    """
    if query.expression is None:
        return []
    return languages_for(read_languages(connection) if known is None else known, wanted)


def index_documents(connection: Connection, documents: Sequence[Document]) -> None:
    """Indexes the current versions of articles that are not in the index (any more)."""
    search_backend(connection).index_documents(connection, documents)


def remove_document(connection: Connection, number: int) -> None:
    """Takes an article out of the index."""
    search_backend(connection).remove_document(connection, number)


def search_statement(
    connection: Connection, columns: Select[Any], query: Query, wanted: Filter, start: Position | None, limit: int,
    rules: TimeRules, known: Sequence[str] | None = None,
) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
    """A statement for `columns` (a select from article) of what matches, in the query's order, and its values.

    An article matches if it satisfies `wanted` and the query's words, status and times. The query's own filter is
    not looked at: `wanted` includes it. The list begins behind `start`. What does not satisfy `rules` is left
    out. `known` are the languages of the index; None: read them.
    """
    languages = query_languages(connection, query, wanted, known)
    return search_backend(connection).search_statement(
        connection, columns, query, wanted, languages, start, limit, rules
    )


def count_matches(connection: Connection, query: Query, wanted: Filter, most: int, rules: TimeRules) -> int:
    """How many articles `search_statement` finds, counted to `most`."""
    languages = query_languages(connection, query, wanted, None)
    return search_backend(connection).count_matches(connection, query, wanted, languages, most, rules)


def read_texts(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
    """The texts of articles by number, in the order of `FIELDS`; of a body only `most` characters.

    A text is its forms, with a blank before, between and behind them.
    """
    return search_backend(connection).read_texts(connection, numbers, most)


def count_by_term(
    connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules, most: int
) -> dict[str, int]:
    """How many usable articles that satisfy `wanted` carry each of the terms, counted to `most`; without zeros.

    What does not satisfy `rules` does not count. For lists of names with their counts: many terms are one statement.
    """
    return search_backend(connection).count_by_term(connection, terms, wanted, rules, most)


def newest_by_term(connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules) -> dict[str, int]:
    """The number of the article published last among those that `count_by_term` counts, by term."""
    return search_backend(connection).newest_by_term(connection, terms, wanted, rules)
