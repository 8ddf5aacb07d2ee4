"""Lists of articles: a page by keyset pagination, never OFFSET, and a bounded count.

A page selects one row more than it shows; that row says whether there is a next page.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Select, func, literal_column, select

from newswire.document import count_fitting
from newswire.search import index
from newswire.search.keyset import count_statement, list_values, time_order_statement
from newswire.search.query import Position, Query
from newswire.store.articles import CURRENT, NUMBERS, AnyRow
from newswire.store.statements import Statement
from newswire.store.tables import article, version
from newswire.visibility import NOTHING, Filter, TimeRules, Visibility

COUNTED_TO = 10_000
EVERYTHING = Filter()
SIZES = select(func.length(version.c.body)).join_from(article, version, CURRENT)


class ListPage(NamedTuple):
    """Rows of a page: id, seq, status, rendered, body, form and their place; and the cursor behind it, if any."""

    rows: Sequence[AnyRow]
    next_cursor: str | None


class Count(NamedTuple):
    """A bounded count: `relation` eq is exact, gte means at least `value`."""

    value: int
    relation: str

    @classmethod
    def of(cls, found: int) -> Self:
        """From a count that stopped at `COUNTED_TO` + 1."""
        return cls(min(found, COUNTED_TO), "eq" if found <= COUNTED_TO else "gte")


def list_page(
    connection: Connection, query: Query, visibility: Visibility, now: int, languages: Sequence[str] | None = None
) -> ListPage:
    """The page of `query` that this caller may see; raises `Problem` for a cursor that is not of this query.

    `languages` are those of the index, if they are known.
    """
    query, start = query.resume()
    limit = query.limit
    if needs_bodies(query):
        sizes, values = list_statement(connection, SIZES, query, visibility, now, start, limit, languages)
        limit = count_fitting([size for (size,) in sizes.execute(connection, values)])
    shape = _list_columns(query.order, needs_bodies(query))
    statement, values = list_statement(connection, shape, query, visibility, now, start, limit + 1, languages)
    rows = statement.all(connection, values)
    shown = rows[:limit]
    more = len(rows) > limit
    cursor = query.cursor_at(Position(shown[-1].at, shown[-1].number)) if more else None
    return ListPage(shown, cursor)


def count_articles(connection: Connection, query: Query, visibility: Visibility, now: int) -> Count:
    """The number of articles in the whole list, exact to 10,000."""
    query, _ = query.resume()
    wanted, rules = visible_filter(query, visibility, now)
    if wanted != EVERYTHING or query.expression is not None:
        return Count.of(index.count_matches(connection, query, wanted, COUNTED_TO + 1, rules))
    numbers, values = list_statement(connection, NUMBERS, query, visibility, now, None, COUNTED_TO + 1)
    return Count.of(count_statement(numbers).execute(connection, values).fetchone()[0])


def list_statement(
    connection: Connection, columns: Select[Any], query: Query, visibility: Visibility, now: int,
    start: Position | None, limit: int, languages: Sequence[str] | None = None,
) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
    """`columns` (a select from article) of what a caller may see of a query, in its order, behind `start`.

    The statement, and its values. Statements are kept by their `columns`: these are made once.
    """
    wanted, rules = visible_filter(query, visibility, now)
    if wanted != EVERYTHING or query.expression is not None:
        return index.search_statement(connection, columns, query, wanted, start, limit, rules, languages)
    values = list_values(query, start, limit, rules)
    return time_order_statement(columns, query.order, query.descending, frozenset(values), limit), values


def visible_filter(query: Query, visibility: Visibility, now: int) -> tuple[Filter, TimeRules]:
    """The terms and the times that the articles of a query must have for a caller to see them."""
    rule = visibility.rule_at(now)
    wanted = rule.filter & query.filter
    return (wanted if query.status in rule.statuses else wanted & NOTHING), rule.times


def rows_in_order(connection: Connection, query: Query, numbers: Sequence[int]) -> Sequence[AnyRow]:
    """The rows of articles by their numbers, in this order; only the first ones where all do not fit into a page."""
    if needs_bodies(query):
        sized = SIZES.add_columns(article.c.number).where(article.c.number.in_(numbers))
        sizes = {row.number: row[0] for row in connection.execute(sized)}
        numbers = numbers[: count_fitting([sizes[number] for number in numbers])]
    wanted = _list_columns(query.order, needs_bodies(query))
    rows = connection.execute(wanted.where(article.c.number.in_(numbers)))
    known = {row.number: row for row in rows}
    return [known[number] for number in numbers]


def needs_bodies(query: Query) -> bool:
    """Whether the rows of a page contain bodies; then their sizes bound the page."""
    return query.include_body or query.highlight


@cache
def _list_columns(order: str, bodies: bool) -> Select[Any]:
    body = version.c.body if bodies else literal_column("NULL").label("body")
    return select(
        article.c.id, article.c.seq, article.c.status, version.c.rendered, body, version.c.form,
        article.c[order].label("at"), article.c.number,
    ).join_from(article, version, CURRENT)  # fmt: skip
