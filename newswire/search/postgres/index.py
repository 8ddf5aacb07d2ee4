"""Search on PostgreSQL: one statement for the numbers of the nearest matches, one for the page among these.

No plan of PostgreSQL suits every word in an order of time: a walk down the index of dates takes seconds for a rare
word, a bitmap scan sorts every match of a common one (docs/decisions/0004). So `time_buckets` searches the index by
spans of time. Not here: the tsquery (`tsquery`) and writing (`writer`).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, literal_column, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from newswire.article import Status
from newswire.errors import Problem
from newswire.search.backend import Document, SearchBackend
from newswire.search.expression import Phrase
from newswire.search.keyset import MAX_SHAPES, count_statement, keyset_page, list_parameters, list_values
from newswire.search.postgres import time_buckets
from newswire.search.postgres.confirmation import (
    JOINED_FORMS,
    add_value,
    confirming_condition,
    filtered_pairs,
    phrase_text,
)
from newswire.search.postgres.pair_filter import bit_condition, pair_hashes
from newswire.search.postgres.time_buckets import Conditions
from newswire.search.postgres.tsquery import has_prefix, phrase_tsquery, tsquery_of
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
        conditions = match_conditions(query, wanted, languages, rules)
        values = list_values(query, start, limit, ())
        if query.order != "published_at":
            # Few matches are sorted. If there are many, a walk down the index of update times soon fills a page.
            few = time_buckets.few_matches(connection, conditions)
            values |= conditions.values if few is None else {"numbers": few}
            matching = conditions.whole if few is None else ""
            return update_order_statement(columns, query.descending, frozenset(values), matching), values
        times, descending = query.times[:2], query.descending
        asked = connection, conditions, times, start
        if query.expression and has_prefix(query.expression):
            numbers = time_buckets.nearest_with_prefix(*asked, descending=descending, wanted=limit)
        else:
            larger = 1 if conditions.confirmation == "true" else CANDIDATES
            numbers = time_buckets.nearest_matches(*asked, descending=descending, wanted=limit, times_as_large=larger)
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
            conditions = match_conditions(query, wanted, languages, rules)
            return time_buckets.count_matches(connection, conditions, most)
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
    ) -> dict[str, int]:  # fmt: skip
        sought = {phrase: seek_phrase(phrase) for phrase in phrases}
        within = narrowed_by(wanted)
        asked = phrase_values([each._replace(query=f"{within}({each.query})") for each in sought.values()])
        statement = COUNT_BY_PHRASE.replace("OPEN", allowed_sql(rules, "%({})s"))
        counts = connection.exec_driver_sql(statement, {**asked, "most": most, **values_of_rules(rules)})
        return {phrase: count for phrase, (count,) in zip(sought, counts, strict=True) if count}

    def find_forms(self, connection: Connection, phrases: Collection[str]) -> set[str]:
        sought = {seek_phrase(phrase): phrase for phrase in phrases}
        each = [*sought]
        groups = {
            SoughtPhrase(" | ".join(f"({one.query})" for one in each[at : at + GROUPED])): each[at : at + GROUPED]
            for at in range(0, len(each), GROUPED)
        }
        known = [one for group in find_matching(connection, [*groups]) for one in groups[group]]
        return {sought[one] for one in find_matching(connection, known)}

    def newest_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules
    ) -> dict[str, int]:
        return number_by_lexeme(connection, NEWEST_BY_LEXEME, term_lexemes(terms), wanted, rules, NEWEST_WALK)

    def tend_index(self, database: Database, seconds: float) -> None:
        # Whoever fills the pending list of a GIN index has to empty it, and until then each look-up reads it to its
        # end. It takes what a second of publications left, so there is nothing to divide by `seconds`.
        try:
            with database.begin(wait=0) as connection:
                connection.execute(EMPTY_PENDING_LISTS)
        except Problem as problem:
            # A publisher, or another worker, is at it.
            if problem.code != "unavailable":
                raise


@lru_cache(MAX_SHAPES)
def publication_order_statement(columns: Select[Any], descending: bool, names: frozenset[str], limit: int) -> Statement:
    """A list in order of publication among the articles `numbers`; `keyset.time_order_statement` explains the limit."""
    times, start, _ = list_parameters(names)
    columns = columns.join(search_document, search_document.c.number == article.c.number)
    # The numbers are joined as a table. With `= ANY` the planner may walk through all times and check each article.
    columns = columns.join(NUMBERS, NUMBERS.c.number == search_document.c.number)
    place = (search_document.c.published_at, search_document.c.number)
    return Statement(keyset_page(columns, place, times[:2], descending, start).limit(literal_column(str(limit))))


def match_conditions(query: Query, wanted: Filter, languages: Sequence[str], rules: TimeRules) -> Conditions:
    """The conditions on search_document, whose columns are named without their table."""
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
    confirmation = "true" if query.expression is None else confirming_condition(query.expression, languages, values)
    return Conditions(" AND ".join(matching), confirmation, values)


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

# Only the owner of an index may do it. Another account publishes as well, and then publishers and autovacuum do it.
EMPTY_PENDING_LISTS = sql(
    "SELECT gin_clean_pending_list(index.oid) FROM pg_class AS index JOIN pg_am ON pg_am.oid = index.relam"
    " JOIN pg_index ON pg_index.indexrelid = index.oid WHERE pg_am.amname = 'gin'"
    " AND pg_index.indrelid = CAST('search_document' AS regclass) AND pg_has_role(index.relowner, 'USAGE')"
)
CANDIDATES = 4
"""How many times as many candidates a probe may have whose matches are to be confirmed: of two common words, each in a
tenth of the articles, one of a hundred articles has both, and perhaps one of these has them side by side."""
GROUPED = 20
"""Phrases that are looked up together first: each look-up also reads all that was published since the index was last
merged (`PostgresSearch.tend_index`)."""
FOR_EACH_LEXEME = """SELECT asked.value, ({found}) FROM (
    SELECT value, (%(within)s || quote_literal(value))::tsquery AS query FROM unnest(%(lexemes)s::text[]) AS value
) AS asked"""
# OPEN is replaced by the conditions that the rules of access put on times. The status is that of the partial index:
# without it each of some hundred queries reads the whole table.
USABLE = "status = 'usable' AND OPEN"
# A materialised CTE hides the LIMIT from the planner, which would otherwise choose to scan the whole table. The CTE
# is still read no further than the LIMIT.
COUNT_BY_LEXEME = FOR_EACH_LEXEME.format(
    found=f"""WITH matches AS MATERIALIZED (
        SELECT number FROM search_document WHERE words @@ asked.query AND {USABLE}
    ) SELECT count(*) FROM (SELECT 1 FROM matches LIMIT %(most)s) AS counted"""
)
PHRASES = (
    "unnest(%(query)s::text[], %(text)s::text[], %(one)s::int[], %(other)s::int[]) AS asked(query, text, one, other)"
)
MATCHES_OF_PHRASE = f"""WITH matches AS MATERIALIZED (
    SELECT number FROM search_document WHERE words @@ asked.query::tsquery AND {USABLE} AND CASE
        WHEN asked.text IS NULL THEN true
        WHEN ({bit_condition("asked.one")} AND {bit_condition("asked.other")}) IS NOT FALSE
        THEN strpos({JOINED_FORMS}, asked.text) > 0 ELSE false END
)"""
COUNT_BY_PHRASE = f"""SELECT ({MATCHES_OF_PHRASE}
    SELECT count(*) FROM (SELECT 1 FROM matches LIMIT %(most)s) AS counted
) FROM {PHRASES}"""
FIND_PHRASES = COUNT_BY_PHRASE.replace("%(most)s", "1").replace("OPEN", "true")
WALK_FOR_LEXEME = time_buckets.WALK.format(
    **time_buckets.DESCENDING, row=USABLE, confirmation="true", place="true", columns=time_buckets.COLUMNS_OF_MATCH
).replace("%(query)s", "asked.query")
NEWEST_BY_LEXEME = FOR_EACH_LEXEME.format(
    found=f"""SELECT number FROM search_document
        WHERE number = ANY(ARRAY(SELECT unnest(numbers) FROM ({WALK_FOR_LEXEME}) AS walked))
        ORDER BY published_at DESC, number DESC LIMIT 1"""
)
# A single match is wanted, so each step of this walk sorts a tenth of the matches that a page would.
NEWEST_WALK = {"low": EARLIEST, "high": LATEST, "wanted": 1, "few": 50, "first": 100, "many": 1000}


class SoughtPhrase(NamedTuple):
    """What finds one form, or two adjacent ones: a tsquery, and unless that finds only matches the text to confirm
    them, with the `pair_hashes` of its pair."""

    query: str
    text: str | None = None
    one: int = 0
    other: int = 0


def seek_phrase(phrase: str) -> SoughtPhrase:
    """For a form, or two with a blank between them."""
    forms = tuple(phrase.split(" "))
    if len(forms) == 1:
        return SoughtPhrase(f"'{phrase}'")
    query = phrase_tsquery(Phrase(forms))
    pairs = filtered_pairs(forms)
    return SoughtPhrase(query, phrase_text(forms), *pair_hashes(pairs[0])) if pairs else SoughtPhrase(query)


def phrase_values(sought: Sequence[SoughtPhrase]) -> dict[str, list[Any]]:
    """The values of `PHRASES`: one array for each part."""
    return {name: [getattr(each, name) for each in sought] for name in SoughtPhrase._fields}


def find_matching(connection: Connection, sought: Sequence[SoughtPhrase]) -> list[SoughtPhrase]:
    """Those that any usable article has."""
    if not sought:
        return []
    found = connection.exec_driver_sql(FIND_PHRASES, phrase_values(sought))
    return [each for each, (count,) in zip(sought, found, strict=True) if count]


def term_lexemes(terms: Collection[str]) -> dict[str, str]:
    """The lexemes of filter terms, by term."""
    return {term: f"_{term}" for term in terms}


def narrowed_by(wanted: Filter) -> str:
    """The beginning of a tsquery that finds only what satisfies a filter."""
    return f"({tsquery_of(None, wanted, ())}) & " if wanted != Filter() else ""


def number_by_lexeme(
    connection: Connection, statement: str, lexemes: Mapping[str, str], wanted: Filter, rules: TimeRules,
    values: Mapping[str, Any],
) -> dict[str, int]:  # fmt: skip
    """Executes `COUNT_BY_LEXEME` or `NEWEST_BY_LEXEME` over the usable articles that satisfy `wanted` and `rules`.

    The result has the names of `lexemes`, without those that no article carries.
    """
    asked = {"lexemes": [*lexemes.values()], "within": narrowed_by(wanted), **values, **values_of_rules(rules)}
    statement = statement.replace("OPEN", allowed_sql(rules, "%({})s"))
    found = {row[0]: row[1] for row in connection.exec_driver_sql(statement, asked)}
    return {name: found[lexeme] for name, lexeme in lexemes.items() if found[lexeme]}
