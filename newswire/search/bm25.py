"""Relevance scores: BM25 over five weighted fields (BM25F), the same for both engines; pure.

The matches of each word, prefix and phrase are counted in the texts of an article (`search.occurrences`); one in the
headline counts as two in the body of an article of average length. What is rare among the compared articles weighs more
than what is common. The spellings of one word are counted together and weigh as one word. An article that matches in
another way (an irregular inflection, or text beyond `LOOKED_AT`) counts as one match in the body.

Not here: which articles are compared, and the boost of new ones (`newswire.reading.relevance`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, islice, pairwise
from math import log
from types import MappingProxyType
from typing import NamedTuple

from newswire.search.expression import And, Expression, Leaf, Named, Not, Or, Spellings, Term
from newswire.search.occurrences import OccurrenceCounter, Occurrences

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


class Measures(NamedTuple):
    """The statistics of a set of articles: words in an average one, and the weight of each unit in hundredths."""

    length: int
    weights: tuple[int, ...]


class ArticleScorer:
    """Scores articles for one query: they are counted one by one, then scored together.

    With `items`, whose disjunction `expression` must be, more of them count for more.
    """

    def __init__(self, expression: Expression, languages: Collection[str], items: Sequence[Expression] = ()) -> None:
        self.items = items
        self.units = scored_units(expression)
        self.leaves = [leaf for each in self.units for leaf in unit_leaves(each.unit)]
        self.counter = OccurrenceCounter(self.leaves, languages)

    def score(
        self, articles: Sequence[Occurrences], measures: Measures | None = None,
        weak: Mapping[str, Collection[int]] = MappingProxyType({}),
    ) -> tuple[list[float], Measures]:  # fmt: skip
        """Scores articles, each 0 or more, by the statistics `measures` (None: those of these articles).

        Returns the scores and the statistics. Scores are comparable only if they are of the same statistics, so the
        cursor of a ranked list carries them from page to page. `weak` has the indices of the articles that have a
        word, sought in capitals, in small letters only: there it is most likely another word (us), and counts as
        `WEAK`.
        """
        average = measures.length if measures else round(sum(each.length for each in articles) / max(1, len(articles)))
        norms = [1 - B + B * each.length / max(1, average) for each in articles]
        columns = iter([*self._leaf_columns(articles, norms, weak)])
        counts = []
        for unit, least in self.units:
            column = join_columns(unit, columns, len(articles))
            # What matches in a way that cannot be counted matches once.
            counts.append([count or least / norm for count, norm in zip(column, norms, strict=True)])
        if measures is None:
            measures = Measures(average, tuple(weigh_unit(column) for column in counts))
        scores = [0.0] * len(articles)
        for weight, column in zip(measures.weights, counts, strict=True):
            for index, count in enumerate(column):
                scores[index] += weight * count * (K1 + 1) / (count + K1)
        if self.items:
            shares = coverage_shares(self.items, measures, counts)
            scores = [score * share**COVERAGE for score, share in zip(scores, shares, strict=True)]
        return scores, measures

    def _leaf_columns(
        self, articles: Sequence[Occurrences], norms: Sequence[float], weak: Mapping[str, Collection[int]]
    ) -> Iterator[list[float]]:
        """The matches of each leaf in each article, weighted by field; those in a body are divided by its norm."""
        for index, leaf in enumerate(self.leaves):
            column = [each.others[index] + each.body[index] / norm for each, norm in zip(articles, norms, strict=True)]
            if isinstance(leaf, Term) and leaf.capitals and (places := weak.get(leaf.form)):
                column = [min(found, WEAK) if place in places else found for place, found in enumerate(column)]
            yield column


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


def unit_leaves(unit: Expression) -> Iterator[Leaf]:
    """The leaves of a unit, from left to right; excluded ones and names are left out."""
    match unit:
        case Or(operands) | And(operands):
            for operand in operands:
                yield from unit_leaves(operand)
        case Not() | Named():
            return
        case leaf:
            yield leaf


def join_columns(unit: Expression, columns: Iterator[list[float]], articles: int) -> list[float]:
    """The matches of a unit in each article: of alternatives their sum, of a conjunction its rarest part.

    `columns` are those of its leaves, as `unit_leaves` has them, and of what comes after it.
    """
    match unit:
        case Or(operands) | And(operands):
            parts = [join_columns(one, columns, articles) for one in operands if not isinstance(one, Not)]
            join = min if isinstance(unit, And) else sum
            return [join(found) for found in zip(*parts, strict=True)]
        case Named():
            # A name is no text: whatever is ranked has it, or matches in another way.
            return [1.0] * articles
        case Not():
            raise AssertionError("a Not stands only inside an And")
    return next(columns)
