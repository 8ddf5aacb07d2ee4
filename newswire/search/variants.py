"""The expression of a word or a quotation of a query: what is written, and its other spellings; pure.

A compound (U.S., Wi-Fi, 12,500) is looked for in its parts and joined. A phrase is also found where the article has one
of its words as a compound, by the tokens of neighbours (`newswire.search.compounds`). Not here: the query language
around words (`newswire.search.syntax`), and spellings that the index makes alike (`newswire.search.analysis`).
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice, pairwise, product
from typing import NamedTuple

import regex

from newswire.search.compounds import APOSTROPHES, CAPITALS, Chunk, Joined, read_chunk
from newswire.search.expression import And, Expression, Phrase, Prefix, Spellings, Term
from newswire.search.normal_form import fold_run, fold_word, is_run, normalise_text

MOST_READINGS = 8
"""Readings of the compounds of one quotation."""
LONGEST_PHRASE, MOST_EXPANDED = 6, 10
"""Words of a phrase of which each is also looked for as a compound; and words and quotations of a query that are."""
SHORTEST_NUMBER = 4
"""Digits of a number that can have separators."""

# A possessive at the end, but not that of nothing: Israel's, the U.S.'s.
_POSSESSIVE = regex.compile(rf"(?<=[\w+#]|\w\.)[{APOSTROPHES}]s(?=\W*\Z)")
_ALONE = regex.compile(rf"\W*{CAPITALS.pattern}\.?(?:[{APOSTROPHES}]s)?\W*")


class Word(NamedTuple):
    """A word of a query, in parts or joined: its spelling, or the token of a sign word with the form of its word."""

    spelling: str
    form: str = ""

    def forms(self, *, as_written: bool = False) -> Sequence[str]:
        """The forms by which it is found; those of a run are bigrams, and its last character alone.

        `as_written`: with traditional Chinese characters as they are.
        """
        if not is_run(self.spelling):
            return (self.form or fold_word(self.spelling),)
        run = self.spelling if as_written else fold_run(self.spelling)
        return [run[start : start + 2] for start in range(len(run))]


class Written(NamedTuple):
    """The words of a text as it is written, and what of them is joined, by the indices of words.

    `shown` are the words, with compounds and sign words as a whole: u.s., wi-fi, c++.
    """

    words: list[Word]
    joined: list[Joined]
    shown: list[str]


def read_words(text: str) -> Written:
    """The words of a text in normal form."""
    words, joined, shown = list[Word](), list[Joined](), list[str]()
    for chunk in text.split():
        found = read_chunk(chunk)
        shown += show_words(chunk, found)
        joined += [each._replace(first=each.first + len(words), last=each.last + len(words)) for each in found.joined]
        words += [Word(chunk[span.start : span.end]) for span in found.words]
    return Written(words, joined, shown)


def show_words(chunk: str, found: Chunk) -> Iterator[str]:
    """The words of a chunk for people. Initials keep the period behind them."""
    joined = {part[0].first: part[0] for part in divide_overlapping(found.joined)}
    place = 0
    while place < len(found.words):
        part = joined.get(place)
        start, end = (part or found.words[place])[1:3]
        initials = part is not None and chunk[end - 2 : end - 1] == chunk[end : end + 1] == "."
        yield chunk[start : end + initials]
        place = part.last + 1 if part else place + 1


def find_spellings(
    text: str, fields: frozenset[str] | None, start: int, *, quoted: bool, open_ended: bool, leaves_before: int
) -> Expression | None:
    """The expression of a word, or of the text of a quotation; None if it has no letter or digit.

    The last form is only a prefix if `open_ended`, and if the text ends in one character of a script without spaces.
    `leaves_before` is the number of words and quotations before it in the query: see `MOST_EXPANDED`.
    """
    normal = normalise_text(text)
    words, joined, shown = read_words(normal if open_ended else _POSSESSIVE.sub("", normal))
    if not words:
        return None
    prefix = open_ended and not (is_run(words[-1].spelling) and len(words[-1].spelling) > 1)
    prefix = prefix or (is_run(words[-1].spelling) and len(words[-1].spelling) == 1)
    capitals = not quoted and _ALONE.fullmatch(text) is not None
    build = _Builder(fields, start, quoted, prefix, capitals, show_compounds(shown, joined, quoted))
    signs = [each for each in joined if "_" in each.token]
    if signs and not prefix and (quoted or len(words) == signs[0].last - signs[0].first + 1):
        marked = join_each(words, signs)
        if expression := build.with_neighbours(marked, [place for place, word in enumerate(marked) if word.form]):
            return expression
    if signs:
        # They are not looked for here: `"c++ 中国人"` finds `c 中国人`, which is then told.
        build = build._replace(written="")
    readings = [*find_readings(words, [each for each in joined if "_" not in each.token])]
    found = [build.sequence(reading) for reading in readings]
    if (unfolded := build.unfolded(words)) is not None:
        found.append(unfolded)
    if quoted and not prefix and leaves_before < MOST_EXPANDED:
        found += build.with_compounds(readings[-1])
    alternatives = tuple(dict.fromkeys(found))
    return alternatives[0] if len(alternatives) == 1 else Spellings(alternatives)


def show_compounds(shown: Sequence[str], joined: Sequence[Joined], quoted: bool) -> str:
    """The text of a compound or sign word, or of a quotation with one, for people; of all else nothing."""
    if not joined:
        return ""
    return f'"{" ".join(shown)}"' if quoted else shown[0] if len(shown) == 1 else ""


def find_readings(words: Sequence[Word], joined: Sequence[Joined]) -> Iterator[Sequence[Word]]:
    """The readings of some words with compounds: first all in parts, last all joined; at most `MOST_READINGS`."""
    places = divide_overlapping(joined)
    choices = [choices_within(place) for place in places]
    if len(choices) > 1:
        choices = [[choice[0], choice[-1]] for choice in choices]
    chosen = [*islice(product(*choices), MOST_READINGS - 1), tuple(choice[-1] for choice in choices)]
    for each in dict.fromkeys(chosen):
        yield join_each(words, [part for place in each for part in place])


def divide_overlapping(joined: Sequence[Joined]) -> list[list[Joined]]:
    """Groups of joined words that have words in common, in order: each group is one chain."""
    groups: list[list[Joined]] = []
    end = -1
    for each in sorted(joined, key=lambda one: (one.first, -one.last)):
        if each.first > end:
            groups.append([])
        groups[-1].append(each)
        end = max(end, each.last)
    return groups


def choices_within(chain: Sequence[Joined]) -> list[tuple[Joined, ...]]:
    """What may be joined of a chain: nothing, each two neighbours, all units, and last the longest part."""
    shortest = sorted(chain, key=lambda one: one.last - one.first)
    units = list[Joined]()
    for each in shortest:
        if all(each.last < other.first or other.last < each.first for other in units):
            units.append(each)
    choices = [(), *((each,) for each in shortest[: MOST_READINGS - 2]), tuple(units), (shortest[-1],)]
    return list(dict.fromkeys(choices))


def join_each(words: Sequence[Word], joined: Sequence[Joined]) -> list[Word]:
    """The words with these parts joined; none of the parts overlap. A sign word keeps the form of its first word."""
    result, place = list[Word](), 0
    for each in sorted(joined, key=lambda one: one.first):
        form = words[each.first].forms()[0] if "_" in each.token else ""
        result += [*words[place : each.first], Word(each.token, form)]
        place = each.last + 1
    return [*result, *words[place:]]


class _Builder(NamedTuple):
    """What makes an expression of the words of one leaf of a query."""

    fields: frozenset[str] | None
    start: int
    quoted: bool
    prefix: bool
    capitals: bool
    written: str

    def word(self, word: Word) -> Term:
        return Term(word.forms()[0], word.spelling, self.fields, self.start, written=self.written)

    def sequence(self, words: Sequence[Word], *, as_written: bool = False) -> Expression:
        """The expression of consecutive words."""
        forms = [form for word in words for form in word.forms(as_written=as_written)]
        if is_run(words[-1].spelling) and len(words[-1].spelling) > 1:
            # The last form is the last character alone. In a document the run may continue.
            forms.pop()
        if len(forms) > 1 or (self.quoted and not self.prefix):
            return Phrase(tuple(forms), self.prefix, self.fields, self.start, self.written)
        if self.prefix:
            return Prefix(forms[0], self.fields, self.start)
        return Term(forms[0], words[0].spelling, self.fields, self.start, self.capitals, self.written)

    def unfolded(self, words: Sequence[Word]) -> Expression | None:
        """The same with traditional Chinese characters as they are, for articles that were indexed so; None without."""
        if all(not is_run(word.spelling) or fold_run(word.spelling) == word.spelling for word in words):
            return None
        return self.sequence(words, as_written=True)

    def with_compounds(self, words: Sequence[Word]) -> Iterator[Expression]:
        """The phrase with each of its words as a compound in the article, which no form of the article shows."""
        if not 2 <= len(words) <= LONGEST_PHRASE or any(is_run(word.spelling) for word in words):
            return
        for place, word in enumerate(words):
            if len(word.spelling) >= (SHORTEST_NUMBER if word.spelling.isdigit() else 2):
                yield from filter(None, [self.with_neighbours(words, [place])])

    def with_neighbours(self, words: Sequence[Word], places: Collection[int]) -> Expression | None:
        """The sequence with compounds or sign words at these places; None if that has no tokens in the index."""
        if any(is_run(word.spelling) for word in words):
            return None
        if len(words) == 1:
            return self.word(words[0])
        parts, rest = list[Expression](), list[Word]()
        for index, (left, right) in enumerate(pairwise(words)):
            if index in places or index + 1 in places:
                parts += self.rest(rest)
                token = "__".join(word.spelling if word.form else fold_word(word.spelling) for word in (left, right))
                parts.append(Term(token, token, self.fields, self.start, written=self.written))
                rest = []
            else:
                rest += [left, right] if not rest else [right]
        parts += self.rest(rest)
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def rest(self, words: Sequence[Word]) -> Iterator[Expression]:
        if words:
            yield self.sequence(words)
