"""The analysis of long texts in portions: the index holds the beginning of a text, as much as the budget allows."""

import random
from collections.abc import Callable
from itertools import pairwise
from time import process_time

import pytest

from newswire.search.analysis import COMPOUNDS_WITHIN, INDEX_BUDGET, analyse_texts, stem_tokens, word_forms

OVERHEAD, PAIR = 16, 16


def cost_of(forms: list[str], stems: frozenset[str]) -> int:
    """The bytes of the budget that the forms and stems of a body take."""
    tokens = {*forms, *stems}
    pairs = {*pairwise(["", *forms])}
    return sum(len(token.encode()) + OVERHEAD for token in tokens) + PAIR * len(pairs)


def random_text(letters: str, length: int, longest: int, number: int) -> str:
    chosen = random.Random(number)
    words = ("".join(chosen.choices(letters, k=chosen.randint(1, longest))) for _ in range(number))
    return "".join(word + chosen.choice([" ", "\n", " \t", ", "]) for word in words)[:length]


# Each is made by its test and not when the file is read: making them takes a second.
TEXTS: dict[str, tuple[str, Callable[[], str]]] = {
    "English": ("en", lambda: random_text("abcdefgh", 400_000, 9, 90_000)),
    "French, in parts ASCII": (
        "fr", lambda: "The ferry is late. " * 2000 + random_text("éèaàbcdef", 300_000, 8, 60_000),
    ),
    "Russian": ("ru", lambda: random_text("абвгдежйё", 300_000, 8, 60_000)),
    "one Chinese run": (
        "zh", lambda: "".join(random.Random(1).choices([chr(0x4E00 + n) for n in range(5000)], k=90_000)),
    ),
    "Chinese and English": ("zh", lambda: random_text("中文字符ab", 300_000, 40_000, 40)),
    "repeated": ("en", lambda: "The ferry was late, again. " * 20_000),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_long_text_is_indexed_from_its_beginning_as_far_as_the_budget_reaches(name: str) -> None:
    language, make_text = TEXTS[name]
    text = make_text()
    analysed = analyse_texts({"body": text}, language)
    forms, stems, every = analysed.forms["body"], analysed.stems["body"], word_forms(text)
    assert forms == every[: len(forms)]
    assert cost_of(forms, stems) <= INDEX_BUDGET
    if len(forms) == len(every):
        assert stems == stem_tokens(text, language)
    else:
        following = every[: len(forms) + 1]
        assert cost_of(following, stems | stem_tokens(following[-1], language)) > INDEX_BUDGET


def test_a_text_that_grows_when_it_is_normalised_is_cut() -> None:
    short, long = "\ufdfa " * 1000, "\ufdfa " * 300_000
    assert len(analyse_texts({"body": short}, "ar").forms["body"]) == 4000
    assert len(analyse_texts({"body": long}, "ar").forms["body"]) < 200_000


@pytest.mark.parametrize("unit", ["1,000;", "#a;", "A.B/"])
def test_the_time_of_a_long_text_of_compounds_alone_is_bounded(unit: str) -> None:
    text = unit * (2**20 // len(unit))
    began = process_time()
    analyse_texts({"body": text}, "en")
    # It is half a second. Without a bound it were 3 to 6, and hours where each compound looks at each word.
    assert process_time() - began < 2


def test_compounds_are_read_at_the_beginning_of_a_long_text() -> None:
    filling = "The ferry is late. " * (COMPOUNDS_WITHIN // len("The ferry is late. "))
    stems = analyse_texts({"body": f"Wi-Fi {filling} Anti-war"}, "en").stems["body"]
    assert {"en_wifi", "en_anti", "en_war"} <= stems
    assert "en_antiwar" not in stems


def test_the_words_of_a_chunk_with_many_numbers_and_signs_are_joined_as_in_a_short_one() -> None:
    assert {f"en_{word}" for word in ("12500", "1000000", "a_hash", "c_plusplus", "us", "us__ab")} <= stem_tokens(
        "12,500/1,000,000;#a;C++/U.S./a.b", "en"
    )
    assert {"en_12500k", "en_1000"} <= stem_tokens("12,500k;1,000", "en")
