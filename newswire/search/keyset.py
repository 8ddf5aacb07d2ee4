"""Keyset pagination: the statements of lists in an order of time. Lists of one shape share one cached statement.

To build a `Select` takes 0.1 to 0.3 ms for each page. So a statement is built of parameters for the values that a list
has, and cached under the names of these.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, literal_column, select, tuple_

from newswire.search.query import Position, Query, Times
from newswire.store.statements import Statement
from newswire.store.tables import article
from newswire.visibility import TimeRules, open_clauses, rules_among, values_of_rules

MAX_SHAPES = 500


class ListParameters(NamedTuple):
    """A bind parameter for each value that a list has, None for the others."""

    times: Times
    start: Position | None
    rules: TimeRules


def list_values(query: Query, start: Position | None, limit: int, rules: TimeRules) -> dict[str, Any]:
    """The values of a list by name, only those that are not None; the list begins behind `start`."""
    times = {name: value for name, value in query.times._asdict().items() if value is not None}
    found = {"status": query.status, **times, "limit": limit}
    if start is not None:
        found |= start._asdict()
    return found | values_of_rules(rules)


def list_parameters(names: Collection[str]) -> ListParameters:
    """The parameters for values with these names, of `list_values`."""

    def parameter(name: str) -> Any:
        return bindparam(name, type_=BigInteger) if name in names else None

    start = Position(parameter("at"), parameter("number")) if "at" in names else None
    return ListParameters(Times(*map(parameter, Times._fields)), start, rules_among(names, parameter))


@lru_cache(MAX_SHAPES)
def time_order_statement(
    columns: Select[Any], order: str, descending: bool, names: frozenset[str], limit: int
) -> Statement:
    """`columns` (a select from article) of all articles of a status, in an order of time; `names` are of `list_values`.

    The limit is a part of the statement, although it is among the values: for a parameter PostgreSQL assumes a tenth
    of the table, so that it would plan again at each execution.
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
    """A statement that counts the rows of another one."""
    return Statement(select(func.count()).select_from(numbers.statement.order_by(None).subquery()))


def keyset_page(
    columns: Select[Any], place: Sequence[ColumnElement[int]], bounds: Sequence[int | None], descending: bool,
    start: Position | None,
) -> Select[Any]:  # fmt: skip
    """A page by keyset: in the order of the columns `place` (a time and the number), within `bounds`, behind `start`.

    The row value comparison lets both database systems walk an index over `place` from there.
    """
    columns = between_times(columns, place[0], bounds)
    if start is not None:
        columns = columns.where(tuple_(*place) < tuple_(*start) if descending else tuple_(*place) > tuple_(*start))
    return columns.order_by(*(column.desc() if descending else column for column in place))


def between_times(columns: Select[Any], at: ColumnElement[int], bounds: Sequence[int | None]) -> Select[Any]:
    """Restricts to a range of one time: from is inclusive, to exclusive."""
    since, until = bounds
    if since is not None:
        columns = columns.where(at >= since)
    return columns if until is None else columns.where(at < until)


def open_between(columns: Select[Any], query: Query, rules: TimeRules) -> Select[Any]:
    """Restricts to what the rules of access allow, and to the range of the time that is not the order."""
    if query.order == "published_at":
        columns = between_times(columns, article.c.updated_at, query.times[2:])
    else:
        columns = between_times(columns, article.c.published_at, query.times[:2])
    return columns.where(*open_clauses(rules, article.c))
