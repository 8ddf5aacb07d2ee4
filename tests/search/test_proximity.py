"""Proximity, `"a b"~5`: what is near, alike on both engines and in process, and what is refused."""

import time
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.search.analysis import analyse_texts
from newswire.search.expression import And, Near, Not
from newswire.search.highlight import highlight_article
from newswire.search.matching import match_texts, matches_article
from newswire.search.proximity import count_near, has_near
from newswire.search.syntax import ExpressionError, parse_query
from newswire.visibility import Filter
from tests.search.test_search_alike import Both
from tests.support.lists import read
from tests.support.wire import Wire


def found(query: str, text: str, language: str = "en") -> bool:
    return matches_article(parse_query(query), match_texts(analyse_texts({"body": text}, language)))


def test_a_quotation_with_a_distance_is_a_condition_of_its_own() -> None:
    near = Near(("oil", "price"), 5)
    assert parse_query('"oil price"~5') == parse_query("„Oil, price oil“～5") == near
    assert parse_query('headline:"oil price"~0') == Near(("oil", "price"), 0, frozenset({"headline"}))
    excluded = Not(Near(("a", "b"), 100, frozenset({"headline"})))
    assert parse_query('"oil price"~5 -title:"a b"~100') == And((near, excluded))
    assert parse_query("「中国人 AI」~3") == Near(("中国", "国人", "ai"), 3)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ('a "oil price"~101', 13, "at most 100"), ('"oil price"~99999999', 11, "at most 100"),
        ('a "oil"~5', 2, "2 to 8"), ('"oil oil"~5', 0, "2 to 8"), ('"a b c d e f g h i"~5', 0, "2 to 8"),
        ('"..."~5', 0, "2 to 8"), ("「中 国」~5", 0, "two characters"), ('"a b"~1 ' * 6, 40, "at most 5"),
    ],
)  # fmt: skip
def test_what_cannot_be_near_is_refused_at_the_place(text: str, position: int, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_query(text)
    assert (caught.value.position, says in caught.value.detail) == (position, True)


@pytest.mark.parametrize(
    ("query", "text", "is_found"),
    [
        ('"oil price"~0', "The price, oil said", True),
        ('"oil price"~0', "oil price", True),
        ('"oil price"~2', "oil x x price", True),
        ('"oil price"~1', "oil x x price", False),
        ('"a b c"~1', "c a b", True),
        ('"a b c"~0', "c a b", False),
        ('"a b c"~2', "a a x c x b x x a", False),
        ('"a b c"~3', "b x a x c", True),
        ('"oil price"~5', "oils prices", False),
        ('"中国 人民"~0', "中国人民", False),
        ('"中国 人民"~1', "中国人民", True),
    ],
)
def test_words_are_near_with_at_most_so_many_between_the_outermost_two(query: str, text: str, is_found: bool) -> None:
    assert found(query, text) is is_found


def test_words_of_two_fields_are_not_near() -> None:
    texts = match_texts(analyse_texts({"headline": "oil", "summary": "price", "body": "price x oil"}, "en"))
    assert not matches_article(parse_query('title:"oil price"~100'), texts)
    assert not matches_article(parse_query('"oil price"~0'), texts)
    assert matches_article(parse_query('"oil price"~1'), texts)
    assert not matches_article(parse_query('"oil price"~1'), texts, ["headline", "summary"])


@settings(max_examples=300)
@given(st.lists(st.sampled_from("abcx"), max_size=30), st.integers(0, 6), st.sampled_from(["ab", "abc", "ca"]))
def test_near_is_what_the_definition_says(words: list[str], distance: int, forms: str) -> None:
    near = Near(tuple(forms), distance)
    windows = (words[start : start + distance + 2] for start in range(len(words)))
    expected = any(set(forms) <= {*window} for window in windows)
    text = f" {' '.join(words)} "
    assert has_near(near, text) == expected == (count_near(near, text) > 0)


@pytest.fixture
def both(fresh_sqlite: str, fresh_postgresql: str) -> Iterator[Both]:
    made = Both([fresh_sqlite, fresh_postgresql])
    yield made
    made.close()


WORDS = ["oil", "price", "rose", "études", "東京株式", "x", "y", "z"]
QUOTED = st.lists(st.sampled_from(WORDS), min_size=2, max_size=4).map(" ".join)
NEAR = st.tuples(st.sampled_from(["", "headline:", "body:"]), QUOTED, st.sampled_from([0, 1, 2, 5, 11, 30])).map(
    lambda parts: f'{parts[0]}"{parts[1]}"~{parts[2]}'
)
QUERIES = st.one_of(
    NEAR,
    st.tuples(NEAR, st.sampled_from([" ", " OR ", " -"]), NEAR).map("".join),
    st.tuples(st.sampled_from(["oil", "title:price", "pri*"]), st.sampled_from([" ", " OR ", " -"]), NEAR).map("".join),
)  # fmt: skip


@settings(max_examples=80)
@given(q=QUERIES)
def test_near_finds_the_same_on_both_engines_and_in_process(both: Both, q: str) -> None:
    if not both.documents:
        random = Random(3)

        def text(longest: int) -> str:
            return " ".join(random.choices(WORDS, [2, 2, 1, 1, 1, 9, 9, 9], k=random.randint(1, longest)))

        languages = ["en", "fr", "ja"] * 30
        both.publish([{"headline": text(6), "body_text": text(60), "language": language} for language in languages])
    try:
        parse_query(q)
    except ExpressionError:
        return
    first, second = both.found(q, Filter())
    assert first == second
    assert set(first) == both.matching(q)


def test_near_is_ranked_and_highlighted(wire: Wire) -> None:
    publisher = wire.as_publisher()
    filler = " word" * 300
    at = {"published_at": "2026-01-01T00:00:00Z"}
    publisher.publish("Once", body_text=f"The oil has a price.{filler}", **at)
    publisher.publish("Thrice", body_text=f"Oil at a price. Price of oil. Oil price.{filler}", **at)
    publisher.publish("Far", body_text=f"Oil.{filler} price")
    partner = wire.as_partner()
    ranked = read(partner, q='"oil price"~2', sort="relevance", highlight="true")
    assert [article["headline"] for article in ranked] == ["Thrice", "Once"]
    (fragment,) = ranked[1]["highlights"]["body"]
    assert fragment.startswith("The <mark>oil</mark> has a <mark>price</mark>.")
    article = {"body_text": f"oil.{filler} oil, price", "headline": "oil"}
    shown = highlight_article(parse_query('"oil price"~2'), article)
    assert shown["headline"] == []
    assert shown["body"][0].count("<mark>") == 2


@pytest.mark.parametrize("body", ["oil " * 500_000, "oil x y " * 250_000])
def test_the_longest_body_is_matched_in_bounded_time(body: str) -> None:
    """Only the last word is another one, and far from the one before, so that nothing ends the walk early."""
    near, text = Near(("oil", "price"), 100), f" {body}{'x ' * 300}price "
    began = time.process_time()
    assert not has_near(near, text)
    assert time.process_time() - began < 4


@pytest.mark.slow
def test_a_long_body_is_looked_at_in_bounded_time_on_both_engines(both: Both) -> None:
    both.publish([{"headline": "Long", "body_text": "oil x y " * 50_000 + "x " * 300 + "price"}])
    for distance in (5, 100):
        began = time.monotonic()
        assert both.found(f'"oil price"~{distance}', Filter()) == [[], []]
        assert both.found(f'"oil price y"~{distance}', Filter()) == [[], []]
        assert time.monotonic() - began < 20
