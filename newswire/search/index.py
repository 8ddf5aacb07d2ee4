"""The search index: writing to it and querying it, the same on each database system.

Rows of the index are written in the publishing transaction, so that an article is found as soon as its 201 is sent.
Each row holds the forms and stems of an article's texts, and its filter terms, so that words and filters are one
look-up. The backend of an engine is chosen here and nowhere else.
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
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.visibility import Filter, TimeRules

BACKENDS: Mapping[str, SearchBackend] = {"sqlite": SqliteSearch(), "postgresql": PostgresSearch()}


def search_backend(connection: Connection) -> SearchBackend:
    return BACKENDS[backend_of(connection).name]


def read_versions(connection: Connection) -> VersionRange:
    """The lowest and the highest index version of any row: two look-ups, however many rows there are."""
    return VersionRange(*version_range(search_backend(connection).rows).execute(connection, {}).fetchone())


def read_languages(connection: Connection) -> list[str]:
    """The languages in which a query word is stemmed, in alphabetical order.

    The list is empty while the index holds rows of another version: words are then found as they are written.
    """
    return [language for (language,) in fitting_languages(search_backend(connection).rows).execute(connection, {})]


def query_languages(connection: Connection, query: Query, wanted: Filter, known: Sequence[str] | None) -> list[str]:
    """The languages in which the words of this query are stemmed; empty for a query without words.

    `known` are the languages of the index; None: read them.
    """
    if query.expression is None:
        return []
    return languages_for(read_languages(connection) if known is None else known, wanted)


def index_documents(connection: Connection, documents: Sequence[Document]) -> None:
    """Adds the current versions of articles to the index. Remove an article first if an older version is in it."""
    search_backend(connection).index_documents(connection, documents)


def remove_document(connection: Connection, number: int) -> None:
    """Removes an article from the index."""
    search_backend(connection).remove_document(connection, number)


def open_document(connection: Connection, number: int) -> None:
    """Makes a withheld article in the index a usable one; its words and its other terms stay."""
    search_backend(connection).open_document(connection, number)


def search_statement(
    connection: Connection, columns: Select[Any], query: Query, wanted: Filter, start: Position | None, limit: int,
    rules: TimeRules, known: Sequence[str] | None = None,
) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
    """A statement that selects `columns` (a select from article) of the matches in the query's order, and its values.

    An article matches if it satisfies `wanted`, `rules` and the query's words, status and times. The query's own
    filter is ignored, because `wanted` includes it. The list begins behind `start` and has at most `limit` rows.
    `known` are the languages of the index; None: read them.
    """
    languages = query_languages(connection, query, wanted, known)
    return search_backend(connection).search_statement(
        connection, columns, query, wanted, languages, start, limit, rules
    )


def count_matches(
    connection: Connection, query: Query, wanted: Filter, most: int, rules: TimeRules,
    known: Sequence[str] | None = None,
) -> int:  # fmt: skip
    """The number of articles that `search_statement` finds, counted up to `most`."""
    languages = query_languages(connection, query, wanted, known)
    return search_backend(connection).count_matches(connection, query, wanted, languages, most, rules)


def read_texts(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
    """The texts of articles by article number, each in the order of `FIELDS`; of a body the first `most` characters.

    A text consists of its forms, with a blank before, between and after them.
    """
    return search_backend(connection).read_texts(connection, numbers, most)


def numbers_with_stem(connection: Connection, numbers: Sequence[int], stem: str) -> set[int]:
    """Those of the article numbers whose article has a stem, given without its language, in any field."""
    return search_backend(connection).numbers_with_stem(connection, numbers, stem)


def count_by_term(
    connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules, most: int
) -> dict[str, int]:
    """The number of usable articles with each of the terms, counted up to `most`; terms without any are left out.

    Only articles that satisfy `wanted` and `rules` count. One statement counts all terms.
    """
    return search_backend(connection).count_by_term(connection, terms, wanted, rules, most)


def count_by_phrase(
    connection: Connection, phrases: Collection[str], wanted: Filter, rules: TimeRules, most: int
) -> dict[str, int]:
    """As `count_by_term`, for forms as they are written: each phrase is one form, or two with a blank between them."""
    return search_backend(connection).count_by_phrase(connection, phrases, wanted, rules, most)


def find_forms(connection: Connection, phrases: Collection[str]) -> set[str]:
    """Those of the phrases, as `count_by_phrase` takes them, that any article has, whoever may see it."""
    return search_backend(connection).find_forms(connection, phrases)


def newest_by_term(connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules) -> dict[str, int]:
    """For each term, the article number of the newest article that `count_by_term` counts."""
    return search_backend(connection).newest_by_term(connection, terms, wanted, rules)


def tend_index(database: Database, seconds: float) -> None:
    """Does the upkeep of the index that publishers would otherwise do, in short transactions, for about `seconds`.

    It waits for nobody's lock. It may be ended at any time, and several processes may do it at once.
    """
    BACKENDS[database.backend.name].tend_index(database, seconds)
