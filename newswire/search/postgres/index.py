"""Search on PostgreSQL: one statement for the numbers of the nearest matches, one for the page among these.

No plan of PostgreSQL suits every word in an order of time: a walk down the index of dates takes seconds for a rare
word, a bitmap scan sorts every match of a common one (docs/decisions/0004). So `time_buckets` searches the index by
spans of time. Not here: the tsquery (`tsquery`) and writing (`writer`).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, literal_column, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from newswire.article import Status
from newswire.search.backend import Document, SearchBackend
from newswire.search.keyset import MAX_SHAPES, count_statement, keyset_page, list_parameters, list_values
from newswire.search.postgres import time_buckets
from newswire.search.postgres.tsquery import (
    add_value,
    exact_condition,
    has_prefix,
    is_exact,
    pair_lexemes,
    tsquery_of,
)
from newswire.search.postgres.writer import (
    ADD_ROW,
    DELETE_ROW,
    OPEN_ROW,
    index_row,
    search_document,
)
from newswire.search.query import Position, Query
from newswire.store.articles import NUMBERS as ARTICLE_NUMBERS
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.store.tables import article
from newswire.timestamps import EARLIEST, LATEST
from newswire.visibility import Filter, TimeRules, allowed_sql, values_of_rules


class PostgresSearch(SearchBackend):
    """The search index in a PostgreSQL database: see `SearchBackend`."""

    rows = search_document

    def index_documents(self, connection: Connection, documents: Sequence[Document]) -> None:
        ADD_ROW.execute_many(connection, [index_row(*document) for document in documents])

    def remove_document(self, connection: Connection, number: int) -> None:
        DELETE_ROW.execute(connection, {"number": number})

    def open_document(self, connection: Connection, number: int) -> None:
        OPEN_ROW.execute(connection, {"which": number, "opened": Status.USABLE.value})

    def search_statement(
        self, connection: Connection, columns: Select[Any], query: Query, wanted: Filter, languages: Sequence[str],
        start: Position | None, limit: int, rules: TimeRules,
    ) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
        matching, sought = match_conditions(query, wanted, languages, rules)
        values = list_values(query, start, limit, ())
        if query.order != "published_at":
            # Few matches are sorted. If there are many, a walk down the index of update times soon fills a page.
            few = time_buckets.few_matches(connection, matching, sought)
            if few is not None:
                values["numbers"], matching = few, ""
            else:
                values |= sought
            return update_order_statement(columns, query.descending, frozenset(values), matching), values
        times, descending = query.times[:2], query.descending
        look = (
            time_buckets.nearest_with_prefix
            if query.expression and has_prefix(query.expression)
            else time_buckets.nearest_matches
        )
        numbers = look(connection, matching, sought, times, start, descending=descending, wanted=limit)
        return publication_order_statement(columns, descending, frozenset(values), limit), {
            **values,
            "numbers": numbers,
        }

    def count_matches(
        self, connection: Connection, query: Query, wanted: Filter, languages: Sequence[str], most: int,
        rules: TimeRules,
    ) -> int:  # fmt: skip
        in_order = query.times[:2] if query.order == "published_at" else query.times[2:]
        if in_order == (None, None):
            # Without bounds on the time that orders the list all matches count, so one look-up replaces the walk:
            # 42 ms for ten thousand matches instead of 82.
            matching, values = match_conditions(query, wanted, languages, rules)
            return time_buckets.count_matches(connection, matching, values, most)
        rows, found = self.search_statement(connection, ARTICLE_NUMBERS, query, wanted, languages, None, most, rules)
        count: int = count_statement(rows).execute(connection, found).fetchone()[0]
        return count

    def read_texts(self, connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
        return {row[0]: row[1:] for row in connection.execute(TEXTS, {"numbers": numbers, "most": most})}

    def numbers_with_stem(self, connection: Connection, numbers: Sequence[int], stem: str) -> set[int]:
        return {number for (number,) in connection.execute(WITH_STEM, {"numbers": numbers, "stem": f"'={stem}'"})}

    def count_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules, most: int
    ) -> dict[str, int]:
        return number_by_lexeme(connection, COUNT_BY_LEXEME, term_lexemes(terms), wanted, rules, {"most": most})

    def count_by_phrase(
        self, connection: Connection, phrases: Collection[str], wanted: Filter, rules: TimeRules, most: int
    ) -> dict[str, int]:
        lexemes = {phrase: phrase_lexeme(phrase) for phrase in phrases}
        return number_by_lexeme(connection, COUNT_BY_LEXEME, lexemes, wanted, rules, {"most": most})

    def find_forms(self, connection: Connection, phrases: Collection[str]) -> set[str]:
        lexemes = {f"'{phrase_lexeme(phrase)}'": phrase for phrase in phrases}
        queries = [*lexemes]
        groups = {" | ".join(queries[at : at + GROUPED]): queries[at : at + GROUPED]
                  for at in range(0, len(queries), GROUPED)}  # fmt: skip
        known = [query for group in find_matching(connection, groups) for query in groups[group]]
        return {lexemes[query] for query in find_matching(connection, known)}

    def newest_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules
    ) -> dict[str, int]:
        return number_by_lexeme(connection, NEWEST_BY_LEXEME, term_lexemes(terms), wanted, rules, NEWEST_WALK)

    def tend_index(self, database: Database, seconds: float) -> None:
        """Does nothing, because autovacuum does it."""


@lru_cache(MAX_SHAPES)
def publication_order_statement(columns: Select[Any], descending: bool, names: frozenset[str], limit: int) -> Statement:
    """A list in order of publication among the articles `numbers`; `keyset.time_order_statement` explains the limit."""
    times, start, _ = list_parameters(names)
    columns = columns.join(search_document, search_document.c.number == article.c.number)
    # The numbers are joined as a table. With `= ANY` the planner may walk through all times and check each article.
    columns = columns.join(NUMBERS, NUMBERS.c.number == search_document.c.number)
    place = (search_document.c.published_at, search_document.c.number)
    return Statement(keyset_page(columns, place, times[:2], descending, start).limit(literal_column(str(limit))))


def match_conditions(
    query: Query, wanted: Filter, languages: Sequence[str], rules: TimeRules
) -> tuple[str, dict[str, Any]]:
    """The conditions on search_document besides `words @@ %(query)s`, as SQL for psycopg, and the values of both."""
    values: dict[str, Any] = {"query": tsquery_of(query.expression, wanted, languages)}
    # The status usable is written as a literal, so that the planner can use the partial index for usable articles.
    matching = ["status = 'usable'" if query.status == "usable" else "status <> 'usable' AND status = %(status)s"]
    if query.status != "usable":
        values["status"] = query.status
    if rules:
        matching.append(allowed_sql(rules, "%({})s"))
        values |= values_of_rules(rules)
    other, bounds = (
        ("updated_at", query.times[2:]) if query.order == "published_at" else ("published_at", query.times[:2])
    )
    for sign, moment in zip((">=", "<"), bounds, strict=True):
        if moment is not None:
            matching.append(f"{other} {sign} {add_value(values, moment)}")
    if query.expression is not None and not is_exact(query.expression, languages):
        matching.append(exact_condition(query.expression, languages, values))
    return " AND ".join(matching), values


@lru_cache(MAX_SHAPES)
def update_order_statement(columns: Select[Any], descending: bool, names: frozenset[str], matching: str) -> Statement:
    """A list in order of update, for which there are no time buckets.

    If `names` contains `numbers`, these articles are sorted. Otherwise articles are read in order of update and checked
    one by one.
    """
    times, start, _ = list_parameters(names)
    columns = columns.join(search_document, search_document.c.number == article.c.number)
    if "numbers" in names:
        columns = columns.where(ONE_OF)
    else:
        # Article has columns with the names that `matching` uses, so the document is checked in a subquery.
        met = sql(re.sub(r"%\((\w+)\)s", r":\1", f"words @@ (%(query)s)::tsquery AND {matching}"))
        document = search_document.alias("document")
        here = select(1).select_from(document).where(document.c.number == article.c.number, met)
        columns = columns.where(here.exists())
    columns = keyset_page(columns, (article.c.updated_at, article.c.number), times[2:], descending, start)
    return Statement(columns.limit(bindparam("limit")))


CHOSEN = bindparam("numbers", type_=ARRAY(BigInteger))
NUMBERS = func.unnest(CHOSEN).table_valued("number", name="chosen").render_derived()
ONE_OF = search_document.c.number == func.any(CHOSEN)
TEXTS = sql(
    "SELECT number, forms[1], forms[2], ' ' || substr(forms[3], 2, :most), forms[4], forms[5]"
    " FROM search_document WHERE number = ANY(:numbers)"
)

WITH_STEM = sql("SELECT number FROM search_document WHERE number = ANY(:numbers) AND words @@ CAST(:stem AS tsquery)")

# The LIMIT in a materialised CTE: see COUNT_BY_LEXEME. The status is that of the partial index: without it each of
# some hundred queries reads the whole table.
FIND_MATCHING = sql(
    """SELECT value FROM unnest(CAST(:queries AS text[])) AS value WHERE (
        WITH matches AS MATERIALIZED (
            SELECT 1 FROM search_document WHERE words @@ value::tsquery AND status = 'usable'
        ) SELECT count(*) FROM (SELECT 1 FROM matches LIMIT 1) AS first) > 0""".replace("::", r"\:\:")
)
GROUPED = 20
"""Lexemes that are looked up together first: each look-up also reads all that was published since the index was last
merged, which takes up to 3 ms."""
FOR_EACH_LEXEME = """SELECT asked.value, ({found}) FROM (
    SELECT value, (%(within)s || quote_literal(value))::tsquery AS query FROM unnest(%(lexemes)s::text[]) AS value
) AS asked"""
# OPEN is replaced by the conditions that the rules of access put on times.
USABLE = "status = 'usable' AND OPEN"
# A materialised CTE hides the LIMIT from the planner, which would otherwise choose to scan the whole table. The CTE
# is still read no further than the LIMIT.
COUNT_BY_LEXEME = FOR_EACH_LEXEME.format(
    found=f"""WITH matches AS MATERIALIZED (
        SELECT number FROM search_document WHERE words @@ asked.query AND {USABLE}
    ) SELECT count(*) FROM (SELECT 1 FROM matches LIMIT %(most)s) AS counted"""
)
WALK_FOR_LEXEME = time_buckets.WALK.format(**time_buckets.DESCENDING, matching=USABLE, place="true").replace(
    "%(query)s", "asked.query"
)
NEWEST_BY_LEXEME = FOR_EACH_LEXEME.format(
    found=f"""SELECT number FROM search_document
        WHERE number = ANY(ARRAY(SELECT unnest(numbers) FROM ({WALK_FOR_LEXEME}) AS walked))
        ORDER BY published_at DESC, number DESC LIMIT 1"""
)
# A single match is wanted, so each step of this walk sorts a tenth of the matches that a page would.
NEWEST_WALK = {"low": EARLIEST, "high": LATEST, "wanted": 1, "few": 50, "first": 100, "many": 1000}


def find_matching(connection: Connection, queries: Collection[str]) -> list[str]:
    """Those of the tsqueries that any usable article matches."""
    return [query for (query,) in connection.execute(FIND_MATCHING, {"queries": [*queries]})] if queries else []


def term_lexemes(terms: Collection[str]) -> dict[str, str]:
    """The lexemes of filter terms, by term."""
    return {term: f"_{term}" for term in terms}


def phrase_lexeme(phrase: str) -> str:
    """The lexeme of a form, or of a pair of adjacent ones with a blank between them."""
    first, _, second = phrase.partition(" ")
    return pair_lexemes([(first, second)])[0] if second else first


def number_by_lexeme(
    connection: Connection, statement: str, lexemes: Mapping[str, str], wanted: Filter, rules: TimeRules,
    values: Mapping[str, Any],
) -> dict[str, int]:  # fmt: skip
    """Executes `COUNT_BY_LEXEME` or `NEWEST_BY_LEXEME` over the usable articles that satisfy `wanted` and `rules`.

    The result has the names of `lexemes`, without those that no article carries.
    """
    narrowed = f"({tsquery_of(None, wanted, ())}) & " if wanted != Filter() else ""
    asked = {"lexemes": [*lexemes.values()], "within": narrowed, **values, **values_of_rules(rules)}
    statement = statement.replace("OPEN", allowed_sql(rules, "%({})s"))
    found = {row[0]: row[1] for row in connection.exec_driver_sql(statement, asked)}
    return {name: found[lexeme] for name, lexeme in lexemes.items() if found[lexeme]}
