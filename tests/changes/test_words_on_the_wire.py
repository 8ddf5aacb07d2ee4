"""`q` on the wire is matched version by version, in process; it finds what the lists find by SQL."""

from collections.abc import Iterator
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.search.syntax import ExpressionError, parse_query
from tests.search.test_search_alike import invented, queries
from tests.support.ways_of_reading import paged
from tests.support.wire import Caller, Wire


@pytest.fixture
def readers(database_url: str) -> Iterator[tuple[Caller, list[str]]]:
    """A reader of sixty articles in many languages, each at its first version, and their ids."""
    wire = Wire(database_url)
    random = Random(13)
    sent = [invented(random) for _ in range(60)]
    results = wire.as_publisher().post("/v1/articles/batch", json=sent).get_json()["results"]
    yield wire.as_partner(), [result["id"] for result in results]
    wire.close()


def listed(reader: Caller, query: str) -> set[str]:
    response = reader.get(f"/v1/articles?limit=100{query}")
    assert response.status_code == 200, response.text
    return {article["id"] for article in response.get_json()["data"]}


@settings(max_examples=25)
@given(text=queries, fields=st.sampled_from(["", "&search_in=headline,caption", "&search_in=body"]),
       section=st.sampled_from(["", "&section=a", "&not_section=a&language=en,fr"]))  # fmt: skip
def test_the_wire_finds_what_the_lists_find(
    readers: tuple[Caller, list[str]], text: str, fields: str, section: str
) -> None:
    try:
        parse_query(text)
    except ExpressionError:
        return
    reader, ids = readers
    query = f"&q={quote(text)}{fields}{section}"
    told, _ = paged(reader, f"{query}&limit=500", 0)
    found = [entry["article_id"] for entry in told]
    assert {*found} == listed(reader, query)
    assert found == [article for article in ids if article in found]
