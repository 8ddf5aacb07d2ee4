"""The normal form of common characters, which is made in a shorter way, is that of all others."""

import sys
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from newswire.search.normal_form import SPELLING, is_plain, normalise_text, spellings_within

# It is removed, and no text with it is plain.
INVISIBLE = "\u00ad"
OTHERS = ["\u00a0", "…", "12", "500", "i", "Σ", "İ", "_"]


@cache
def plain_characters() -> list[str]:
    return [character for character in map(chr, range(sys.maxunicode + 1)) if is_plain(character)]


def test_each_plain_character_is_made_normal_by_casefolding() -> None:
    assert len(plain_characters()) > 12_000
    assert [each for each in plain_characters() if normalise_text(f"{each}{INVISIBLE}") != each.casefold()] == []


def test_each_plain_character_is_in_a_word_or_none() -> None:
    assert [
        each for each in plain_characters() if spellings_within(each.casefold()) != SPELLING.findall(each.casefold())
    ] == []


@given(st.deferred(lambda: st.lists(st.sampled_from([*plain_characters(), *OTHERS]))).map("".join))
def test_a_plain_text_is_made_normal_as_any_other(text: str) -> None:
    normal = normalise_text(f"{text}\n{INVISIBLE}")[:-1]
    assert normalise_text(text) == normal
    assert spellings_within(normal) == SPELLING.findall(normal)
