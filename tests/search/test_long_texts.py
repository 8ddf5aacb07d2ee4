"""The analysis of long texts in portions: the index holds the beginning of a text, as much as the budget allows."""

import random
from itertools import pairwise

import pytest

from newswire.search.analysis import INDEX_BUDGET, analyse_texts, stem_tokens, word_forms

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


TEXTS = {
    "English": ("en", random_text("abcdefgh", 400_000, 9, 90_000)),
    "French, in parts ASCII": ("fr", "The ferry is late. " * 2000 + random_text("éèaàbcdef", 300_000, 8, 60_000)),
    "Russian": ("ru", random_text("абвгдежйё", 300_000, 8, 60_000)),
    "one Chinese run": ("zh", "".join(random.Random(1).choices([chr(0x4E00 + n) for n in range(5000)], k=90_000))),
    "Chinese and English": ("zh", random_text("中文字符ab", 300_000, 40_000, 40)),
    "repeated": ("en", "The ferry was late, again. " * 20_000),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_long_text_is_indexed_from_its_beginning_as_far_as_the_budget_reaches(name: str) -> None:
    language, text = TEXTS[name]
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
