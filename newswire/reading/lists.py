"""Lists of articles in the order of time: pages by keyset pagination, bounded counts, and a cache of expiries.

A page selects one row more than it returns, which tells whether there is a next page. OFFSET was refused: its cost
grows with the depth of the page. Pages in the order of relevance are in `relevance`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Select, bindparam, case, func, literal_column, select

from newswire.document import PAGE_BYTES, count_fitting
from newswire.search import index
from newswire.search.keyset import count_statement, list_values, time_order_statement
from newswire.search.query import Position, Query
from newswire.store.articles import CURRENT, NUMBERS, AnyRow
from newswire.store.statements import Statement
from newswire.store.tables import article, version
from newswire.visibility import NOTHING, Filter, TimeRules, Visibility
from newswire.wire import Head, PerHead

COUNTED_TO = 10_000
EVERYTHING = Filter()
LAST_EXPIRY = select(func.max(article.c.expires_at)).where(article.c.expires_at <= bindparam("now")).scalar_subquery()
NEXT_EXPIRY = select(func.min(article.c.expires_at)).where(article.c.expires_at > bindparam("now")).scalar_subquery()
# One statement, because each new head asks for it.
EXPIRIES = Statement(select(LAST_EXPIRY.label("last"), NEXT_EXPIRY.label("following")))
LARGE_ARTICLE = 128 * 1024
"""Bytes of an article without its body that a statement for a page loads at once; a larger one is read by itself.

Some kilobytes are usual, 8 MiB of captions are possible, and a page of 100 such would take 800 MB.
"""
BODIES, WITHOUT_BODIES = (
    select(size).join_from(article, version, CURRENT)
    for size in (func.length(version.c.rendered) + func.length(version.c.body), func.length(version.c.rendered))
)
RENDERED = Statement(
    select(version.c.rendered).join_from(article, version, CURRENT).where(article.c.number == bindparam("number"))
)


class Count(NamedTuple):
    """A bounded count: `relation` eq is exact, gte means at least `value`."""

    value: int
    relation: str

    @classmethod
    def of(cls, found: int, most: int = COUNTED_TO) -> Self:
        """From a count that stopped at `most` + 1."""
        return cls(min(found, most), "eq" if found <= most else "gte")


class Duplicates(NamedTuple):
    """The first near-duplicates of an article, each as it is told, and the number of all."""

    told: Sequence[Mapping[str, Any]]
    total: Count


class ListPage(NamedTuple):
    """Rows of a page (id, seq, status, rendered, body, form, sort position) and the cursor of the next page, if any.

    `duplicates` are those of each row by its number, where the query collapses them.
    """

    rows: Sequence[AnyRow]
    next_cursor: str | None
    duplicates: Mapping[int, Duplicates] = {}


def list_page(
    connection: Connection, query: Query, visibility: Visibility, now: int, languages: Sequence[str] | None = None
) -> ListPage:
    """The page of `query` that this caller may see; raises `Problem` for an invalid cursor or one of another query.

    `languages` are those of the index, if the caller has them cached.
    """
    query, start = query.resume()
    limit = query.limit
    if needs_bodies(query):
        # Sizes are read before the bodies, so that a page never loads more than `PAGE_BYTES` into memory.
        sizes, values = list_statement(connection, BODIES, query, visibility, now, start, limit, languages)
        limit = count_fitting([size for (size,) in sizes.execute(connection, values)])
    shape = _list_columns(query.order, needs_bodies(query), whole=needs_bodies(query))
    statement, values = list_statement(connection, shape, query, visibility, now, start, limit + 1, languages)
    rows = statement.all(connection, values)
    page = load_large_articles(connection, rows[:limit])
    more = len(rows) > len(page)
    cursor = query.cursor_at(Position(page[-1].at, page[-1].number)) if more else None
    return ListPage(page, cursor)


def count_articles(
    connection: Connection, query: Query, visibility: Visibility, now: int, most: int = COUNTED_TO
) -> Count:
    """The number of articles in the whole list, exact up to `most`."""
    query, _ = query.resume()
    wanted, rules = visible_filter(query, visibility, now)
    if wanted != EVERYTHING or query.expression is not None:
        return Count.of(index.count_matches(connection, query, wanted, most + 1, rules), most)
    numbers, values = list_statement(connection, NUMBERS, query, visibility, now, None, most + 1)
    return Count.of(count_statement(numbers).execute(connection, values).fetchone()[0], most)


def list_statement(
    connection: Connection, columns: Select[Any], query: Query, visibility: Visibility, now: int,
    start: Position | None, limit: int, languages: Sequence[str] | None = None,
) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
    """Selects `columns` of the visible matches of a query, in its order, after `start`: statement and values.

    `columns` is a select from article. It is a key of the statement cache, so callers must pass the same object.
    """
    wanted, rules = visible_filter(query, visibility, now)
    if wanted != EVERYTHING or query.expression is not None:
        return index.search_statement(connection, columns, query, wanted, start, limit, rules, languages)
    values = list_values(query, start, limit, rules)
    return time_order_statement(columns, query.order, query.descending, frozenset(values), limit), values


def visible_filter(query: Query, visibility: Visibility, now: int) -> tuple[Filter, TimeRules]:
    """The conditions of the query and of the caller's access together: terms, and rules on times."""
    rule = visibility.rule_at(now)
    wanted = rule.filter & query.filter
    return (wanted if query.status in rule.statuses else wanted & NOTHING), rule.times


