"""`meta.query`: a reader is told how `q` was understood."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.search.expression import Spellings, Term
from newswire.search.query_summary import summarize_query
from newswire.search.syntax import ExpressionError, understand_query
from tests.support.wire import Caller, Wire

EMPTY: dict[str, Any] = {
    "words": [], "phrases": [], "near": [], "prefixes": [], "fields": {}, "excluded": [], "left_out": [],
    "synonyms": {},
    "unknown_fields": [],
}  # fmt: skip


def summary(text: str, search_in: frozenset[str] | None = None) -> dict[str, Any]:
    return summarize_query(*understand_query(text, search_in), search_in)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rates rise :)", {"words": ["rates", "rise"], "left_out": [":)"]}),
        ("École OR (études -été)", {"words": ["école", "études"], "excluded": ["été"]}),
        ("title:iraq author:har*", {"fields": {"headline": ["iraq"], "byline": ["har*"]}}),
        ('summary:"a b" x', {"words": ["x"], "fields": {"summary": ['"a b"']}}),
        ('"oil price" intern* "new y"*', {"phrases": ["oil price"], "prefixes": ["intern", "new y"]}),
        ("c++ #tag .net @name (C#)", {"words": ["c++", "#tag", ".net", "@name", "c#"]}),
        ("U.S. Wi-Fi, 12,500 AT&T's #a_b", {"words": ["u.s.", "wi-fi", "12,500", "at&t", "#a_b"]}),
        ('"Learn C++ fast" "the U.S. Army"', {"phrases": ["learn c++ fast", "the u.s. army"]}),
        ('title:C++ -c# -"a .net b"', {"fields": {"headline": ["c++"]}, "excluded": ["c#", '"a .net b"']}),
        ('"c++ 中国人"', {"phrases": ["c 中国人"]}),
        ("10:30 c++/java U.S*", {"phrases": ["10 30", "c java"], "prefixes": ["u s"]}),
        ("-title:x a", {"words": ["a"], "excluded": ["headline:x"]}),
        ('"a b"~5 headline:"c d"~0', {"near": ['"a b"~5'], "fields": {"headline": ['"c d"~0']}}),
        ("foo:bar", {"phrases": ["foo bar"], "unknown_fields": ["foo"]}),
        ("中国人 「AI技術 new」 中", {"phrases": ["中国人", "ai 技术 new"], "prefixes": ["中"]}),
    ],
)  # fmt: skip
def test_the_summary_has_each_part_of_a_query(text: str, expected: dict[str, Any]) -> None:
    assert summary(text) == EMPTY | expected


def test_words_within_search_in_are_no_words_of_a_field() -> None:
    search_in = frozenset({"headline", "summary"})
    assert summary("a body:b -c", search_in) == EMPTY | {"words": ["a"], "fields": {"body": ["b"]}, "excluded": ["c"]}


def test_spellings_of_one_word_are_one_word() -> None:
    assert summarize_query(Spellings((Term("wifi", "wifi"), Term("wi", "wi"))), (), (), None)["words"] == ["wifi"]


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_the_summary_is_not_much_longer_than_the_query(text: str) -> None:
    try:
        found = summary(text)
    except ExpressionError:
        return
    lengths = [len(each) for name, parts in found.items() for each in (parts if name != "fields" else ())]
    assert sum(lengths) < 20 * len(text) + 100
    assert len(found["left_out"]) <= 20


@pytest.fixture
def partner(wire: Wire) -> Caller:
    publisher = wire.as_publisher()
    for number in range(3):
        publisher.publish(f"Cocoa {number}")
    return wire.as_partner()


def test_the_first_page_alone_tells_how_q_was_understood(partner: Caller) -> None:
    expected = EMPTY | {"words": ["cocoa"], "left_out": [":)"]}
    for sort in ("-published_at", "relevance"):
        page = partner.get(f"/v1/articles?q=cocoa+:)&limit=2&sort={sort}").get_json()
        assert page["meta"]["query"] == expected
        following = partner.get(page["links"]["next"].removeprefix("http://localhost")).get_json()
        assert len(following["data"]) == 1
        assert "query" not in following["meta"]
    for without in ("", "?q=", "?section=a"):
        assert "query" not in partner.get(f"/v1/articles{without}").get_json()["meta"]
    signs = partner.get("/v1/articles?q=:)").get_json()
    assert (signs["data"], signs["meta"]["query"]) == ([], EMPTY | {"left_out": [":)"]})
    partner.post("/v1/feeds", json={"name": "desk", "query": "q=title:cocoa"})
    read = partner.get("/v1/feeds/desk/articles").get_json()
    assert (len(read["data"]), read["meta"]["query"]["fields"]) == (3, {"headline": ["cocoa"]})
