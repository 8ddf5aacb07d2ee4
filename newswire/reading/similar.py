"""More like this: the articles that share the most telling words of an article, for one reader.

Which words tell most is measured on a sample, the newest articles that the reader may see in the same language, and no
word is counted in any other article: what is hidden changes nothing. Candidates are found through the index, first by
three of the rarest words and then by two, so that an old article that is close comes before new ones that are not. All
of it is bounded, whatever the number of articles. Scores are those of `search.bm25`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from math import log
from typing import Any, NamedTuple

from sqlalchemy import Connection

from newswire.article import Status
from newswire.language_tags import canonical_tag
from newswire.reading.lists import visible_filter
from newswire.search import index
from newswire.search.analysis import split_spellings, word_forms
from newswire.search.bm25 import ArticleScorer, Measures
from newswire.search.expression import Expression, Leaf, Phrase, Term
from newswire.search.languages import language_term
from newswire.search.normal_form import fold_word, is_run
from newswire.search.occurrences import BODY
from newswire.search.query import Query
from newswire.search.relaxation import any_of, at_least
from newswire.search.stemming import UNDETERMINED, stemming_language, word_stems
from newswire.store.articles import NUMBERS, AnyRow
from newswire.visibility import Filter, Visibility, term_of

LOOKED_AT = 3_000
"""Characters of a body whose words are compared: what a story is about stands at its beginning."""
SAMPLED, CANDIDATES = 100, 60
"""Articles in which words are counted, and those that each of the `SHARED` steps finds."""
TELLING, RAREST = 12, 8
"""The words that are scored, and the rarest of them, by which candidates are found."""
SHARED = (3, 2)
"""How many of the rarest words a candidate has, step by step."""
WEIGHTS = {"headline": 4, "summary": 2, "body": 1}
MOST_LOOKED_UP = 24
SHORTEST_WORD = 3
COMMON = 0.2
"""The part of the sample above which a word tells nothing; it counts from `LEAST_SAMPLED` articles on."""
LEAST_SAMPLED = 20
LEAST_SCORE = 0.25
"""The least score of a similar article, as a part of the score that the article itself has."""


class TellingWord(NamedTuple):
    """A word of an article: how to look it up, how much it tells, and whether an article of the sample has it."""

    leaf: Leaf
    weight: float
    is_sampled: bool


def find_similar(
    connection: Connection, row: AnyRow, content: Mapping[str, Any], visibility: Visibility, now: int,
    without: Collection[int], limit: int,
) -> list[int]:  # fmt: skip
    """The numbers of at most `limit` usable articles that are like an article, the most similar first.

    `content` is that of the article in `row`, which is not among them, nor are those in `without`. They are in a
    language with the same stemmer.
    """
    search = SimilarSearch(connection, row, content, visibility, now)
    counted = count_words(content, search.language)
    sample = search.read_sample({form for word in counted.values() for form in word.forms}) if counted else []
    words = search.list_shared(rank_words(counted, sample))
    if not words:
        return []
    rarest = [word.leaf for word in words[:RAREST]]
    found: dict[int, None] = {}
    for shared in SHARED:
        if len(rarest) >= shared or (shared == SHARED[-1] and rarest):
            expression = at_least(min(shared, len(rarest)), rarest)
            found |= dict.fromkeys(search.find_numbers(expression, CANDIDATES))
    candidates = [each for each in found if each != row.number and each not in without]
    # Ties are in favour of the newer one: `sorted` is stable, and each step found the newest first.
    scored = zip(search.score_candidates(candidates, words), candidates, strict=True)
    ranked = sorted(((score, each) for score, each in scored if score >= LEAST_SCORE), key=lambda pair: -pair[0])
    return [each for _, each in ranked[:limit]]


class SimilarSearch:
    """Searches for one reader, among usable articles with the stemmer of an article."""

    def __init__(
        self, connection: Connection, row: AnyRow, content: Mapping[str, Any], visibility: Visibility, now: int
    ) -> None:
        self.connection = connection
        self.row = row
        self.language = stemming_language(content["language"])
        same = [frozenset({language_term(self.language)})]
        if self.language == UNDETERMINED:
            # Many languages have no stemmer: of these only the same one is meant.
            same.append(frozenset({term_of("language", canonical_tag(content["language"]).partition("-")[0])}))
        self.query = Query(filter=Filter(tuple(same)))
        self.wanted, self.rules = visible_filter(self.query, visibility, now)
        # Empty while the index is rebuilt: words are then found as they are written.
        self.known = [each for each in index.read_languages(connection) if each == self.language]

    def find_numbers(self, expression: Expression | None, limit: int) -> list[int]:
        """The numbers of the newest matches."""
        query = Query(filter=self.query.filter, expression=expression)
        statement, values = index.search_statement(
            self.connection, NUMBERS, query, self.wanted, None, limit, self.rules, self.known
        )
        return [row[0] for row in statement.execute(self.connection, values).fetchall()]

    def read_sample(self, forms: Set[str]) -> list[set[str]]:
        """Those of the forms that each of the newest articles has, but for the article itself."""
        sampled = [each for each in self.find_numbers(None, SAMPLED) if each != self.row.number]
        texts = index.read_texts(self.connection, sampled, LOOKED_AT)
        wanted = {*forms}
        return [wanted.intersection(" ".join(each).split()) for each in texts.values()]

    def is_elsewhere(self, leaf: Leaf) -> bool:
        """Whether another article has a word."""
        query = Query(filter=self.query.filter, expression=leaf)
        own = 1 if self.row.status == Status.USABLE else 0
        found = index.count_matches(self.connection, query, self.wanted, own + 1, self.rules, self.known)
        return found > own

    def list_shared(self, ranked: Sequence[TellingWord]) -> list[TellingWord]:
        """The first `TELLING` words that another article has too: no other word finds anything.

        The index is asked for up to `MOST_LOOKED_UP` of those that the sample has not.
        """
        found, looked_up = list[TellingWord](), 0
        for word in ranked:
            if len(found) == TELLING:
                break
            if not word.is_sampled and looked_up < MOST_LOOKED_UP:
                looked_up += 1
                if not self.is_elsewhere(word.leaf):
                    continue
            found.append(word)
        return found

    def score_candidates(self, numbers: Sequence[int], words: Sequence[TellingWord]) -> list[float]:
        """The scores of articles, as parts of the score of the article itself."""
        if not numbers:
            return []
        texts = index.read_texts(self.connection, [self.row.number, *numbers], LOOKED_AT)
        articles = [texts[each] for each in (self.row.number, *numbers)]
        length = round(sum(each[BODY].count(" ") for each in articles) / len(articles))
        measures = Measures(length, tuple(round(100 * word.weight) for word in words))
        scorer = ArticleScorer(any_of([word.leaf for word in words]), [self.language])
        (own, *scores), _ = scorer.score([scorer.counter.count_in(each) for each in articles], measures)
        return [score / own if own else 0.0 for score in scores]


class CountedWord(NamedTuple):
    """A word of an article: the leaf that finds it, its inflections, and how often it occurs, weighted by field."""

    leaf: Leaf
    forms: set[str]
    counts: list[int]


def count_words(content: Mapping[str, Any], language: str) -> dict[str, CountedWord]:
    """The words of an article by their stems."""
    found: dict[str, CountedWord] = {}
    for field, weight in WEIGHTS.items():
        for stem, form, leaf in list_words(text_of(content, field), language):
            word = found.setdefault(stem, CountedWord(leaf, set(), []))
            word.forms.add(form)
            word.counts.append(weight)
    return found


def rank_words(words: Mapping[str, CountedWord], sample: Sequence[set[str]]) -> list[TellingWord]:
    """The words that tell something, the most telling first: the article has them often, the sample has them rarely.

    `sample` are the forms of these words in each of some other articles.
    """
    stems = {form: stem for stem, word in words.items() for form in word.forms}
    having = Counter(stem for forms in sample for stem in {stems[form] for form in forms})
    ranked = []
    for stem, word in words.items():
        if len(sample) < LEAST_SAMPLED or having[stem] <= COMMON * len(sample):
            rarity = log(1 + (len(sample) + 1) / (having[stem] + 0.5))
            ranked.append(TellingWord(word.leaf, (1 + log(sum(word.counts))) * rarity, having[stem] > 0))
    return sorted(ranked, key=lambda word: -word.weight)


def text_of(content: Mapping[str, Any], field: str) -> str:
    text: str = content["body_text" if field == "body" else field] or ""
    return text[:LOOKED_AT]


def list_words(text: str, language: str) -> Iterator[tuple[str, str, Leaf]]:
    """The words of a text, each as its stem, its form, and the leaf that finds it; of a run each pair of characters."""
    for spelling in split_spellings(text):
        if is_run(spelling):
            yield from ((pair, pair, Phrase((pair,))) for pair in word_forms(spelling)[:-1])
        elif len(form := fold_word(spelling)) >= SHORTEST_WORD and not form.isdigit():
            yield min(word_stems(spelling, language)), form, Term(form, spelling)
