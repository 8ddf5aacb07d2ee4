"""Relevance scores: BM25 over five weighted fields (BM25F), the same for both engines; pure.

The matches of each word, prefix and phrase are counted in the forms of an article's texts; one in the headline counts
as two in the body of an article of average length. What is rare among the compared articles weighs more than what is
common. The spellings of one word are counted together and weigh as one word. A word is counted in all inflections that
share its first letters. An article that matches in another way (an irregular inflection, or text beyond `LOOKED_AT`)
counts as one match in the body.

Not here: which articles are compared, and the boost of new ones (`newswire.reading.relevance`).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import accumulate, islice, pairwise, takewhile
from math import log
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from newswire.search.analysis import FIELDS, query_stems, word_stems
from newswire.search.expression import And, Expression, Leaf, Named, Near, Not, Or, Phrase, Prefix, Spellings, Term
from newswire.search.proximity import count_near

BODY = FIELDS.index("body")
FIELD_WEIGHTS = {"headline": 2.0, "summary": 1.5, "body": 1.0, "caption": 1.2, "byline": 1.2}
# The parameters of BM25: the saturation of repeated words, and how far matches in the body of a long article are
# discounted.
K1, B = 2.0, 0.85
WIRE = 15
"""How many times as many articles the wire is taken to have as are compared. These are only articles with words of the
query, among which a common word would weigh nothing."""

COVERAGE = 0.1
"""The power of the share of the query that is in an article, by which its score is multiplied. All of these numbers
were measured (decision 0043)."""

MOST_UNITS = 20
"""Words, prefixes and phrases that are scored. Further ones decide which articles match, but not their order."""

WEAK = 0.1
"""The most that matches of a word in capitals count in an article that has it in small letters only."""

LOOKED_AT = 20_000
"""Characters of a body in which matches are counted: some 3,000 words."""

Texts: TypeAlias = Sequence[str]
"""The texts of an article in the order of `FIELDS`: their forms, with a blank before, between and after."""


class Measures(NamedTuple):
    """The statistics of a set of articles: words in an average one, and the weight of each unit in hundredths."""

    length: int
    weights: tuple[int, ...]


class ComparedArticles(NamedTuple):
    """Articles that are scored together: the norm of the length of each, and `weak` as `score_articles` takes it."""

    articles: Sequence[Texts]
    languages: Collection[str]
    norms: Sequence[float]
    weak: Mapping[str, Collection[int]]


def score_articles(
    articles: Sequence[Texts], expression: Expression, languages: Collection[str], measures: Measures | None = None,
    items: Sequence[Expression] = (), weak: Mapping[str, Collection[int]] = MappingProxyType({}),
) -> tuple[list[float], Measures]:  # fmt: skip
    """Scores articles, each 0 or more, by the statistics `measures` (None: those of these articles).

    Returns the scores and the statistics. Scores are comparable only if they are of the same statistics, so the cursor
    of a ranked list carries them from page to page. With `items`, whose disjunction `expression` must be, more of them
    count for more. `weak` has the indices of the articles that have a word, sought in capitals, in small letters only:
    there it is most likely another word (us), and counts as `WEAK`.
    """
    lengths = [sum([text.count(" ") for text in texts]) for texts in articles]
    average = measures.length if measures else round(sum(lengths) / max(1, len(lengths)))
    norms = [1 - B + B * length / max(1, average) for length in lengths]
    compared = ComparedArticles(articles, languages, norms, weak)
    counts = [count_unit(compared, unit, least) for unit, least in scored_units(expression)]
    if measures is None:
        measures = Measures(average, tuple(weigh_unit(column) for column in counts))
    scores = [0.0] * len(articles)
    for weight, column in zip(measures.weights, counts, strict=True):
        for index, count in enumerate(column):
            scores[index] += weight * count * (K1 + 1) / (count + K1)
    if items:
        shares = coverage_shares(items, measures, counts)
        scores = [score * share**COVERAGE for score, share in zip(scores, shares, strict=True)]
    return scores, measures


def weigh_unit(column: Sequence[float]) -> int:
    """The weight of a unit, by how many articles have it: its inverse document frequency, in hundredths."""
    found = len(column) - column.count(0)
    return round(100 * log(1 + (WIRE * len(column) - found + 0.5) / (found + 0.5)))


def coverage_shares(
    items: Sequence[Expression], measures: Measures, counts: Sequence[Sequence[float]]
) -> list[float]:  # fmt: skip
    """Which share of the weight of all items is in each article, above 0 and up to 1."""
    weights = item_weights(items, measures)
    parts = item_units(items)
    shares = []
    for column in zip(*counts, strict=True):
        found = (weight for weight, units in zip(weights, parts, strict=True) if any(column[units]))
        shares.append(max(1, sum(found)) / max(1, sum(weights)))
    return shares


def item_weights(items: Sequence[Expression], measures: Measures) -> list[int]:
    """The weight of each item: that of its commonest unit. Units beyond `MOST_UNITS` weigh as little as the least."""
    least = min(measures.weights, default=1)
    return [min(measures.weights[units], default=least) for units in item_units(items)]


def item_units(items: Sequence[Expression]) -> list[slice]:
    """Where the units of each item are among those of all."""
    ends = [*accumulate((len([*find_units(item, 0)]) for item in items), initial=0)]
    return [slice(start, end) for start, end in pairwise(ends)]


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


def count_unit(compared: ComparedArticles, unit: Expression, least: int) -> list[float]:
    """The matches of a unit in each article, as `count_leaf` counts them; `least` in the body if there are none."""
    counts = count_occurrences(compared, unit)
    return [count or least / norm for count, norm in zip(counts, compared.norms, strict=True)]


def count_occurrences(compared: ComparedArticles, unit: Expression) -> list[float]:
    """The matches of an expression in each article: of alternatives their sum, of a conjunction its rarest part."""
    match unit:
        case Or(operands) | And(operands):
            columns = (count_occurrences(compared, one) for one in operands if not isinstance(one, Not))
            join = min if isinstance(unit, And) else sum
            return [join(found) for found in zip(*columns, strict=True)]
        case Named():
            # A name is no text: whatever is ranked has it, or matches in another way.
            return [1.0] * len(compared.articles)
        case Not():
            raise AssertionError("a Not stands only inside an And")
        case leaf:
            return count_leaf(compared, leaf)


def count_leaf(compared: ComparedArticles, leaf: Leaf) -> list[float]:
    """The number of matches of a leaf in each article, weighted by field; those in a body are divided by its norm."""
    articles, languages, norms, weak = compared
    count = leaf_counter(leaf, languages)
    fields = [(FIELDS.index(name), weight) for name, weight in FIELD_WEIGHTS.items()
              if name != "body" and (leaf.fields is None or name in leaf.fields)]  # fmt: skip
    counts = [sum([weight * count(texts[field]) for field, weight in fields]) for texts in articles]
    if leaf.fields is None or "body" in leaf.fields:
        counts = [
            found + FIELD_WEIGHTS["body"] * count(texts[BODY]) / norm
            for found, texts, norm in zip(counts, articles, norms, strict=True)
        ]
    if isinstance(leaf, Term) and leaf.capitals and (places := weak.get(leaf.form)):
        return [min(found, WEAK) if place in places else found for place, found in enumerate(counts)]
    return counts


def leaf_counter(leaf: Leaf, languages: Collection[str]) -> Callable[[str], int]:
    """A function that counts the matches of a leaf in a text."""
    match leaf:
        case Term(form, spelling):
            stems = frozenset(query_stems(spelling, languages))
            if leaf.capitals:
                # Initials stand in the text one by one, so they are no inflections: US, but also U.S.
                initials, count = f" {' '.join(form)} ", inflection_counter(form, stems, languages)
                return lambda text: count(text) + text.count(initials)
            return inflection_counter(form, stems, languages) if stems else lambda text: text.count(f" {form} ")
        case Prefix(form):
            return lambda text: text.count(f" {form}")
        case Near():
            return lambda text: count_near(leaf, text)
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
