"""Relevance scores: BM25 over five weighted fields (BM25F), the same for both engines; pure.

The matches of each word, prefix and phrase are counted in the forms of an article's texts; one in the headline counts
as eight in the body. What is rare among the compared articles weighs more than what is common. The spellings of one
word are counted together and weigh as one word.
A word is counted in all inflections that share its first letters. An article that matches in another way (an
irregular inflection, or text beyond `LOOKED_AT`) counts as one match in the body.

Not here: which articles are compared, and the boost of new ones (`newswire.reading.relevance`).
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice, takewhile
from math import log
from typing import NamedTuple, TypeAlias

from newswire.search.analysis import FIELDS, query_stems, word_stems
from newswire.search.expression import And, Expression, Leaf, Named, Not, Or, Phrase, Prefix, Spellings, Term

FIELD_WEIGHTS = {"headline": 8, "summary": 4, "body": 1, "caption": 2, "byline": 2}
BODY = FIELDS.index("body")
# The usual parameters of BM25: the saturation of repeated words, and how far long bodies are discounted.
K1, B = 1.2, 0.75
MOST_UNITS = 20
"""Words, prefixes and phrases that are scored. Further ones decide which articles match, but not their order."""

LOOKED_AT = 20_000
"""Characters of a body in which matches are counted: some 3,000 words."""

Texts: TypeAlias = Sequence[str]
"""The texts of an article in the order of `FIELDS`: their forms, with a blank before, between and after."""


class Measures(NamedTuple):
    """The statistics of a set of articles: words in an average body, and the weight of each unit in hundredths."""

    length: int
    weights: tuple[int, ...]


def score_articles(
    articles: Sequence[Texts], expression: Expression, languages: Collection[str], measures: Measures | None = None
) -> tuple[list[float], Measures]:
    """Scores articles, each 0 or more, by the statistics `measures` (None: those of these articles).

    Returns the scores and the statistics. Scores are comparable only if they are of the same statistics, so the cursor
    of a ranked list carries them from page to page.
    """
    lengths = [texts[BODY].count(" ") for texts in articles]
    counts = [count_unit(articles, unit, languages, least) for unit, least in scored_units(expression)]
    if measures is None:
        weights = (log(1 + (sum(lengths) + 1) / max(1, sum(column))) for column in counts)
        measures = Measures(round(sum(lengths) / max(1, len(lengths))), tuple(round(100 * each) for each in weights))
    norms = [K1 * (1 - B + B * length / max(1, measures.length)) for length in lengths]
    scores = [0.0] * len(articles)
    for weight, column in zip(measures.weights, counts, strict=True):
        for index, (count, norm) in enumerate(zip(column, norms, strict=True)):
            scores[index] += weight * count * (K1 + 1) / (count + norm)
    return scores, measures


class ScoredUnit(NamedTuple):
    """What is scored as one: a leaf, or the spellings of a word; and the matches that every article has at least.

    `least` is 1 outside of an OR: what matches in a way that cannot be counted matches once.
    """

    unit: Expression
    least: int


def scored_units(expression: Expression) -> list[ScoredUnit]:
    """The units of an expression, excluded ones left out, that decide the order: at most `MOST_UNITS`."""
    return [*islice(find_units(expression, 1), MOST_UNITS)]


def find_units(expression: Expression, least: int) -> Iterator[ScoredUnit]:
    """The units of an expression from left to right."""
    match expression:
        case Not() | Named():
            return
        case And(operands):
            for operand in operands:
                yield from find_units(operand, least)
        case Or(operands) if not isinstance(expression, Spellings):
            for operand in operands:
                yield from find_units(operand, 0)
        case unit:
            yield ScoredUnit(unit, least)


def count_unit(articles: Sequence[Texts], unit: Expression, languages: Collection[str], least: int) -> list[int]:
    """The number of matches of a unit in each article, weighted by field; `least` for an article without any."""
    return [count or least for count in count_occurrences(articles, unit, languages)]


def count_occurrences(articles: Sequence[Texts], unit: Expression, languages: Collection[str]) -> list[int]:
    """The matches of an expression in each article: of alternatives their sum, of a conjunction its rarest part."""
    match unit:
        case Or(operands):
            return [
                sum(found)
                for found in zip(*(count_occurrences(articles, one, languages) for one in operands), strict=True)
            ]
        case And(operands):
            parts = (one for one in operands if not isinstance(one, Not))
            return [
                min(found)
                for found in zip(*(count_occurrences(articles, one, languages) for one in parts), strict=True)
            ]
        case Named():
            # A name is no text: whatever is ranked has it, or matches in another way.
            return [1] * len(articles)
        case Not():
            raise AssertionError("a Not stands only inside an And")
        case leaf:
            return count_leaf(articles, leaf, languages)


def count_leaf(articles: Sequence[Texts], leaf: Leaf, languages: Collection[str]) -> list[int]:
    """The number of matches of a leaf in each article, weighted by field."""
    count = leaf_counter(leaf, languages)
    fields = [(FIELDS.index(name), weight) for name, weight in FIELD_WEIGHTS.items()
              if leaf.fields is None or name in leaf.fields]  # fmt: skip
    return [sum([weight * count(texts[field]) for field, weight in fields]) for texts in articles]


def leaf_counter(leaf: Leaf, languages: Collection[str]) -> Callable[[str], int]:
    """A function that counts the matches of a leaf in a text."""
    match leaf:
        case Term(form, spelling):
            stems = frozenset(query_stems(spelling, languages))
            return inflection_counter(form, stems, languages) if stems else lambda text: text.count(f" {form} ")
        case Prefix(form):
            return lambda text: text.count(f" {form}")
        case Phrase(forms, prefix):
            phrase = f" {' '.join(forms)}" + ("" if prefix else " ")
            return lambda text: text.count(phrase)


def inflection_counter(form: str, stems: frozenset[str], languages: Collection[str]) -> Callable[[str], int]:
    """A function that counts a word and those of its inflections that begin alike: study and studies, not went.

    The text is first searched for the shared letters, because stemming every word of it would take far longer.
    """
    alike = Alike(stems, languages)
    alike[form] = True
    known = [form, *(stem.partition("_")[2] for stem in stems)]
    shared = "".join(
        letter
        for letter, other in takewhile(lambda pair: pair[0] == pair[1], zip(min(known), max(known), strict=False))
    )
    # A stem may end in another letter than its words: that of happy is happi.
    beginning = shared[:-1] if len(shared) > 3 else shared or form[:1]
    within = re.compile(f" ({beginning}[^ ]*)").findall
    start = f" {beginning}"
    return lambda text: sum([alike[found] for found in within(text)]) if start in text else 0


class Alike(dict[str, bool]):
    """A cache that tells whether a form shares a stem with the word; each form is stemmed once."""

    def __init__(self, stems: frozenset[str], languages: Collection[str]) -> None:
        super().__init__()
        self.stems, self.languages = stems, languages

    def __missing__(self, form: str) -> bool:
        found = any(not self.stems.isdisjoint(word_stems(form, language)) for language in self.languages)
        self[form] = found
        return found
