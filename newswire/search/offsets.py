"""The words of a text with their places in it as it was written.

Analysis changes lengths (ﬁ is two letters, a soft hyphen none), so a line is taken in pieces, each
analysed by itself, and every letter that comes of one remembers its place. What a word is decides
`newswire.search.analysis` alone: where small pieces together do not give what the whole line gives, larger
ones are taken, up to all that stands between two blanks.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from newswire.search.analysis import SPELLING, UNSPACED, fold_word, is_run, normalise_text

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_BETWEEN_BLANKS = re.compile(r"\S+|\s+")
# A letter with its marks (UAX #29). Within a run a zero width space says nothing: it belongs to the letter before.
_CLUSTER = regex.compile(
    rf"[\x00-\x7f]+(?=[\x00-\x7f]|\Z)|\X(?:(?<={UNSPACED})\u200b+(?={UNSPACED}))?",
    regex.V1,
)


class Token(NamedTuple):
    """A form, and where it stands in the original text.

    In a run of a script without spaces, where `spelling` is None, a form has two letters, or is the
    last one; `first` is where the first ends. Elsewhere it is `end`.
    """

    form: str
    spelling: str | None
    start: int
    end: int
    first: int


def find_tokens(text: str) -> Iterator[Token]:
    """The forms that `analysis.words` finds in a text, in order."""
    for line in _LINE.finditer(text):
        if line[0].isascii():
            for word in _ASCII_WORD.finditer(line[0].lower()):
                start, end = (line.start() + place for place in word.span())
                yield Token(fold_word(word[0]), word[0], start, end, end)
        else:
            yield from _aligned(line[0], line.start())


def _aligned(text: str, offset: int) -> Iterator[Token]:
    """The forms of a line that begins at `offset`."""
    letters, starts, ends = _letters(text, offset)
    for found in SPELLING.finditer(letters):
        start, end = found.span()
        if not is_run(found[0]):
            yield Token(fold_word(found[0]), found[0], starts[start], ends[end - 1], ends[end - 1])
            continue
        for place in range(start, end):
            behind = min(place + 2, end)
            yield Token(letters[place:behind], None, starts[place], ends[behind - 1], ends[place])


def _letters(text: str, offset: int) -> tuple[str, Sequence[int], Sequence[int]]:
    """A line as it is analysed, and where each of its letters begins and ends in the original."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for letters, start, end in _pieces(text, offset):
        parts.append(letters)
        each = len(letters) == end - start
        starts += range(start, end) if each else [start] * len(letters)
        ends += range(start + 1, end + 1) if each else [end] * len(letters)
    return "".join(parts), starts, ends


def _pieces(text: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """A text as it is analysed, piece by piece, and where each begins and ends."""
    letters = normalise_text(text)
    # Nothing casefolds to less than one letter: of equal length, each letter stands in its own place.
    if len(letters) == len(text) and letters == text.casefold():
        yield letters, offset, offset + len(text)
        return
    pieces = [(_piece(found[0]), offset + found.start(), offset + found.end()) for found in _CLUSTER.finditer(text)]
    if "".join(piece for piece, _, _ in pieces) == letters:
        yield from pieces
        return
    smaller = [*_BETWEEN_BLANKS.finditer(text)]
    if len(smaller) == 1:
        yield letters, offset, offset + len(text)
        return
    for found in smaller:
        yield from _pieces(found[0], offset + found.start())


def _piece(text: str) -> str:
    return text.lower() if text.isascii() else _cluster(text)


@lru_cache(maxsize=1 << 14)
def _cluster(text: str) -> str:
    letters = normalise_text(text)
    return letters.rstrip("\u200b") if len(text) > 1 else letters
