"""Two hundred thousand invented words that can be spoken, as frequent as the words of a language are (Zipf's law).

No word has a q: that letter is left to the words that are planted (`bench.planting`).
"""

import random
from functools import cache
from itertools import accumulate

SIZE = 200_000
SEED = 1851
STREAM = 1_000_000

ONSETS = (
    "b", "br", "d", "f", "g", "gr", "h", "k", "kl", "l", "m", "n", "p", "pr", "r", "s", "sk", "st", "t", "tr", "v",
    "w", "z",
)  # fmt: skip
VOWELS = ("a", "e", "i", "o", "u", "ai", "ou", "ea")
CODAS = ("", "", "n", "r", "s", "l", "m", "t", "nd", "k")
# The commonest words are the shortest: how many of them have one syllable, and two at most.
ONE_SYLLABLE, TWO_SYLLABLES = 400, 30_000


@cache
def vocabulary() -> list[str]:
    """Every word once, the most frequent first."""
    chance = random.Random(SEED)
    words: dict[str, None] = {}
    while len(words) < SIZE:
        syllables = 1 if len(words) < ONE_SYLLABLE else 2 if len(words) < TWO_SYLLABLES else 3
        words["".join(syllable(chance) for _ in range(syllables))] = None
    return list(words)


def syllable(chance: random.Random) -> str:
    return chance.choice(ONSETS) + chance.choice(VOWELS) + chance.choice(CODAS)


@cache
def weights() -> list[float]:
    """The frequencies of `vocabulary`, added up: the word of rank n has a share of 1/n."""
    return list(accumulate(1 / rank for rank in range(1, SIZE + 1)))


@cache
def stream() -> list[str]:
    """A million words as they come: to draw them once takes a second, to draw all of a large corpus half an hour."""
    return random.Random(SEED).choices(vocabulary(), cum_weights=weights(), k=STREAM)


def words(chance: random.Random, number: int) -> list[str]:
    """So many words that follow each other somewhere in the stream."""
    start = int(chance.random() * (STREAM - number))
    return stream()[start : start + number]


def name(chance: random.Random) -> str:
    """The name of an invented person."""
    return " ".join(chance.choice(vocabulary()[:TWO_SYLLABLES]).capitalize() for _ in range(2))
