"""How many articles `match=most` would find where `match=all` does not fill its first page.

What is found is counted within what the caller may see, as the list itself is. The newest matches are counted, in the
order of the list: to look up all matches of common words would take far longer than the page.
"""

from dataclasses import replace

from sqlalchemy import Connection

from newswire.reading.lists import Count, ListPage, list_statement
from newswire.search.keyset import count_statement
from newswire.search.price import check_price
from newswire.search.query import Query
from newswire.search.relaxation import ALL, MOST, relax_expression
from newswire.search.syntax import ExpressionError
from newswire.store.articles import NUMBERS
from newswire.visibility import Visibility

MOST_COUNTED = 1_000
SEARCHES = 2
"""The page and the count: a query that would cost too much as both is not counted."""


def count_more(connection: Connection, query: Query, page: ListPage, visibility: Visibility, now: int) -> Count | None:
    """The number of matches with `match=most`, to `MOST_COUNTED`, if they are more than the `page` of the query has.

    None for all but a first page with `match=all` that has room, and where `most` would find no more.
    """
    has_room = query.cursor is None and page.next_cursor is None and len(page.rows) < query.limit
    if query.expression is None or query.match != ALL or not has_room:
        return None
    relaxed = relax_expression(query.expression, MOST)
    if not relaxed.items:
        return None
    try:
        check_price(relaxed.expression, SEARCHES)
    except ExpressionError:
        return None
    wider = replace(query, expression=relaxed.expression, match=MOST, order="published_at", descending=True)
    numbers, values = list_statement(connection, NUMBERS, wider, visibility, now, None, MOST_COUNTED + 1)
    found = count_statement(numbers).execute(connection, values).fetchone()[0]
    return Count.of(found, MOST_COUNTED) if found > len(page.rows) else None
