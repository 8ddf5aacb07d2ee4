"""Occurrences: how often the words, prefixes and phrases of a query are in the texts of an article, by field; pure.

A text is walked over once for all words together, however many there are. A word is counted in all inflections that
share its first letters. Scores are made of these counts in `search.bm25`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple, TypeAlias

from newswire.search.analysis import FIELDS, query_stems
from newswire.search.expression import Leaf, Near, Phrase, Prefix, Term
from newswire.search.proximity import count_near
from newswire.search.stemming import word_stems

FIELD_WEIGHTS = {"headline": 2.0, "summary": 1.5, "body": 1.0, "caption": 1.2, "byline": 1.2}
"""What a match in a field counts, before the length of a body is considered."""
BODY = FIELDS.index("body")

Texts: TypeAlias = Sequence[str]
"""The texts of an article in the order of `FIELDS`: their forms, with a blank before, between and after."""
CountInText: TypeAlias = Callable[[str], int]


class Occurrences(NamedTuple):
    """The number of words of an article, and the weighted matches of each leaf in its body and in its other fields."""

    length: int
    body: list[float]
    others: list[float]


class InflectedWord(NamedTuple):
    """A word whose inflections are counted too: all begin with `beginning`, and have one of its stems."""

    leaf: int
    form: str
    stems: frozenset[str]
    beginning: str


class OccurrenceCounter:
    """Counts the matches of each of some leaves in articles; it remembers which forms are inflections of which word."""

    def __init__(self, leaves: Sequence[Leaf], languages: Collection[str]) -> None:
        self.fields = [
            (field, [weight if leaf.fields is None or name in leaf.fields else 0.0 for leaf in leaves])
            for name, weight in FIELD_WEIGHTS.items()
            for field in [FIELDS.index(name)]
        ]
        self.counters = [
            (index, count) for index, leaf in enumerate(leaves) for count in leaf_counters(leaf, languages)
        ]
        words = [*inflected_words(leaves, languages)]
        self.inflections = Inflections(words, languages)
        self.find_forms = form_finder({word.beginning for word in words})
        self.size = len(leaves)

    def count_in(self, texts: Texts) -> Occurrences:
        body, others = [0.0] * self.size, [0.0] * self.size
        find_forms, inflections = self.find_forms, self.inflections
        for field, weights in self.fields:
            text, counts = texts[field], body if field == BODY else others
            if forms := find_forms(text):
                found: dict[int, int] = {}
                for form in forms:
                    for leaf in inflections[form]:
                        found[leaf] = found.get(leaf, 0) + 1
                for leaf, number in found.items():
                    counts[leaf] += weights[leaf] * number
            for leaf, count in self.counters:
                if weights[leaf]:
                    counts[leaf] += weights[leaf] * count(text)
        return Occurrences(sum([text.count(" ") for text in texts]), body, others)


def leaf_counters(leaf: Leaf, languages: Collection[str]) -> Iterator[CountInText]:
    """What counts the matches of a leaf in a text, beside the inflections of an `InflectedWord`."""
    match leaf:
        case Term(form, spelling):
            if leaf.capitals:
                # Initials stand in the text one by one, so they are no inflections: US, but also U.S.
                initials = f" {' '.join(form)} "
                yield lambda text: text.count(initials)
            elif not query_stems(spelling, languages):
                yield lambda text: text.count(f" {form} ")
        case Prefix(form):
            yield lambda text: text.count(f" {form}")
        case Near():
            yield lambda text: count_near(leaf, text)
        case Phrase(forms, prefix):
            phrase = f" {' '.join(forms)}" + ("" if prefix else " ")
            yield lambda text: text.count(phrase)


def inflected_words(leaves: Sequence[Leaf], languages: Collection[str]) -> Iterator[InflectedWord]:
    """The words among the leaves, by their indices."""
    for index, leaf in enumerate(leaves):
        if isinstance(leaf, Term):
            stems = frozenset(query_stems(leaf.spelling, languages))
            if stems or leaf.capitals:
                yield InflectedWord(index, leaf.form, stems, shared_beginning(leaf.form, stems))


def shared_beginning(form: str, stems: Collection[str]) -> str:
    """The letters with which those inflections of a word begin that are counted: study and studies, not went."""
    known = [form, *(stem.partition("_")[2] for stem in stems)]
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(known), max(known), strict=False))
    shared = "".join(letter for letter, _ in pairs)
    # A stem may end in another letter than its words: that of happy is happi.
    return shared[:-1] if len(shared) > 3 else shared or form[:1]


def form_finder(beginnings: Collection[str]) -> Callable[[str], Collection[str]]:
    """A function that finds the forms in a text that begin so: stemming every word of it would take far longer."""
    if not beginnings:
        return lambda text: ()
    within = re.compile(f" ((?:{'|'.join(map(re.escape, sorted(beginnings)))})[^ ]*)").findall
    if len(beginnings) > 1:
        return within
    (start,) = [f" {beginning}" for beginning in beginnings]
    return lambda text: within(text) if start in text else ()


class Inflections(dict[str, Sequence[int]]):
    """A cache of the leaves for which a form counts, by form: each form is stemmed once, whatever is sought."""

    def __init__(self, words: Sequence[InflectedWord], languages: Collection[str]) -> None:
        super().__init__()
        self.words, self.languages = words, languages

    def __missing__(self, form: str) -> Sequence[int]:
        alike = [word for word in self.words if form.startswith(word.beginning)]
        stems = {stem for language in self.languages for stem in word_stems(form, language)}
        found = [word.leaf for word in alike if word.form == form or not word.stems.isdisjoint(stems)]
        self[form] = found
        return found
