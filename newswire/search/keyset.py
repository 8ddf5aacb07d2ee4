"""Keyset pagination: the statements of lists in an order of time, and a cache of them.

Building and compiling a `Select` takes 0.1 to 0.3 ms for each page. So a statement has parameters for the values of a
list, and is cached by the names of these: lists with the same names share it. Not here: the words of a query
(`newswire.search.index`).
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, literal_column, select, tuple_

from newswire.search.query import Position, Query, Times
from newswire.store.statements import Statement
from newswire.store.tables import article
from newswire.visibility import TimeRules, allowed_clauses, rules_among, values_of_rules

MAX_SHAPES = 500
"""Statements in each cache. Callers can make more shapes than that, so the caches have a bound."""


class ListParameters(NamedTuple):
    """A bind parameter for each value that is given for a list; None for the others."""

    times: Times
    start: Position | None
    rules: TimeRules


def list_values(query: Query, start: Position | None, limit: int, rules: TimeRules) -> dict[str, Any]:
    """The values of a list by parameter name, without those that are None; the list begins behind `start`."""
    times = {name: value for name, value in query.times._asdict().items() if value is not None}
    values = {"status": query.status, **times, "limit": limit}
    if start is not None:
        values |= start._asdict()
    return values | values_of_rules(rules)


def list_parameters(names: Collection[str]) -> ListParameters:
    """The parameters for the values that `list_values` returns under these names."""

    def parameter(name: str) -> Any:
        return bindparam(name, type_=BigInteger) if name in names else None

    start = Position(parameter("at"), parameter("number")) if "at" in names else None
    return ListParameters(Times(*map(parameter, Times._fields)), start, rules_among(names, parameter))


@lru_cache(MAX_SHAPES)
def time_order_statement(
    columns: Select[Any], order: str, descending: bool, names: frozenset[str], limit: int
) -> Statement:
    """A statement for all articles of a status in an order of time; `names` are those of `list_values`.

    `columns` is a select from article. The limit is written into the statement: for a parameter PostgreSQL assumes a
    tenth of the table, rejects its generic plan and plans again at each execution.
    """
    times, start, rules = list_parameters(names)
    bounds = times[:2] if order == "published_at" else times[2:]
    columns = keyset_page(columns, (article.c[order], article.c.number), bounds, descending, start)
    columns = open_between(
        columns.where(article.c.status == bindparam("status")), Query(order=order, times=times), rules
    )
    return Statement(columns.limit(literal_column(str(limit))))


@lru_cache(MAX_SHAPES)
def count_statement(numbers: Statement) -> Statement:
    """A statement that counts the rows of another statement."""
    return Statement(select(func.count()).select_from(numbers.statement.order_by(None).subquery()))


def keyset_page(
    columns: Select[Any], place: Sequence[ColumnElement[int]], bounds: Sequence[int | None], descending: bool,
    start: Position | None,
) -> Select[Any]:  # fmt: skip
    """Restricts to a page by keyset: in order of the columns `place` (time, number), within `bounds`, behind `start`.

    Both database systems use the comparison of row values to enter an index over `place` at the start of the page.
    """
    columns = between_times(columns, place[0], bounds)
    if start is not None:
        columns = columns.where(tuple_(*place) < tuple_(*start) if descending else tuple_(*place) > tuple_(*start))
    return columns.order_by(*(column.desc() if descending else column for column in place))


def between_times(columns: Select[Any], at: ColumnElement[int], bounds: Sequence[int | None]) -> Select[Any]:
    """Restricts a time column to a range whose lower bound is inclusive and whose upper bound is exclusive."""
    since, until = bounds
    if since is not None:
        columns = columns.where(at >= since)
    return columns if until is None else columns.where(at < until)


def open_between(columns: Select[Any], query: Query, rules: TimeRules) -> Select[Any]:
    """Restricts to what the rules of access allow, and to the range of the time that does not order the list."""
    if query.order == "published_at":
        columns = between_times(columns, article.c.updated_at, query.times[2:])
    else:
        columns = between_times(columns, article.c.published_at, query.times[:2])
    return columns.where(*allowed_clauses(rules, article.c))
