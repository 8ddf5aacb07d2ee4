"""Compounds and sign words: words that a text writes in parts, or with a sign that belongs to them; pure.

The text is divided at white space into *chunks*. The words of a chunk between which a *joint* stands are a compound,
and are joined to one word: U.S. to us, Wi-Fi to wifi, 12,500 to 12500. Tight joints (the apostrophe of O'Brien, the
periods of initials, the & of AT&T, separators of thousands) make a *unit*; hyphens make a chain of units. A *sign word*
is a word with its sign: C++, C#, .NET, #tag, @name. Its token, `c_plusplus`, has an underscore, as the token of two
neighbours has, by which a phrase finds a compound: `us__troops`. No form has one. Not here: what an article and a query
make of these (`newswire.search.analysis`, `newswire.search.variants`).
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import regex

from newswire.search.normal_form import WORD_LETTER, fold_word, is_run, match_spellings

LONGEST_JOINED = 30
"""Letters of a joined word; also those of a neighbour of one."""
LONGEST_INITIAL = 3
"""Letters of a word behind a period: U.S., Ph.D., node.js, but not the next sentence.Like this."""
MOST_WORDS = 4
"""Units of a chain that is joined as a whole; of a longer one each two neighbours are joined."""
SHORT_CHUNK = 64
"""Characters of a chunk that is cached: a text without white space is a single chunk."""
FARTHEST_NEIGHBOUR = 3
"""Chunks within which the neighbour of a compound is looked for: a dash has no word."""

APOSTROPHES = "'’‘`′\u02b9-\u02bf\u02ee"
# What a chunk must have to be worth the reading, which takes longer: a possessive is no compound, nor is 5-1. The
# pattern begins with the joint, not with the word before it, because `re` skips to one of few characters fast: a text
# of 400 words takes 15 µs instead of 225.
_JOINTS = rf"[{APOSTROPHES}.&·\"”״׳\u2010-]"
_WITHIN = rf"(?!(?<=[{APOSTROPHES}])s(?!\w)){_JOINTS}?"
PROMISING = re.compile(
    rf"[{APOSTROPHES}.&·\"”״׳\u2010,\u066c#@+-]"
    rf"(?:(?<=[#@+])|(?<=[^\W\d]{_JOINTS}){_WITHIN}\w|(?<=\d{_JOINTS}){_WITHIN}[^\W\d]"
    rf"|(?<=\d[.,'’\u066c])\d\d[\d,]|(?<=\.)(?<!\w.)\w)"
)
POSSESSIVE = frozenset(["'", "’", "‘", "`", "′", *map(chr, range(0x2B9, 0x2C0)), "\u02ee"])
TIGHT = POSSESSIVE | {".", "&", "·"}
CAPITALS = regex.compile(r"(?<![\w.])(?:\p{Lu}{2,5}|(?:\p{Lu}\.){1,4}\p{Lu})(?!\w)")
CONTRACTED = frozenset({"t", "m", "d", "re", "ve", "ll"})
ELIDED = frozenset({"c", "j", "l", "m", "n", "s", "t", "qu"})
# In Hebrew a quotation mark or gershayim marks an abbreviation: צה"ל.
GERSHAYIM = frozenset('"”״׳')
HEBREW = regex.compile(r"\p{Hebrew}")
# A hyphen, and behind initials or a possessive too: U.S.-led.
LOOSE = frozenset(before + hyphen for before in ("", ".", *POSSESSIVE) for hyphen in "-\u2010")
# 12,500 and 1.000.000; by lakh and crore 1,00,000. With another digit behind it, it is something else: 1,2345.
NUMBER = re.compile(
    r"(?<![\w.,])(?:\d{1,3}(?:,\d\d)+,\d{3}(?!\d|,\d)"
    r"|\d{1,3}(?P<separator>[.,'’\u066c])\d{3}(?:(?P=separator)\d{3})*(?!\d|(?P=separator)\d))"
)
_LETTERED = rf"(?={WORD_LETTER}*[\p{{L}}]){WORD_LETTER}"
# A slash divides words, as in C/C++, but for one of an address: http://…
SIGN_WORD = regex.compile(
    rf"(?<![\w+#@.&]|(?<![\w+#])/)(?P<word>{_LETTERED}+)(?P<sign>\+\+(?=\d)|(?:\+\+?|\#)(?![\w+#]))"
    rf"|(?<![^(\[{{\"'“‘«—–/])\.(?P<dotted>{_LETTERED}{{1,30}})(?!\w)"
    rf"|(?<![\w&/#@.])\#(?P<tag>[{WORD_LETTER}_]+)(?!\w)"
    rf"|(?<![\w@/])(?<!\w\.)@(?P<name>[{WORD_LETTER}_]+)(?!\w)",
    regex.V1,
)
HAS_SIGN = re.compile(r"[#@+]|(?<!\w)\.\w")
SIGNS = {"+": "plus", "++": "plusplus", "#": "sharp"}
KINDS = {"dotted": "dot", "tag": "hash", "name": "at"}


class Joined(NamedTuple):
    """A joined word or a sign word: its token, its offsets in the chunk, and the indices of its first and last word.

    `is_whole` is false for a part of a chain, whose neighbours have no tokens.
    """

    token: str
    start: int
    end: int
    first: int
    last: int
    is_whole: bool = True


class Span(NamedTuple):
    """A token, and the offsets of its text, `end` exclusive."""

    token: str
    start: int
    end: int


class Chunk(NamedTuple):
    """The words of a chunk with their offsets, its joined words and sign words, and the tokens that they make.

    `first` and `last` are its words at the two ends, unless they are no neighbours; `before` and `behind` are what is
    joined there.
    """

    words: tuple[Span, ...]
    joined: tuple[Joined, ...] = ()
    own: tuple[Span, ...] = ()
    first: tuple[Span, ...] = ()
    last: tuple[Span, ...] = ()
    before: tuple[Span, ...] = ()
    behind: tuple[Span, ...] = ()


class Variant(NamedTuple):
    """A token of some chunks: the index of its first chunk and the offset there, and the same of its end."""

    token: str
    chunk: int
    start: int
    last_chunk: int
    end: int


def find_variants(chunks: Sequence[str]) -> Iterator[Variant]:
    """The tokens of the compounds and sign words of a text that is divided at white space."""
    for index in promising_places(chunks):
        found = read_chunk(chunks[index])
        for token, start, end in found.own:
            yield Variant(token, index, start, index, end)
        if found.before:
            place, neighbour = next_words(chunks, range(index - 1, max(-1, index - 1 - FARTHEST_NEIGHBOUR), -1))
            for left in neighbour.behind or neighbour.last:
                for right in found.before:
                    yield Variant(f"{left.token}__{right.token}", place, left.start, index, right.end)
        if found.behind:
            # A neighbour behind that is a compound itself makes the tokens of the two when its turn comes.
            place, neighbour = next_words(chunks, range(index + 1, min(len(chunks), index + 1 + FARTHEST_NEIGHBOUR)))
            for right in neighbour.first:
                for left in found.behind:
                    yield Variant(f"{left.token}__{right.token}", index, left.start, place, right.end)


def promising_places(chunks: Sequence[str]) -> Iterator[int]:
    """The indices of the chunks that are `is_promising`: of an ordinary text a few in a hundred."""
    text = " ".join(chunks)
    index, start, end = 0, 0, 0
    for found in PROMISING.finditer(text):
        place = found.start()
        if place < end:
            continue
        index += text.count(" ", start, place)
        start = place
        end = text.find(" ", place)
        if end < 0:
            end = len(text)
        if "://" not in chunks[index]:
            yield index


def is_promising(chunk: str) -> bool:
    """Whether a chunk can have a compound or a sign word. The parts of an address are none."""
    return PROMISING.search(chunk) is not None and "://" not in chunk


def next_words(chunks: Sequence[str], places: range) -> tuple[int, Chunk]:
    """The first of these chunks that has a word, and its index."""
    for place in places:
        if (found := read_chunk(chunks[place])).words:
            return place, found
    return 0, NOTHING


def capital_tokens(text: str) -> Iterator[str]:
    """The tokens of the short words in capitals of a text as it is written: `us_caps` of US and of U.S.

    A line that is wholly in capitals tells nothing about its words.
    """
    for found in {found for line in text.splitlines() if not line.isupper() for found in CAPITALS.findall(line)}:
        yield f"{fold_word(found.replace('.', '').casefold())}_caps"


def read_chunk(chunk: str) -> Chunk:
    """Reads a chunk of normalised text."""
    return _read_short(chunk) if len(chunk) <= SHORT_CHUNK else _read(chunk)


def _read(chunk: str) -> Chunk:
    words = tuple([Span(fold_word(found[0]), *found.span()) for found in match_spellings(chunk)])
    if not words:
        return NOTHING
    first, last = ((word,) if is_neighbour(chunk, word) else () for word in (words[0], words[-1]))
    joined = (*join_words(chunk, words), *sign_words(chunk, words)) if is_promising(chunk) else ()
    if not joined:
        return Chunk(words, first=first, last=last)
    spans = [Span(each.token, each.start, each.end) for each in joined]
    whole = [
        (each, span)
        for each, span in zip(joined, spans, strict=True)
        if each.is_whole and not is_contraction(chunk, words, each)
    ]
    before = tuple([span for each, span in whole if each.first == 0])
    behind = tuple([span for each, span in whole if each.last == len(words) - 1])
    inner = inner_neighbours(chunk, words, whole) if len(words) > 2 else ()
    return Chunk(words, joined, (*spans, *inner), first, last, before, behind)


_read_short = lru_cache(maxsize=1 << 14)(_read)


def is_contraction(chunk: str, words: Sequence[Span], joined: Joined) -> bool:
    """Whether a joined word is as don't or l'accord, which nobody writes in a phrase without the apostrophe."""
    left, right = words[joined.first], words[joined.last]
    if joined.first + 1 != joined.last or chunk[left.end] not in POSSESSIVE:
        return False
    return right.token in CONTRACTED or left.token in ELIDED


def is_neighbour(chunk: str, word: Span) -> bool:
    """Whether a word can be the neighbour of a compound: it is not overlong and no run."""
    return len(word.token) <= LONGEST_JOINED and not is_run(chunk[word.start : word.end])


def inner_neighbours(chunk: str, words: Sequence[Span], whole: Sequence[tuple[Joined, Span]]) -> Iterator[Span]:
    """The tokens of the compounds of a chunk with their neighbours in it."""
    ending = defaultdict[int, list[Span]](list)
    for each, span in whole:
        ending[each.last].append(span)
    for each, span in whole:
        if each.first > 0 and is_neighbour(chunk, before := words[each.first - 1]):
            yield Span(f"{before.token}__{span.token}", before.start, span.end)
        if each.last + 1 < len(words) and is_neighbour(chunk, behind := words[each.last + 1]):
            yield Span(f"{span.token}__{behind.token}", span.start, behind.end)
        for beside in ending[each.first - 1]:
            yield Span(f"{beside.token}__{span.token}", beside.start, span.end)


def join_words(chunk: str, words: Sequence[Span]) -> Iterator[Joined]:
    """The joined words of a chunk: each unit of several words, each two neighbours in a chain, and a short chain."""
    if len(words) < 2:
        return
    tight, loose = find_joints(chunk, words)
    if not (tight or loose):
        return
    if len(words) == 2:
        # Nearly all compounds: there is nothing to divide into chains.
        if len(token := words[0].token + words[1].token) <= LONGEST_JOINED:
            yield Joined(token, words[0].start, words[1].end, 0, 1)
        return
    for chain in divide_at(range(len(words)), loose | tight):
        units = [(unit[0], unit[-1]) for unit in divide_at(chain, tight)]
        parts = [(unit, unit, True) for unit in units if unit[0] < unit[1]]
        parts += [(left, right, len(units) == 2) for left, right in pairwise(units)]
        if 2 < len(units) <= MOST_WORDS:
            parts.append((units[0], units[-1], True))
        for (first, _), (_, last), is_whole in parts:
            token = "".join([word.token for word in words[first : last + 1]])
            if len(token) <= LONGEST_JOINED:
                yield Joined(token, words[first].start, words[last].end, first, last, is_whole)


def words_within(words: Sequence[Span], start: int, end: int) -> range:
    """The indices of the words that lie wholly within these offsets of their chunk."""
    return range(bisect_left(words, start, key=lambda word: word.start),
                 bisect_right(words, end, key=lambda word: word.end))  # fmt: skip


def divide_at(places: range, joints: Collection[int]) -> Iterator[range]:
    """Divides consecutive words where there is no joint behind a word."""
    start = places.start
    for place in places:
        if place not in joints or place + 1 == places.stop:
            yield range(start, place + 1)
            start = place + 1


def find_joints(chunk: str, words: Sequence[Span]) -> tuple[set[int], set[int]]:
    """The words behind which a tight and a loose joint stands, by index."""
    tight, loose = set[int](), set[int]()
    for number in NUMBER.finditer(chunk):
        # All but the last of its words.
        tight.update(words_within(words, number.start(), number.end() - 1))
    after_possessive = False
    for index, (left, right) in enumerate(pairwise(words)):
        joint, was_possessive, after_possessive = chunk[left.end : right.start], after_possessive, False
        if not joint or len(joint) > 2 or index in tight:
            continue
        if joint in POSSESSIVE and right.token == "s":
            after_possessive = not (joint := "")
        if joint in LOOSE:
            if not was_possessive and not (left.token[-1].isdigit() and right.token[0].isdigit()):
                loose.add(index)
        elif is_tight(joint, left.token, right.token):
            tight.add(index)
    return tight, loose


def is_tight(joint: str, left: str, right: str) -> bool:
    """Whether a joint within a unit stands between two folded words, which consist of letters."""
    if is_run(left) or is_run(right) or any(map(str.isdigit, left + right)):
        return False
    if joint in GERSHAYIM:
        return bool(HEBREW.match(left) and HEBREW.match(right))
    return joint in TIGHT and (joint != "." or len(right) <= LONGEST_INITIAL)


def sign_words(chunk: str, words: Sequence[Span]) -> Iterator[Joined]:
    """The sign words of a chunk. A tag or a name of several words (#climate_action) is one sign word."""
    if not HAS_SIGN.search(chunk):
        return
    for found in SIGN_WORD.finditer(chunk):
        if found["sign"]:
            kind, name = SIGNS[found["sign"]], found["word"]
        else:
            kind, name = next((KINDS[group], found[group]) for group in KINDS if found[group])
        inside = words_within(words, *found.span())
        if inside and len(name) <= LONGEST_JOINED:
            yield Joined(
                f"{fold_word(name.replace('_', ''))}_{kind}", found.start(), found.end(), inside[0], inside[-1]
            )


NOTHING = Chunk(())
