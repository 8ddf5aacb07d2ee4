"""What a mistyped word may have been meant for: the texts that are one edit from it, and some that are two; pure.

An edit leaves a letter out, adds one, replaces one, or exchanges two neighbours. The index is asked which of these
texts are words of it (`newswire.search.index.find_forms`), so no list of words has to be kept, filled and bounded
(docs/decisions/0038).
"""

from collections.abc import Iterable, Iterator

import regex

SHORTEST, LONGEST = 4, 24
"""Letters of a word in which an error can be told from another word, and up to which it is looked for."""
SHORTEST_TWICE = 8
"""Letters of a word from which two edits are looked for: a shorter one is two edits from very many."""
SHORTEST_PART = 3
"""Letters of either part into which two words that were written as one are split."""
MOST_EDITS = 350
"""Texts of one kind of error; a word of twelve letters has 338 with one more. Each takes some 10 to 25 microseconds."""
_LETTERS = regex.compile(r"[\p{L}\p{M}]+", regex.V1)
VOWELS = "aeiouy"
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz", "αβγδεζηθικλμνξοπρςστυφχψω", "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ",
    "אבגדהוזחטיכלמנסעפצקרשת", "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگ",
)  # fmt: skip
"""The letters of folded words (`newswire.search.analysis`), by script."""


def is_correctable(form: str) -> bool:
    """Whether a form is a word of letters, of a length at which errors are looked for."""
    return SHORTEST <= len(form) <= LONGEST and (form.isalpha() or _LETTERS.fullmatch(form) is not None)


def texts_one_edit_away(typed: str) -> Iterator[list[str]]:
    """The texts that are one edit from `typed`, by kind of error: first the few in which no other letter is needed.

    In a script without an alphabet in `ALPHABETS` letters are added and replaced by those of the word itself only.
    """
    alphabet = alphabet_of(typed)
    cuts = [(typed[:at], typed[at:]) for at in range(len(typed) + 1)]
    shortened = [before + after[1:] for before, after in cuts if after]
    yield distinct_texts([*shortened, *exchanged(typed), *doubled(typed)], typed)
    yield distinct_texts([before + letter + after for before, after in cuts for letter in alphabet], typed)
    replaced = [before + letter + after[1:] for before, after in cuts if after for letter in alphabet]
    yield distinct_texts(replaced, typed)


def texts_two_edits_away(typed: str) -> list[str]:
    """Some texts that are two edits from a long word, `MOST_EDITS` at most.

    One of the errors is a letter that is doubled or should be, the other one of that kind, two letters exchanged, or a
    vowel for another.
    """
    if len(typed) < SHORTEST_TWICE:
        return []
    once = [*doubled(typed), *single(typed)]
    found = (text for each in once for text in (*doubled(each), *single(each), *exchanged(each), *other_vowels(each)))
    return distinct_texts(found, typed)


def doubled(typed: str) -> list[str]:
    return [typed[:at] + typed[at] + typed[at:] for at in range(len(typed))]


def single(typed: str) -> list[str]:
    """The word with one of two equal neighbours left out."""
    return [typed[:at] + typed[at + 1 :] for at in range(len(typed) - 1) if typed[at] == typed[at + 1]]


def exchanged(typed: str) -> list[str]:
    """The word with two neighbours exchanged."""
    return [typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] for at in range(len(typed) - 1)]


def other_vowels(typed: str) -> list[str]:
    return [
        typed[:at] + vowel + typed[at + 1 :]
        for at, letter in enumerate(typed)
        if letter in VOWELS
        for vowel in VOWELS
        if vowel != letter
    ]


def alphabet_of(typed: str) -> str:
    """The alphabet that has most letters of a word, or the letters of the word itself if none has any."""
    most = max(ALPHABETS, key=lambda alphabet: sum(letter in alphabet for letter in typed))
    return most if any(letter in most for letter in typed) else "".join(dict.fromkeys(typed))


def distinct_texts(texts: Iterable[str], typed: str) -> list[str]:
    """The first `MOST_EDITS` of the texts, each once, without the typed one."""
    return [text for text in dict.fromkeys(texts) if text != typed][:MOST_EDITS]


def two_words(typed: str) -> list[str]:
    """The ways to read `typed` as two words that were written as one, with a blank between them."""
    return [f"{typed[:at]} {typed[at:]}" for at in range(SHORTEST_PART, len(typed) - SHORTEST_PART + 1)]
