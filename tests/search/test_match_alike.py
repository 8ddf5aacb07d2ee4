"""`match=all`, `most` and `any` find the same on both engines and in process; each finds what the one before does."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.reading.lists import count_articles, list_page
from newswire.search.matching import match_texts, matches_article
from newswire.search.query import Query
from newswire.search.relaxation import MATCHES, relax_expression
from newswire.search.syntax import ExpressionError, parse_query
from newswire.store.database import Database
from newswire.visibility import EVERYTHING, Visibility
from tests.search.test_search_alike import Both, both, invented, queries

__all__ = ["both"]
NOW = 1_790_000_000_000
conjunctions = st.tuples(
    st.lists(queries, min_size=1, max_size=6), st.sampled_from(["", " -price", " -(the OR 東京株式)"])
)


def walk(database: Database, text: str, match: str) -> tuple[list[int], int]:
    """The numbers of all matches, page by page, and their count."""
    relaxed = relax_expression(parse_query(text), match)
    numbers: list[int] = []
    cursor: str | None = None
    with database.read() as connection:
        while True:
            query = Query(text=text, expression=relaxed.expression, match=match, items=relaxed.items, limit=40,
                          cursor=cursor)  # fmt: skip
            shown = list_page(connection, query, Visibility(EVERYTHING), NOW)
            numbers += [row.number for row in shown.rows]
            if (cursor := shown.next_cursor) is None:
                return numbers, count_articles(connection, query, Visibility(EVERYTHING), NOW).value


@settings(max_examples=40)
@given(parts=conjunctions)
def test_any_query_finds_the_same_everywhere_and_more_with_each_match(both: Both, parts: tuple[list[str], str]) -> None:
    if not both.documents:
        random = Random(7)
        both.publish([invented(random) for _ in range(120)])
    text = " ".join(f"({part})" if " OR " in part else part for part in parts[0]) + parts[1]
    try:
        parse_query(text)
    except ExpressionError:
        return
    found: list[set[int]] = []
    for match in MATCHES:
        first, second = (walk(database, text, match) for database in both.databases)
        assert first == second
        numbers, counted = first
        assert len(numbers) == len(set(numbers)) == counted
        expression = relax_expression(parse_query(text), match).expression
        texts = enumerate(map(match_texts, both.documents), 1)
        assert set(numbers) == {number for number, each in texts if matches_article(expression, each)}
        found.append(set(numbers))
    assert all(fewer <= more for fewer, more in pairwise(found))
