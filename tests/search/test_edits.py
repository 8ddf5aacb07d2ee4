"""What a mistyped word is taken for: every text that is one edit away, some that are two, and never too many."""

from hypothesis import given
from hypothesis import strategies as st

from newswire.search.edits import (
    ALPHABETS,
    LONGEST,
    MOST_EDITS,
    MOST_TWICE,
    is_correctable,
    texts_one_edit_away,
    texts_two_edits_away,
    two_words,
)

# Of a longer word, or one of a large alphabet, not every letter is tried.
WORDS = st.sampled_from(ALPHABETS).flatmap(
    lambda alphabet: st.text(alphabet, min_size=4, max_size=min(8, MOST_EDITS // len(alphabet) - 1))
)
LONG = {
    "internationel": "international", "representitives": "representatives", "enviromental": "environmental",
    "accomodations": "accommodations", "parliamentry": "parliamentary", "constitucional": "constitutional",
    "independantly": "independently", "goverments": "governments", "manufacturors": "manufacturers",
    "transportaion": "transportation", "organizatoin": "organization", "responsability": "responsibility",
    "telecomunications": "telecommunications", "pharmaceuticls": "pharmaceuticals", "entrepreneuers": "entrepreneurs",
    "administation": "administration", "questionnare": "questionnaire", "demonstratoins": "demonstrations",
    "unconstitutionsl": "unconstitutional", "neighborhoods": "neighbourhoods", "celebrstions": "celebrations",
}  # fmt: skip


@given(WORDS, st.data())
def test_every_word_with_one_error_leads_back_to_the_word(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(next(alphabet for alphabet in ALPHABETS if word[0] in alphabet)))
    before, after = word[:at], word[at:]
    wrong = {before + after[1:], before + letter + after, before + letter + after[1:], word + letter}
    wrong |= {before + after[1] + after[0] + after[2:]} if len(after) > 1 else set()
    for typed in wrong - {word}:
        assert word in {text for texts in texts_one_edit_away(typed) for text in texts}, typed


@given(st.text(min_size=1, max_size=LONGEST))
def test_what_is_looked_up_is_bounded_and_never_the_word_itself(typed: str) -> None:
    for texts in (*texts_one_edit_away(typed), texts_two_edits_away(typed)):
        assert len(texts) == len({*texts} - {typed}) <= MOST_EDITS
    assert len(texts_two_edits_away(typed)) <= MOST_TWICE


def test_likely_errors_in_long_words_lead_back_to_them() -> None:
    for typed, word in LONG.items():
        assert word in {text for texts in texts_one_edit_away(typed) for text in texts}, typed


@given(st.text(min_size=1, max_size=LONGEST))
def test_as_many_texts_are_looked_up_as_ten_milliseconds_allow(typed: str) -> None:
    together = sum(len(texts) for texts in (*texts_one_edit_away(typed), texts_two_edits_away(typed), two_words(typed)))
    assert together <= 700


def test_two_common_errors_lead_back_to_a_long_word() -> None:
    for typed, word in (("milenium", "millennium"), ("comittment", "commitment"), ("embarasment", "embarrassment")):
        assert word in texts_two_edits_away(typed)
        assert word not in {text for texts in texts_one_edit_away(typed) for text in texts}
    assert texts_two_edits_away("adress") == []


def test_words_of_letters_are_correctable_and_nothing_else() -> None:
    for form in ("bare", "हिन्दी", "президент", "x" * LONGEST):
        assert is_correctable(form), form
    for form in ("are", "2024", "covid19", "x" * (LONGEST + 1), ""):
        assert not is_correctable(form), form


def test_two_words_written_as_one_are_parted_at_every_place() -> None:
    assert two_words("newyork") == ["new york", "newy ork"]
    assert two_words("seven") == []
