"""Filter of the pairs of adjacent words of an article: a Bloom filter in its row, which a phrase is tested against.

The index finds the articles that have all words of a phrase. Whether the words stand side by side there is seen in the
texts, which are stored out of line and take long to read, and of two common words hardly any are neighbours. The
filter, which lies in the row itself, rules out about eleven of twelve of these, and no article that has the phrase
(docs/decisions/0044). Pairs of frequent words are lexemes (`frequent_words`) and not in it.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any
from zlib import crc32

BITS_FOR_PAIR = 6
"""Bits of the filter for each pair, of which each pair sets two: one of twelve other pairs is found by mistake."""
MOST_BYTES = 2_000
"""The longest filter: a row must fit a page of 8 kB, whose other rows are read with it."""
MOST_PAIRS = 8_000
"""Pairs of an article that has a filter. At two bits for each pair, two of five other pairs are found by mistake."""

Pair = tuple[str, str]


def make_filter(pairs: Collection[Pair]) -> bytes | None:
    """The filter of an article; None, which rules nothing out, for one with too many pairs."""
    if len(pairs) > MOST_PAIRS:
        return None
    made = bytearray(min(MOST_BYTES, len(pairs) * BITS_FOR_PAIR // 8 + 1))
    size = 8 * len(made)
    for first, second in pairs:
        hashed = crc32(f"{first} {second}".encode())
        one, other = (hashed & 0xFFFF) % size, (hashed >> 16) % size
        made[one >> 3] |= 1 << (one & 7)
        made[other >> 3] |= 1 << (other & 7)
    return bytes(made)


def pair_hashes(pair: Pair) -> tuple[int, int]:
    """The two numbers whose remainders by the size of a filter, in bits, are the bits of a pair."""
    hashed = crc32(" ".join(pair).encode())
    return hashed & 0xFFFF, hashed >> 16


def may_have_pairs(pairs: Iterable[Pair], add: Callable[[Any], str]) -> str:
    """The SQL condition that an article may have the pairs; NULL without a filter. `add` gives a value's placeholder.

    It is written without the operator %, which psycopg takes for a placeholder.
    """
    return " AND ".join(bit_condition(add(number)) for pair in pairs for number in pair_hashes(pair))


def bit_condition(number: str) -> str:
    """The SQL condition that the bit of a number of `pair_hashes` is set."""
    return f"get_bit(pairs, mod(CAST({number} AS int), 8 * length(pairs))) = 1"
