"""A query to a page: one select by keyset, never an OFFSET; a count only when asked for, and bounded.

A page asks for one row more than it shows; that row tells whether there is another page.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, LargeBinary, Select, and_, func, literal, select

from newswire.query import NOTHING, Filter, Place, Query, Visibility
from newswire.readers.splicing import how_many_fit
from newswire.store import search
from newswire.store.rows import AnyRow, current, walked
from newswire.store.tables import article, version

COUNTED_TO = 10_000
CURRENT = and_(version.c.number == article.c.number, version.c.version == article.c.version)
SIZES = select(func.length(version.c.body)).join_from(article, version, CURRENT)


class Page(NamedTuple):
    """Rows of a page: id, seq, status, rendered, body and their place; and the cursor behind it, if any."""

    rows: Sequence[AnyRow]
    next_cursor: str | None


class Count(NamedTuple):
    """How many there are: `relation` eq is exact, gte says that there are at least so many."""

    value: int
    relation: str

    @classmethod
    def of(cls, found: int) -> Self:
        """Of a count that went one further than `COUNTED_TO`, if there were so many."""
        return cls(min(found, COUNTED_TO), "eq" if found <= COUNTED_TO else "gte")


def page(connection: Connection, query: Query, visibility: Visibility, now: int) -> Page:
    """The page of `query` that this caller may see; raises `Problem` for a cursor that is not of this query."""
    query, start = query.resumed()
    limit = query.limit
    if with_bodies(query):
        limit = how_many_fit(connection.scalars(found(connection, SIZES, query, visibility, now, start, limit)).all())
    rows = connection.execute(found(connection, columns(query), query, visibility, now, start, limit + 1)).all()
    shown = rows[:limit]
    more = len(rows) > limit
    cursor = query.cursor_at(Place(shown[-1].at, shown[-1].number)) if more else None
    return Page(shown, cursor)


def count(connection: Connection, query: Query, visibility: Visibility, now: int) -> Count:
    """How many articles the whole list has, exact to 10,000."""
    query, _ = query.resumed()
    numbers = select(article.c.number)
    matches = found(connection, numbers, query, visibility, now, None, COUNTED_TO + 1).order_by(None).subquery()
    value: int = connection.execute(select(func.count()).select_from(matches)).scalar_one()
    return Count.of(value)


def found(
    connection: Connection, columns: Select[Any], query: Query, visibility: Visibility, now: int,
    start: Place | None, limit: int,
) -> Select[Any]:  # fmt: skip
    """`columns` (a select from article) of what a caller may see of a query, in its order, behind `start`."""
    wanted = visibility.filter & query.filter
    if query.status != "usable" and not visibility.owner:
        wanted &= NOTHING
    unexpired_at = None if visibility.owner else now
    if wanted != Filter() or query.expression is not None:
        return search.articles(connection, columns, query, wanted, start, limit, unexpired_at)
    bounds = query.times[:2] if query.order == "published_at" else query.times[2:]
    columns = walked(columns, (article.c[query.order], article.c.number), bounds, query.descending, start)
    return current(columns.where(article.c.status == query.status), query, unexpired_at).limit(limit)


def chosen(connection: Connection, query: Query, numbers: Sequence[int]) -> Sequence[AnyRow]:
    """The rows of some articles that `found` gave, in the same order; of the first ones only if all are too large."""
    if with_bodies(query):
        sized = SIZES.add_columns(article.c.number).where(article.c.number.in_(numbers))
        sizes = {row.number: row[0] for row in connection.execute(sized)}
        numbers = numbers[: how_many_fit([sizes[number] for number in numbers])]
    rows = connection.execute(columns(query).where(article.c.number.in_(numbers)))
    known = {row.number: row for row in rows}
    return [known[number] for number in numbers]


def with_bodies(query: Query) -> bool:
    """Whether the rows of a page hold the bodies; the sizes of these then bound the page."""
    return query.include_body or query.highlight


def columns(query: Query) -> Select[Any]:
    body = version.c.body if with_bodies(query) else literal(b"", LargeBinary).label("body")
    return select(
        article.c.id, article.c.seq, article.c.status, version.c.rendered, body, article.c[query.order].label("at"),
        article.c.number,
    ).join_from(article, version, CURRENT)  # fmt: skip
