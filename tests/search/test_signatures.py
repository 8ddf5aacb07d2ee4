"""Near-duplicates by their words: terms that copies share, and the comparison of two texts."""

import gzip
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.search.analysis import FIELDS, Analysed, analyse_texts
from newswire.search.signatures import KEPT_WINDOWS, LEAST_BODY, SHARED, StoryText, are_near, story_terms

LETTERS = "abcdefgh"
TEXTS = st.lists(st.text(LETTERS, min_size=1, max_size=3) | st.integers(0, 30).map(str), max_size=90)


def analysed(headline: str = "", summary: str = "", body: str = "", language: str = "en") -> Analysed:
    return analyse_texts({"headline": headline, "summary": summary, "body": body}, language)


def story_text(found: Analysed) -> StoryText:
    return StoryText.of([" ".join(found.forms[field]) for field in FIELDS])


def words(seed: int, count: int) -> list[str]:
    random = Random(seed)
    return ["".join(random.choices(LETTERS, k=6)) for _ in range(count)]


@given(TEXTS, TEXTS)
def test_nearness_is_mutual_and_holds_between_equal_texts(first: list[str], second: list[str]) -> None:
    one, other = (story_text(analysed(body=" ".join(text))) for text in (first, second))
    assert are_near(one, other) is are_near(other, one)
    assert are_near(one, one)


@given(TEXTS, st.text(LETTERS, max_size=20))
def test_terms_are_those_of_the_text_alone_whatever_stands_around_a_body(body: list[str], headline: str) -> None:
    found, other = analysed(body=" ".join(body)), analysed(headline, "A summary", " ".join(body).upper())
    assert len(story_terms(found)) <= KEPT_WINDOWS
    if len(found.forms["body"]) >= LEAST_BODY:
        assert story_terms(found) == story_terms(other)


def test_stored_terms_stay_the_same_from_release_to_release() -> None:
    # A change of these needs another ANALYSIS_VERSION: copies on both sides of it would not find each other.
    assert sorted(story_terms(analysed("Central bank leaves base lending rate at four percent"))) == [
        "story_5f5bfcb6",
        "story_7fd4421b",
    ]


def test_a_text_of_less_than_eight_words_has_no_terms() -> None:
    assert story_terms(analysed("Earthquake hits Japan")) == frozenset()
    assert story_terms(analyse_texts({}, None)) == frozenset()


def test_an_edited_copy_shares_a_term_and_is_near() -> None:
    found = 0
    for seed in range(60):
        text, new = words(seed, 240), words(1000 + seed, 30)
        for edited in ([*text[:60], *new, *text[90:]], [*new, *text], text[:120]):
            first, second = analysed(body=" ".join(text)), analysed("Other", body=" ".join(edited))
            assert are_near(story_text(first), story_text(second))
            found += not story_terms(first).isdisjoint(story_terms(second))
    # One of the four windows must survive the edit: that is likely, and no more.
    assert found >= 0.95 * 180


def test_texts_that_differ_in_their_figures_only_are_near_where_the_figures_are_few() -> None:
    text = words(1, 150)
    dead = [story_text(analysed(body=" ".join([*text[:50], figure, "died", *text[50:]]))) for figure in ("4", "15")]
    assert are_near(*dead)
    table = " ".join(" ".join(words(line, 20)) + " {}" for line in range(12))
    prices = [story_text(analysed(body=table.format(*Random(seed).choices(range(1000), k=12)))) for seed in (1, 2)]
    shared = len(prices[0].shingles & prices[1].shingles) / len(prices[0].shingles)
    assert shared > SHARED, "the words alone would make them copies"
    assert not are_near(*prices)


def test_a_translation_is_another_story() -> None:
    english = analysed(body="The bank raised its rate by a quarter of a point on Monday. " * 8)
    german = analysed(body="Die Bank hob ihren Satz am Montag um einen Viertelpunkt an. " * 8, language="de")
    assert story_terms(english).isdisjoint(story_terms(german))
    assert not are_near(story_text(english), story_text(german))


@pytest.mark.slow
def test_of_real_articles_copies_are_near_and_different_stories_are_not(shared_data: Path) -> None:
    """Reuters sends a story again under the same headline; a pair of other headlines is rarely a copy."""
    with gzip.open(shared_data / "articles" / "reuters21578.jsonl.gz", "rt", encoding="utf-8") as lines:
        articles = [json.loads(next(lines)) for _ in range(3_000)]
    texts = [analysed(each["headline"], each.get("summary") or "", each.get("body_text") or "") for each in articles]
    by_term: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        for term in story_terms(text):
            by_term[term].append(number)
    candidates = {pair for numbers in by_term.values() for pair in combinations(numbers, 2)}
    compared = {number: story_text(texts[number]) for number in {each for pair in candidates for each in pair}}
    near = [pair for pair in candidates if are_near(compared[pair[0]], compared[pair[1]])]
    alike = [pair for pair in near if headline_words(articles[pair[0]]) & headline_words(articles[pair[1]])]
    assert max(map(len, by_term.values())) < 50
    assert len(near) >= 30
    assert len(alike) >= 0.95 * len(near)


def headline_words(article: dict[str, str]) -> set[str]:
    return {word for word in article["headline"].casefold().split() if len(word) > 3}
