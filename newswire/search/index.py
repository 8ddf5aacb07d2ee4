"""The search index, one interface for both engines; what a word is was decided in `analysis` before.

Rows of the index are written in the publishing transaction, so that an article is found
as soon as its 201 is sent. Each row holds the forms and stems of an article's texts, and
its terms (`query.term`), so that words and filters are one look-up.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, func, select

from newswire.search.index_version import ANALYSIS_VERSION, INDEX_VERSION, analysis_of
from newswire.search.keyset import counting
from newswire.search.postgres import index as postgres_index
from newswire.search.query import Place, Query
from newswire.search.sqlite import index as sqlite_index
from newswire.search.stems import spoken
from newswire.search.texts import Document
from newswire.store.articles import NUMBERS, insert_unless_there
from newswire.store.statements import Prepared
from newswire.store.tables import stemming_language
from newswire.visibility import Filter

KNOWN = "newswire.languages"
"""Where a connection to the database remembers the languages that it has found there."""
NOTED = Prepared(select(stemming_language.c.language))


def engine(connection: Connection) -> Any:
    return sqlite_index if connection.dialect.name == "sqlite" else postgres_index


class VersionRange(NamedTuple):
    """The lowest and the highest index version of the rows in the index; None where there is no row.

    What lies between two versions of one analysis, as texts are sorted, is of that analysis too.
    """

    lowest: str | None
    highest: str | None

    def is_current(self) -> bool:
        return all(bound in (None, INDEX_VERSION) for bound in self)

    def fits_analysis(self) -> bool:
        return all(bound is None or analysis_of(bound) == str(ANALYSIS_VERSION) for bound in self)


@cache
def version_range(rows: Table) -> Prepared:
    """Two look-ups in the index over the versions, however many rows there are."""
    lowest, highest = (select(bound(rows.c.index_version)).scalar_subquery() for bound in (func.min, func.max))
    return Prepared(select(lowest.label("lowest"), highest.label("highest")))


def read_versions(connection: Connection) -> VersionRange:
    """The versions that the index holds rows of."""
    return VersionRange(*version_range(engine(connection).ROWS).execute(connection, {}).fetchone())


@cache
def fitting_languages(rows: Table) -> Prepared:
    """The languages of the stems in the index; none while there is a row whose stems another release has made."""
    fits = [select(bound(rows.c.index_version)).scalar_subquery() == INDEX_VERSION for bound in (func.min, func.max)]
    return Prepared(select(stemming_language.c.language).where(*fits).order_by(stemming_language.c.language))


def put(connection: Connection, documents: Sequence[Document]) -> None:
    """Indexes the current versions of articles that are not in the index (any more)."""
    engine(connection).put(connection, documents)


def remove(connection: Connection, number: int) -> None:
    """Takes an article out of the index."""
    engine(connection).remove(connection, number)


def speak(connection: Connection, language: str) -> None:
    """Notes that stems of this language are in the index from now on."""
    known = connection.info.setdefault(KNOWN, set())
    if language in known:
        return
    # Rows are only added, so what was found stays; what is added here may be rolled back, and counts once it is found.
    if language in {noted for (noted,) in NOTED.execute(connection, {})}:
        known.add(language)
    else:
        insert_unless_there(connection, stemming_language, {"language": language}, stemming_language.c.language)


def languages(connection: Connection) -> list[str]:
    """The languages in whose stems a query word is looked up.

    None while the index holds rows of another version (`index_version`): words are then looked for as they are written.
    """
    return [language for (language,) in fitting_languages(engine(connection).ROWS).execute(connection, {})]


def sought_in(connection: Connection, query: Query, wanted: Filter, known: Sequence[str] | None) -> list[str]:
    """The languages in whose stems the words of this query are looked up; none without words.

    `known` are those of the index; they are asked for when it is None.
    """
    if query.expression is None:
        return []
    return spoken(languages(connection) if known is None else known, wanted)


def articles(
    connection: Connection, columns: Select[Any], query: Query, wanted: Filter, start: Place | None, limit: int,
    unexpired_at: int | None, known: Sequence[str] | None = None,
) -> tuple[Prepared, Mapping[str, Any]]:  # fmt: skip
    """`columns` (a select from article) of what matches `wanted` and the query's words, status and times, in its order.

    The statement, and its values.

    `start` is the place behind which it begins; what has expired at `unexpired_at` is left out, nothing when it
    is None. The query's own filter is not looked at: `wanted` holds it. For `known` see `sought_in`.
    """
    found: tuple[Prepared, Mapping[str, Any]] = engine(connection).articles(
        connection, columns, query, wanted, sought_in(connection, query, wanted, known), start, limit, unexpired_at
    )
    return found


def count(connection: Connection, query: Query, wanted: Filter, most: int, unexpired_at: int | None) -> int:
    """How many articles `articles` finds, `most` at most."""
    in_order = query.times[:2] if query.order == "published_at" else query.times[2:]
    if connection.dialect.name == "postgresql" and in_order == (None, None):
        sought = sought_in(connection, query, wanted, None)
        return postgres_index.count(connection, query, wanted, sought, most, unexpired_at)
    numbers, values = articles(connection, NUMBERS, query, wanted, None, most, unexpired_at)
    found: int = counting(numbers).execute(connection, values).fetchone()[0]
    return found


def texts(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
    """By number the texts of articles, in the order of `FIELDS`; of a body only `most` characters.

    A text is its forms, with a blank before, between and behind them.
    """
    found: dict[int, Sequence[str]] = engine(connection).texts(connection, numbers, most)
    return found
