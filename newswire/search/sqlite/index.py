"""Search on SQLite: one MATCH expression and a range of rowids.

FTS5 returns matches in the order of rowids, which `writer` makes the order of publication. So a page of the newest
matches costs the page and not the number of matches. Not here: the MATCH expression (`match`) and writing (`writer`).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    column,
    select,
    table,
    text,
)  # fmt: skip

from newswire.article import Status
from newswire.search.backend import Document, SearchBackend
from newswire.search.keyset import (
    MAX_SHAPES,
    between_times,
    count_statement,
    keyset_page,
    list_parameters,
    list_values,
    open_between,
)  # fmt: skip
from newswire.search.query import Position, Query
from newswire.search.sqlite.match import HIDDEN, any_token, match_expression
from newswire.search.sqlite.merging import merge_segments
from newswire.search.sqlite.writer import (
    ADD_ROW,
    DELETE_DOCUMENT,
    OPEN_DOCUMENT,
    SLOTS,
    first_position,
    index_row,
    insert_place,
    keep_place,
)
from newswire.store.articles import NUMBERS
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.store.tables import article
from newswire.visibility import Filter, TimeRules, refused_sql, values_of_rules

FEW = 1000
"""Matches that a list in order of update sorts; if there are more, it walks the index over update times instead."""

search_place = Table(
    "search_place",
    MetaData(),
    Column("position", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("index_version", Text, nullable=False),
)
search_index = table("search_index", column("rowid"), column("search_index"))


class SqliteSearch(SearchBackend):
    """The search index in a SQLite database: see `SearchBackend`."""

    rows = search_place

    def index_documents(self, connection: Connection, documents: Sequence[Document]) -> None:
        # One after the other: of the same millisecond, the next one may move the one before.
        for article_state, terms, analysed in documents:
            place = (article_state.number, article_state.published_at)
            position = keep_place(connection, *place)
            if position is None:
                position = insert_place(connection, *place)
            ADD_ROW.execute(connection, {"position": position, **index_row(article_state, terms, analysed)})

    def remove_document(self, connection: Connection, number: int) -> None:
        DELETE_DOCUMENT.execute(connection, {"number": number})

    def open_document(self, connection: Connection, number: int) -> None:
        OPEN_DOCUMENT.execute(connection, {"number": number})

    def search_statement(
        self, connection: Connection, columns: Select[Any], query: Query, wanted: Filter, languages: Sequence[str],
        start: Position | None, limit: int, rules: TimeRules,
    ) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
        usable = query.status == Status.USABLE
        wanted &= Filter(exclude=frozenset(HIDDEN)) if usable else Filter((frozenset({f"status_{query.status}"}),))
        values = {
            **list_values(query, start, limit, rules),
            "match": match_expression(query.expression, wanted, languages),
        }
        if query.order != "published_at":
            few = FEWEST.execute(connection, {"match": values["match"], "most": FEW + 1}).fetchall()
            if len(few) <= FEW:
                values["few"] = orjson.dumps([position for (position,) in few]).decode()
            return update_order_statement(columns, query.descending, frozenset(values)), values
        # FTS5 is searched by rowid, so times of publication become rowids.
        for name in ("published_from", "published_to"):
            if name in values:
                values[name] = first_position(values[name])
        if start is not None:
            values["beyond"] = position_beyond(connection, start, query.descending)
        return publication_order_statement(columns, query.descending, frozenset(values)), values

    def count_matches(
        self, connection: Connection, query: Query, wanted: Filter, languages: Sequence[str], most: int,
        rules: TimeRules,
    ) -> int:  # fmt: skip
        numbers, values = self.search_statement(connection, NUMBERS, query, wanted, languages, None, most, rules)
        count: int = count_statement(numbers).execute(connection, values).fetchone()[0]
        return count

    def read_texts(self, connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
        rows = connection.execute(TEXTS, {"numbers": orjson.dumps(numbers).decode(), "most": most})
        return {row[0]: row[1:] for row in rows}

    def numbers_with_stem(self, connection: Connection, numbers: Sequence[int], stem: str) -> set[int]:
        asked = {"numbers": orjson.dumps(numbers).decode(), "match": f'"_{stem}"'}
        return {number for (number,) in connection.execute(WITH_STEM, asked)}

    def count_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules, most: int
    ) -> dict[str, int]:
        return number_by_term(connection, COUNT_BY_TERM, terms, wanted, rules, {"most": most})

    def count_by_phrase(
        self, connection: Connection, phrases: Collection[str], wanted: Filter, rules: TimeRules, most: int
    ) -> dict[str, int]:
        # A term is a word of the index as a form is, and a quoted one with a blank is a phrase.
        return number_by_term(connection, COUNT_BY_TERM, phrases, wanted, rules, {"most": most})

    def find_forms(self, connection: Connection, phrases: Collection[str]) -> set[str]:
        return {found for (found,) in FIND_FORMS.execute(connection, {"phrases": orjson.dumps([*phrases]).decode()})}

    def newest_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules
    ) -> dict[str, int]:
        return number_by_term(connection, NEWEST_BY_TERM, terms, wanted, rules, {})

    def tend_index(self, database: Database, seconds: float) -> None:
        merge_segments(database, seconds)


@lru_cache(MAX_SHAPES)
def publication_order_statement(columns: Select[Any], descending: bool, names: frozenset[str]) -> Statement:
    """A list in order of publication, which is the order of the index; times of publication and `beyond` are rowids."""
    times, _, rules = list_parameters(names)
    rowid = search_index.c.rowid
    columns = open_between(columns, Query(times=times), rules)
    columns = columns.join(search_place, search_place.c.number == article.c.number)
    columns = between_times(columns.join(search_index, rowid == search_place.c.position).where(WIDE), rowid, times[:2])
    if "beyond" in names:
        columns = columns.where(rowid < bindparam("beyond") if descending else rowid > bindparam("beyond"))
    return Statement(columns.order_by(rowid.desc() if descending else rowid).limit(bindparam("limit")))


@lru_cache(MAX_SHAPES)
def update_order_statement(columns: Select[Any], descending: bool, names: frozenset[str]) -> Statement:
    """A list in order of update, which is not the order of the index.

    If `names` contains `few`, those matches are sorted. Otherwise articles are read in order of update and checked one
    by one, which soon fills a page because there are many matches.
    """
    times, start, rules = list_parameters(names)
    rowid = search_index.c.rowid
    columns = open_between(columns, Query(order="updated_at", times=times), rules)
    columns = columns.join(search_place, search_place.c.number == article.c.number)
    if "few" in names:
        columns = columns.where(search_place.c.position.in_(text("SELECT value FROM json_each(:few)")))
    else:
        columns = columns.where(select(1).where(WIDE, rowid == search_place.c.position).exists())
    columns = keyset_page(columns, (article.c.updated_at, article.c.number), times[2:], descending, start)
    return Statement(columns.limit(bindparam("limit")))


def position_beyond(connection: Connection, start: Position, descending: bool) -> int:
    """The rowid behind which a page begins. The article at `start` may have been moved since, to another time."""
    low = first_position(start.at)
    values = {"low": low, "high": low + SLOTS - 1, "number": start.number}
    row = (NEXT_BELOW if descending else NEXT_ABOVE).execute(connection, values).fetchone()
    return int(row[0]) if row else low + SLOTS if descending else low - 1


def neighbour_statement(descending: bool) -> Statement:
    """A statement for the rowid of the article `number` in its millisecond, or else of the one listed before it."""
    position, number = search_place.c.position, search_place.c.number
    listed = number >= bindparam("number") if descending else number <= bindparam("number")
    nearest = select(position).where(position.between(bindparam("low"), bindparam("high")), listed)
    return Statement(nearest.order_by(position if descending else position.desc()).limit(1))


NEXT_BELOW, NEXT_ABOVE = neighbour_statement(True), neighbour_statement(False)
WIDE = search_index.c.search_index.bool_op("MATCH")(bindparam("match", type_=Text))
FEWEST = Statement(select(search_index.c.rowid).where(WIDE).limit(bindparam("most")))


TEXTS = text(
    "SELECT number, ' ' || headline || ' ', ' ' || summary || ' ', ' ' || substr(body || ' ', 1, :most),"
    " ' ' || caption || ' ', ' ' || byline || ' ' FROM search_place JOIN search_index ON search_index.rowid = position"
    " WHERE number IN (SELECT value FROM json_each(:numbers))"
)

WITH_STEM = text(
    "SELECT number FROM search_place WHERE number IN (SELECT value FROM json_each(:numbers))"
    " AND EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH :match AND search_index.rowid = position)"
)

# The articles that the rules of access close (CLOSED) are selected once for all terms: two look-ups for each match
# would be most of the work.
MATCHES = """search_index
    WHERE search_index MATCH '("' || asked.value || :within AND search_index.rowid NOT IN
    (SELECT position FROM article JOIN search_place USING (number) WHERE CLOSED)"""
# Without conditions, because several hundred words are looked up and nearly none is found.
FIND_FORMS = Statement(
    text(
        "SELECT asked.value FROM json_each(:phrases) AS asked"
        """ WHERE EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH '"' || asked.value || '"')"""
    )
)
FOR_EACH_TERM = "SELECT asked.value, ({found}) FROM json_each(:terms) AS asked"
COUNT_BY_TERM = FOR_EACH_TERM.format(found=f"SELECT count(*) FROM (SELECT 1 FROM {MATCHES} LIMIT :most)")
NEWEST_BY_TERM = FOR_EACH_TERM.format(
    found="SELECT number FROM search_place WHERE position ="
    f" (SELECT search_index.rowid FROM {MATCHES} ORDER BY search_index.rowid DESC LIMIT 1)"
)


def number_by_term(
    connection: Connection, statement: str, terms: Collection[str], wanted: Filter, rules: TimeRules,
    values: Mapping[str, Any],
) -> dict[str, int]:  # fmt: skip
    """Executes `COUNT_BY_TERM` or `NEWEST_BY_TERM` over the usable articles that satisfy `wanted` and `rules`.

    The result leaves out terms that no article carries.
    """
    narrowed = f" AND ({match_expression(None, wanted, ())})" if wanted != Filter() else ""
    within = f'"{narrowed}) NOT ({any_token(HIDDEN)})'
    asked = {"terms": orjson.dumps([*terms]).decode(), "within": within, **values, **values_of_rules(rules)}
    statement = statement.replace("CLOSED", refused_sql(rules, ":{}", "article"))
    return {term: number for term, number in connection.exec_driver_sql(statement, asked) if number}
