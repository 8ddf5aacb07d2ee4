"""How well articles answer an expression: one bm25 over five fields (BM25F), the same for both engines; pure.

Each word, prefix and phrase is counted in the forms of an article's texts, a place in the headline
as eight in the body. What is rare among the articles that are compared weighs more than what is
common there. A word counts in each of its inflections that begins alike; what matched in another
way (a stem that begins otherwise, a place behind the part that is looked at) counts as once in the body.
"""

import re
from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from math import log
from typing import NamedTuple, TypeAlias

from newswire.search.analysis import FIELDS, query_stems, word_stems
from newswire.search.syntax import Expression, Leaf, Phrase, Prefix, Term, find_leaves

FIELD_WEIGHTS = {"headline": 8, "summary": 4, "body": 1, "caption": 2, "byline": 2}
BODY = FIELDS.index("body")
K1, B = 1.2, 0.75
MOST_LEAVES = 20
"""Further words decide what is found, but not in which order."""

LOOKED_AT = 20_000
"""Characters of a body in which is counted: some 3,000 words."""

Texts: TypeAlias = Sequence[str]
"""An article's texts in the order of `FIELDS`: their forms, with a blank before, between and after."""


class Measures(NamedTuple):
    """What articles are compared with: words in an average body, and the weight of each leaf in hundredths."""

    length: int
    weights: tuple[int, ...]


def score_articles(
    articles: Sequence[Texts], expression: Expression, languages: Collection[str], measures: Measures | None = None
) -> tuple[list[float], Measures]:
    """The score of each article, 0 or more, by `measures`, or by those of these very articles."""
    sought = [*find_leaves(expression)][:MOST_LEAVES]
    lengths = [texts[BODY].count(" ") for texts in articles]
    counts = [count_leaf(articles, leaf, languages, 1 if always else 0) for leaf, always in sought]
    if measures is None:
        weights = (log(1 + (sum(lengths) + 1) / max(1, sum(column))) for column in counts)
        measures = Measures(round(sum(lengths) / max(1, len(lengths))), tuple(round(100 * each) for each in weights))
    norms = [K1 * (1 - B + B * length / max(1, measures.length)) for length in lengths]
    found = [0.0] * len(articles)
    for weight, column in zip(measures.weights, counts, strict=True):
        for place, (count, norm) in enumerate(zip(column, norms, strict=True)):
            found[place] += weight * count * (K1 + 1) / (count + norm)
    return found, measures


def count_leaf(articles: Sequence[Texts], leaf: Leaf, languages: Collection[str], least: int) -> list[int]:
    """How often a leaf stands in each article, weighted by field; `least` where it is not seen."""
    count = leaf_counter(leaf, languages)
    fields = [(FIELDS.index(name), weight) for name, weight in FIELD_WEIGHTS.items()
              if leaf.fields is None or name in leaf.fields]  # fmt: skip
    return [sum([weight * count(texts[field]) for field, weight in fields]) or least for texts in articles]


def leaf_counter(leaf: Leaf, languages: Collection[str]) -> Callable[[str], int]:
    """A function that says how often a leaf stands in a text."""
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
    """Counts a word and those with a stem in common that begin alike: study and studies, not went for go."""
    alike = Alike(stems, languages)
    alike[form] = True
    known = [form, *(stem.partition("_")[2] for stem in stems)]
    shared = "".join(
        letter
        for letter, other in takewhile(lambda pair: pair[0] == pair[1], zip(min(known), max(known), strict=False))
    )
    # A stem may end in another letter than its words do: happi of happy.
    beginning = shared[:-1] if len(shared) > 3 else shared or form[:1]
    within = re.compile(f" ({beginning}[^ ]*)").findall
    start = f" {beginning}"
    return lambda text: sum([alike[found] for found in within(text)]) if start in text else 0


class Alike(dict[str, bool]):
    """Whether a form has a stem in common with a word; each form is stemmed once."""

    def __init__(self, stems: frozenset[str], languages: Collection[str]) -> None:
        super().__init__()
        self.stems, self.languages = stems, languages

    def __missing__(self, form: str) -> bool:
        found = any(not self.stems.isdisjoint(word_stems(form, language)) for language in self.languages)
        self[form] = found
        return found
