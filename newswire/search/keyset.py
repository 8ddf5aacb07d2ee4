"""What a list asks of the database, apart from its values: lists of one shape share one statement, made once."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, literal_column, or_, select, tuple_

from newswire.search.query import Position, Query, Times
from newswire.store.statements import Statement
from newswire.store.tables import article

MAX_SHAPES = 500


class ListParameters(NamedTuple):
    """A parameter for each value that is there, as `rows` takes the values themselves."""

    times: Times
    start: Position | None
    unexpired_at: Any


def list_values(query: Query, start: Position | None, limit: int, unexpired_at: int | None) -> dict[str, Any]:
    """The values of a list by name, only those that are there: `start` is the place behind which it begins."""
    times = {name: value for name, value in query.times._asdict().items() if value is not None}
    found = {"status": query.status, **times, "limit": limit}
    if start is not None:
        found |= start._asdict()
    if unexpired_at is not None:
        found["unexpired_at"] = unexpired_at
    return found


def list_parameters(names: Collection[str]) -> ListParameters:
    def parameter(name: str) -> Any:
        return bindparam(name, type_=BigInteger) if name in names else None

    start = Position(parameter("at"), parameter("number")) if "at" in names else None
    return ListParameters(Times(*map(parameter, Times._fields)), start, parameter("unexpired_at"))


@lru_cache(MAX_SHAPES)
def time_order_statement(
    columns: Select[Any], order: str, descending: bool, names: frozenset[str], limit: int
) -> Statement:
    """`columns` (a select from article) of all articles of a status, in an order of time; `names`: of `values_of`.

    The limit is a part of the statement, though it is among the values: of a parameter PostgreSQL assumes a tenth of
    the table, so that it would plan anew at each execution.
    """
    times, start, unexpired_at = list_parameters(names)
    bounds = times[:2] if order == "published_at" else times[2:]
    columns = keyset_page(columns, (article.c[order], article.c.number), bounds, descending, start)
    columns = unexpired_between(
        columns.where(article.c.status == bindparam("status")), Query(order=order, times=times), unexpired_at
    )
    return Statement(columns.limit(literal_column(str(limit))))


@lru_cache(MAX_SHAPES)
def count_statement(numbers: Statement) -> Statement:
    """How many rows such a statement has."""
    return Statement(select(func.count()).select_from(numbers.statement.order_by(None).subquery()))


def keyset_page(
    columns: Select[Any], place: Sequence[ColumnElement[int]], bounds: Sequence[int | None], descending: bool,
    start: Position | None,
) -> Select[Any]:  # fmt: skip
    """Articles straight down (or up) the index over `place`, a time and the number, between `bounds` behind `start`."""
    columns = between_times(columns, place[0], bounds)
    if start is not None:
        columns = columns.where(tuple_(*place) < tuple_(*start) if descending else tuple_(*place) > tuple_(*start))
    return columns.order_by(*(column.desc() if descending else column for column in place))


def between_times(columns: Select[Any], at: ColumnElement[int], bounds: Sequence[int | None]) -> Select[Any]:
    """Narrowed to a range of one time: from is inclusive, to exclusive."""
    since, until = bounds
    if since is not None:
        columns = columns.where(at >= since)
    return columns if until is None else columns.where(at < until)


def unexpired_between(columns: Select[Any], query: Query, unexpired_at: int | None) -> Select[Any]:
    """Narrowed to what has not expired at that time, and to the query's range of the time that is not its order."""
    if query.order == "published_at":
        columns = between_times(columns, article.c.updated_at, query.times[2:])
    else:
        columns = between_times(columns, article.c.published_at, query.times[:2])
    if unexpired_at is None:
        return columns
    return columns.where(or_(article.c.expires_at.is_(None), article.c.expires_at > unexpired_at))
