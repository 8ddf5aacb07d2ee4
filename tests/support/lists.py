"""Posting articles by the thousand, and reading lists page by page to their end."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from newswire.search.syntax import LONGEST_QUERY, MOST_TERMS
from tests.support.wire import Caller

MOST_AT_ONCE = 1_000


def post(publisher: Caller, articles: Sequence[dict[str, Any]]) -> list[str]:
    """Publishes new articles through the batch door, all of which must be accepted; their ids in the same order."""
    ids: list[str] = []
    for start in range(0, len(articles), MOST_AT_ONCE):
        response = publisher.post("/v1/articles/batch", json=articles[start : start + MOST_AT_ONCE])
        assert response.status_code == 200, response.text
        results = response.get_json()["results"]
        assert [result for result in results if result["status"] != 201] == []
        ids += [result["id"] for result in results]
    return ids


def page(reader: Caller, **parameters: Any) -> dict[str, Any]:
    """One page of `GET /v1/articles`; parameters that are None are left out."""
    asked = {name: value for name, value in parameters.items() if value is not None}
    response = reader.get(f"/v1/articles?{urlencode(asked)}")
    assert response.status_code == 200, (asked, response.text)
    answer: dict[str, Any] = response.get_json()
    return answer


def pages(reader: Caller, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
    """The articles of a list, page by page by its cursors; between two pages the caller may write."""
    cursor: str | None = None
    while True:
        shown = page(reader, cursor=cursor, **parameters)
        yield shown["data"]
        cursor = shown["page"]["next_cursor"]
        if cursor is None:
            return


def read(reader: Caller, **parameters: Any) -> list[dict[str, Any]]:
    """All articles of a list."""
    return [article for shown in pages(reader, **parameters) for article in shown]


def finds(reader: Caller, query: str, number: str) -> bool:
    """Whether a query finds an article, given by its id."""
    return [article["id"] for article in read(reader, q=query, ids=number, fields="id")] == [number]


def missing(reader: Caller, wanted: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Which queries, of one word or quoted phrase each, do not find the article under whose id they stand.

    Those of one article are asked for together, those of several as alternatives of one `q`, as many as it takes;
    one by one only where such a `q` does not find all of its articles.
    """
    missed: list[tuple[str, str]] = []
    for some in portions(wanted):
        q = " OR ".join(f"({' '.join(queries)})" for queries in some.values())
        found = {article["id"] for article in read(reader, q=q, ids=",".join(some), limit=100, fields="id")}
        if found != set(some):
            alone = [(number, query) for number, queries in some.items() for query in queries]
            missed += [pair for pair in alone if not finds(reader, pair[1], pair[0])] or [(",".join(some), q)]
    return missed


def portions(wanted: Mapping[str, Sequence[str]]) -> Iterator[dict[str, list[str]]]:
    """The same queries by article, as many at a time as one `q` takes."""
    some: dict[str, list[str]] = {}
    terms, room = 0, LONGEST_QUERY
    for number, query in ((number, query) for number, queries in wanted.items() for query in queries):
        needed = len(query) + len(" OR ()")
        if terms == MOST_TERMS or needed > room:
            yield some
            some, terms, room = {}, 0, LONGEST_QUERY
        some.setdefault(number, []).append(query)
        terms, room = terms + 1, room - needed
    if some:
        yield some
