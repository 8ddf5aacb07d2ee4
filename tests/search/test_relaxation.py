"""`match=most` and `match=any` as expressions: what is counted, what always holds, and how long they become."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.search.analysis import analyse_texts
from newswire.search.expression import And, Expression, Or, Phrase, Spellings, Term
from newswire.search.matching import match_texts, matches_article
from newswire.search.price import all_leaves
from newswire.search.relaxation import (
    ALL,
    ANY,
    MATCHES,
    MOST,
    at_least,
    counted_items,
    relax_expression,
    some_of,
)  # fmt: skip
from newswire.search.syntax import parse_query


def matches(text: str, query: str, match: str) -> bool:
    return holds(relax_expression(parse_query(query), match).expression, text)


def holds(expression: Expression, text: str) -> bool:
    return matches_article(expression, match_texts(analyse_texts({"body": text}, "en")))


def words(number: int) -> list[Term]:
    return [Term(f"word{each}", f"word{each}") for each in range(number)]


@pytest.mark.parametrize(
    ("query", "needed"),
    [("ash", 1), ("ash bay", 1), ("ash bay cod", 1), ("ash bay cod dab", 2), ("ash bay cod dab eel", 2),
     ("ash bay cod dab eel fly", 2)],
)  # fmt: skip
def test_most_is_two_of_the_words_or_one_of_up_to_three(query: str, needed: int) -> None:
    names = query.split()
    for number in range(len(names) + 1):
        for some in combinations(names, number):
            assert matches(" ".join(some), query, MOST) is (number >= needed)
            assert matches(" ".join(some), query, ANY) is (number >= 1)
            assert matches(" ".join(some), query, ALL) is (number == len(names))


def test_of_many_words_neighbours_count_together() -> None:
    query = " ".join(f"w{number}" for number in range(20))
    assert matches("w0 w19", query, MOST)
    assert not matches("w0 w1", query, MOST)
    assert matches("w7", query, ANY)


@pytest.mark.parametrize("match", [MOST, ANY])
def test_exclusions_always_hold(match: str) -> None:
    assert matches("ash", "ash bay cod -dab", match)
    assert not matches("ash bay cod dab", "ash bay cod -dab", match)
    assert not matches("bay dab", "ash bay NOT (dab OR eel)", match)


def test_phrases_fields_groups_and_spellings_are_one_each() -> None:
    assert len(counted_items(parse_query('ash "bay cod" (dab OR eel) body:fly U.S. -gnu'))) == 5
    assert not matches("bay", 'ash "bay cod" (dab OR eel) body:fly', ANY)
    assert not matches("dab eel", 'ash "bay cod" (dab OR eel) body:fly', MOST)
    assert matches("dab fly", 'ash "bay cod" (dab OR eel) body:fly', MOST)
    spelt = Spellings((Phrase(("u", "s")), Term("us", "us")))
    relaxed = relax_expression(And((spelt, *words(3))), MOST)
    assert relaxed.items[0] == spelt
    assert not holds(relaxed.expression, "us, that is u s")
    assert holds(relaxed.expression, "us and word1")
    # An `Or` would lose that the two spellings are one word.
    assert spelt in relax_expression(And((spelt, *words(1))), ANY).expression.operands  # type: ignore[union-attr]


@pytest.mark.parametrize("query", ["ash", "ash OR bay", "ash bay OR cod dab", '"ash bay"', "ash -bay"])
def test_what_is_no_conjunction_stays_as_it_is(query: str) -> None:
    parsed = parse_query(query)
    assert {relax_expression(parsed, match).expression for match in MATCHES} == {parsed}


def test_function_words_make_no_match_unless_there_are_no_others() -> None:
    for match in (MOST, ANY):
        assert not matches("what is the matter of it", "what is the price of gold", match)
        assert matches("gold", "what is the price of gold", match)
        assert matches("le prix", "le prix de l'or", match)
        assert matches("the", "what is the", match)
        assert matches("who", "who", match)
    assert not matches("price gold", "what is the price of gold", ALL)


def test_a_word_that_is_repeated_counts_once() -> None:
    assert counted_items(parse_query("ash ash bay")) == counted_items(parse_query("ash bay"))
    assert relax_expression(parse_query("ash ash"), MOST).items == ()


@given(st.integers(1, 6).flatmap(lambda number: st.tuples(st.just(number), st.integers(1, number))))
def test_at_least_so_many_is_neither_more_nor_fewer(sizes: tuple[int, int]) -> None:
    number, needed = sizes
    names = words(number)
    made = at_least(needed, names)
    assert some_of(names, lambda found: len(found) >= needed) is not None
    for size in range(number + 1):
        for some in combinations(names, size):
            assert holds(made, " ".join(term.form for term in some)) is (size >= needed)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 30))
def test_some_of_the_groups_is_what_the_rule_says(weights: list[int], needed: int) -> None:
    names = words(len(weights))
    made = some_of(names, lambda found: sum(weights[index] for index in found) >= needed)
    assert (made is None) is (sum(weights) < needed)
    for size in range(1, len(weights) + 1):
        for some in combinations(range(len(weights)), size):
            text = " ".join(names[index].form for index in some)
            assert made is None or holds(made, text) is (sum(weights[index] for index in some) >= needed)


def test_a_relaxed_expression_is_at_most_three_times_as_long() -> None:
    for number in (2, 3, 4, 5, 6, 7, 11, 20, 100):
        relaxed = relax_expression(And(tuple(words(number))), MOST).expression
        assert len([*all_leaves(relaxed)]) <= 3 * number
        assert len([*all_leaves(relax_expression(And(tuple(words(number))), ANY).expression)]) == number
    assert isinstance(relaxed, Or)
