"""A query to a page: one select by keyset, never an OFFSET, never a COUNT.

A page asks for one row more than it shows; that row tells whether there is another page.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, LargeBinary, Select, and_, literal, or_, select, tuple_

from newswire.query import Filter, Place, Query, Visibility, term
from newswire.store import search
from newswire.store.rows import AnyRow
from newswire.store.tables import article, version

USABLE = Filter(include=(frozenset({term("status", "usable")}),))


class Page(NamedTuple):
    """Rows of a page: id, seq, status, rendered, body, published_at, number; and the cursor behind it, if any."""

    rows: Sequence[AnyRow]
    next_cursor: str | None


def page(connection: Connection, query: Query, visibility: Visibility, now: int) -> Page:
    """The page of `query` that this caller may see; raises `Problem` for a cursor that is not of this query."""
    start = query.start()
    wanted = visibility.filter & query.filter
    if wanted == Filter() and query.expression is None:
        statement = walk(query, start)
    else:
        statement = search.articles(
            connection, columns(query), query.expression, wanted & USABLE,
            published_from=query.published_from, published_to=query.published_to,
            start=start, descending=query.descending, limit=query.limit + 1,
        )  # fmt: skip
    statement = statement.where(or_(article.c.expires_at.is_(None), article.c.expires_at > now))
    rows = connection.execute(statement).all()
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = query.cursor_at(Place(shown[-1].published_at, shown[-1].number)) if more else None
    return Page(shown, cursor)


def columns(query: Query) -> Select[Any]:
    body = version.c.body if query.include_body else literal(b"", LargeBinary).label("body")
    return select(
        article.c.id, article.c.seq, article.c.status, version.c.rendered, body, article.c.published_at,
        article.c.number,
    ).join_from(
        article, version, and_(version.c.number == article.c.number, version.c.version == article.c.version)
    )  # fmt: skip


def walk(query: Query, start: Place | None) -> Select[Any]:
    """The newest (or oldest) usable articles, straight down the index of publication times."""
    place = tuple_(article.c.published_at, article.c.number)
    statement = columns(query).where(article.c.status == "usable").limit(query.limit + 1)
    if query.published_from is not None:
        statement = statement.where(article.c.published_at >= query.published_from)
    if query.published_to is not None:
        statement = statement.where(article.c.published_at < query.published_to)
    if query.descending:
        statement = statement.order_by(article.c.published_at.desc(), article.c.number.desc())
        return statement if start is None else statement.where(place < tuple_(*start))
    statement = statement.order_by(article.c.published_at, article.c.number)
    return statement if start is None else statement.where(place > tuple_(*start))
