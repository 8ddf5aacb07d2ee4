"""Tokens with their character offsets in the original text, for highlighting.

Normalisation changes lengths (ﬁ becomes two letters, a soft hyphen none). So a line is normalised in pieces, and every
letter of the result gets the offsets of its piece. `newswire.search.analysis` alone decides the tokens: if the pieces
joined differ from the line normalised as a whole, larger pieces are used, at most the text between two blanks.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import regex

from newswire.caches import cache_short
from newswire.search.compounds import Span, find_variants
from newswire.search.normal_form import (
    SPELLING,
    UNSPACED,
    fold_run,
    fold_word,
    is_run,
    normalise_text,
    separate_thousands,
)

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CHUNK = re.compile(r"\S+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_BETWEEN_BLANKS = re.compile(r"\S+|\s+")
# A letter with its marks (grapheme cluster, UAX #29), or several ASCII characters. Within a run a zero width space is
# ignored, so it belongs to the letter before it.
_CLUSTER = regex.compile(
    rf"[\x00-\x7f]+(?=[\x00-\x7f]|\Z)|\X(?:(?<={UNSPACED})\u200b+(?={UNSPACED}))?",
    regex.V1,
)


class Token(NamedTuple):
    """A form and its offsets in the original text, `end` exclusive.

    In a run of a script without spaces `spelling` is None, and the form has two letters, or one at the end of the run;
    `first` is the end of its first letter. For a word `first` is `end`.
    """

    form: str
    spelling: str | None
    start: int
    end: int
    first: int


def find_tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, in order; their forms are those of `analysis.word_forms`."""
    for line in _LINE.finditer(text):
        if line[0].isascii():
            for word in _ASCII_WORD.finditer(line[0].lower()):
                start, end = (line.start() + place for place in word.span())
                yield Token(fold_word(word[0]), word[0], start, end, end)
        else:
            yield from _aligned(line[0], line.start())


def find_variant_tokens(text: str) -> Iterator[Span]:
    """The tokens of the compounds and sign words of a text (`newswire.search.compounds`), by offsets in it."""
    for line in _LINE.finditer(text):
        letters, starts, ends = _letters(line[0], line.start())
        chunks = [*_CHUNK.finditer(letters)]
        for token, chunk, start, last, end in find_variants([found[0] for found in chunks]):
            yield Span(token, starts[chunks[chunk].start() + start], ends[chunks[last].start() + end - 1])


def _aligned(text: str, offset: int) -> Iterator[Token]:
    """The tokens of a line that begins at `offset`."""
    letters, starts, ends = _letters(text, offset)
    for match in SPELLING.finditer(letters):
        start, end = match.span()
        if not is_run(match[0]):
            yield Token(fold_word(match[0]), match[0], starts[start], ends[end - 1], ends[end - 1])
            continue
        run = fold_run(match[0])
        for place in range(start, end):
            behind = min(place + 2, end)
            yield Token(run[place - start : behind - start], None, starts[place], ends[behind - 1], ends[place])


def _letters(text: str, offset: int) -> tuple[str, Sequence[int], Sequence[int]]:
    """The normalised line, and the start and end of each of its letters in the original text."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for letters, start, end in _pieces(separate_thousands(text), offset):
        parts.append(letters)
        one_to_one = len(letters) == end - start
        starts += range(start, end) if one_to_one else [start] * len(letters)
        ends += range(start + 1, end + 1) if one_to_one else [end] * len(letters)
    return "".join(parts), starts, ends


def _pieces(text: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """The normalised pieces of a text, each with its start and end in the original."""
    letters = normalise_text(text)
    # No letter casefolds to less than one, so with equal lengths each letter has kept its offset.
    if len(letters) == len(text) and letters == text.casefold():
        yield letters, offset, offset + len(text)
        return
    pieces = [(_piece(match[0]), offset + match.start(), offset + match.end()) for match in _CLUSTER.finditer(text)]
    if "".join(piece for piece, _, _ in pieces) == letters:
        yield from pieces
        return
    smaller = [*_BETWEEN_BLANKS.finditer(text)]
    if len(smaller) == 1:
        yield letters, offset, offset + len(text)
        return
    for match in smaller:
        yield from _pieces(match[0], offset + match.start())


def _piece(text: str) -> str:
    return text.lower() if text.isascii() else _cluster(text)


@cache_short(1 << 14)
def _cluster(text: str) -> str:
    letters = normalise_text(text)
    return letters.rstrip("\u200b") if len(text) > 1 else letters