def rows_in_order(connection: Connection, query: Query, numbers: Sequence[int]) -> Sequence[AnyRow]:
    """The rows of articles in the order of `numbers`; only the first ones if all do not fit into `PAGE_BYTES`."""
    sized = (BODIES if needs_bodies(query) else WITHOUT_BODIES).add_columns(article.c.number)
    sizes = {row.number: row[0] for row in connection.execute(sized.where(article.c.number.in_(numbers)))}
    numbers = numbers[: count_fitting([sizes[number] for number in numbers])]
    wanted = _list_columns(query.order, needs_bodies(query), whole=True)
    rows = connection.execute(wanted.where(article.c.number.in_(numbers)))
    by_number = {row.number: row for row in rows}
    return [by_number[number] for number in numbers]


def needs_bodies(query: Query) -> bool:
    """Whether the rows of a page contain bodies, whose sizes then bound the page."""
    return query.include_body or query.highlight


def load_large_articles(connection: Connection, rows: Sequence[AnyRow]) -> Sequence[AnyRow]:
    """The rows of a page with the articles that its statement left out; only the first ones that fit `PAGE_BYTES`."""
    if not any(row.rendered is None for row in rows):
        return rows
    page: list[AnyRow] = []
    size = 0
    for row in rows:
        if row.rendered is None:
            row = row._replace(rendered=RENDERED.execute(connection, {"number": row.number}).fetchone()[0])
        size += len(row.rendered)
        if page and size > PAGE_BYTES:
            break
        page.append(row)
    return page


@cache
def _list_columns(order: str, bodies: bool, *, whole: bool) -> Select[Any]:
    """The columns of a page; without `whole` the rendered JSON of large articles is None."""
    body = version.c.body if bodies else literal_column("NULL").label("body")
    short = func.length(version.c.rendered) <= literal_column(str(LARGE_ARTICLE))
    rendered = version.c.rendered if whole else case((short, version.c.rendered)).label("rendered")
    return select(
        article.c.id, article.c.seq, article.c.status, rendered, body, version.c.form,
        article.c[order].label("at"), article.c.number,
    ).join_from(article, version, CURRENT)  # fmt: skip


class Expiries(NamedTuple):
    """The last expiry up to `since` and the first one after it, in milliseconds since 1970; None if there is none."""

    since: int
    last: int | None
    following: int | None


class Calendar:
    """A cache of the expiries around now, at which lists change before the log has an entry for it.

    A new head makes it stale, because only articles on the wire expire from it.
    """

    def __init__(self) -> None:
        self._cached: PerHead[Expiries] = PerHead()

    def around(self, connection: Connection, head: Head, now: int) -> Expiries:
        """The expiries around `now` at `head`, which `connection` sees."""
        cached = self._cached.get(head)
        if cached is None or now < cached.since or (cached.following is not None and cached.following <= now):
            cached = self._cached.put(head, Expiries(now, *EXPIRIES.execute(connection, {"now": now}).fetchone()))
        return cached
