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
MOST_EDITS = 250
"""Texts of one kind of error, of which a word of eight Latin letters has 234. Each takes 5 to 25 microseconds, so that
all of them together take less than 10 ms."""
MOST_TWICE = 80
"""Texts that are two edits away."""
_LETTERS = regex.compile(r"[\p{L}\p{M}]+", regex.V1)
ALPHABETS = (
    "eaiotnsrhldcumfpgwybvkxjqz", "αοιετσνηυρπκμλςωδγχθφβξζψ", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъіїєґ",
    "יוהלאתמרבשנדחפקכעגטצסז", "اليمونرتبعدسقفكحجهشصخطذزثضغظپچژگ",
)  # fmt: skip
"""The letters of folded words (`newswire.search.analysis`) by script, the most frequent first: of a long word the
rarest letters are not tried."""
ALIKE = ("aeiouy", "ckqsxz", "bpfvw", "dtg", "gjhk", "mnl", "lr")
"""Letters that are taken for each other, which are tried first."""
VOWELS = ALIKE[0]


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
    yield distinct_texts([before + letter + after for letter in alphabet for before, after in cuts], typed)
    replaced = [before + letter + after[1:] for letter in alphabet for before, after in cuts if after]
    yield distinct_texts([*with_similar_letters(typed), *replaced], typed)


def texts_two_edits_away(typed: str) -> list[str]:
    """Some texts that are two edits from a long word, `MOST_TWICE` at most.

    One of the errors is a letter that is doubled or should be, the other one of that kind, two letters exchanged, or a
    vowel for another.
    """
    if len(typed) < SHORTEST_TWICE:
        return []
    once = [*doubled(typed), *single(typed)]
    kinds = (single, doubled, exchanged, other_vowels)
    return distinct_texts((text for kind in kinds for each in once for text in kind(each)), typed, MOST_TWICE)


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


def with_similar_letters(typed: str) -> list[str]:
    """The word with one letter replaced by one that is often taken for it."""
    return [
        typed[:at] + other + typed[at + 1 :]
        for at, letter in enumerate(typed)
        for group in ALIKE
        if letter in group
        for other in group
    ]


def alphabet_of(typed: str) -> str:
    """The alphabet that has most letters of a word, or the letters of the word itself if none has any."""
    most = max(ALPHABETS, key=lambda alphabet: sum(letter in alphabet for letter in typed))
    return most if any(letter in most for letter in typed) else "".join(dict.fromkeys(typed))


def distinct_texts(texts: Iterable[str], typed: str, most: int = MOST_EDITS) -> list[str]:
    """The first `most` of the texts, each once, without the typed one."""
    return [text for text in dict.fromkeys(texts) if text != typed][:most]


def two_words(typed: str) -> list[str]:
    """The ways to read `typed` as two words that were written as one, with a blank between them."""
    return [f"{typed[:at]} {typed[at:]}" for at in range(SHORTEST_PART, len(typed) - SHORTEST_PART + 1)]
