"""The corpus of `bench search`: the same every time, with every planted word where it is said to be."""

import hashlib
import os
import subprocess
import sys
from itertools import pairwise

import pytest

from bench.corpus import PUBLISHERS, corpus
from bench.planting import COMMON, HOLDS, LAST_YEAR, MEDIUM, OLD, OTHER, RARE, SECTIONS, plan
from bench.preparing import SENDERS
from bench.vocabulary import SIZE, vocabulary
from newswire.article import ArticleState, Status, article_document
from newswire.schemas.article import load_draft
from newswire.search.analysis import analyse_article
from newswire.search.matching import match_texts, matches_article
from newswire.search.syntax import parse_query
from newswire.timestamps import parse_instant

DIGEST = """
import hashlib
from itertools import islice
from bench.corpus import corpus
print(hashlib.sha256(repr(list(islice(corpus(5000), 100))).encode()).hexdigest())
"""


def test_the_vocabulary_has_no_word_twice_and_none_that_could_be_a_planted_one() -> None:
    words = vocabulary()
    assert len(set(words)) == len(words) == SIZE
    assert not any("q" in word for word in words)


@pytest.mark.slow
def test_another_process_makes_the_same_corpus() -> None:
    texts = [
        subprocess.run(
            [sys.executable, "-c", DIGEST], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert len(texts[0].strip()) == len(hashlib.sha256().hexdigest())


@pytest.mark.slow
def test_every_planted_word_is_found_in_the_articles_that_are_planned_for_it_and_in_no_other() -> None:
    whole = plan(2000)
    found: dict[str, list[int]] = {text: [] for text in HOLDS}
    expressions = {text: parse_query(text) for text in HOLDS}
    for index, sent in enumerate(corpus(2000)):
        publisher = SENDERS[sent.publisher]
        draft = load_draft(sent.content, publisher)
        assert draft.published_at == whole.published[index]
        held = ArticleState(1, "", 1, None, None, 1, Status.USABLE, None, 0, 0, 0, None, None)
        texts = match_texts(analyse_article(article_document(draft, publisher, held, held.published_at)))
        for text, expression in expressions.items():
            if matches_article(expression, texts):
                found[text].append(index)
    assert found == {text: sorted(whole.found(text)) for text in HOLDS}


def test_the_planted_words_are_as_frequent_as_they_are_said_to_be() -> None:
    whole = plan(20_000)
    counts = {text: len(whole.found(text)) for text in HOLDS}
    assert counts[COMMON] == 2000
    assert counts[OTHER] == 2020
    assert counts[f"{COMMON} {OTHER}"] == counts[RARE] == 20
    assert counts[MEDIUM] == 20
    assert counts[OLD] == 200
    assert counts['"quarrim quostel"'] == 100
    assert counts["quarrim"] == counts["quostel"] == 2000
    assert counts["qiv*"] == 1000


def test_the_rare_word_is_spread_over_the_whole_time_and_the_old_one_stands_in_the_oldest_tenth() -> None:
    whole = plan(20_000)
    ranks = [whole.rank[index] for index in whole.found(RARE)]
    assert {before - after for before, after in pairwise(ranks)} == {1000}
    assert max(whole.rank[index] for index in whole.found(OLD)) < 2000


def test_articles_come_mostly_in_the_order_of_publication_and_more_and_more_of_them() -> None:
    whole = plan(20_000)
    assert list(whole.received) == sorted(whole.received)
    delays = [received - published for received, published in zip(whole.received, whole.published, strict=True)]
    in_order = sum(delay < 3_600_000 for delay in delays) / whole.size
    assert 0.75 < in_order < 0.85
    assert min(delays) >= 0
    assert max(delays) > 365 * 86_400_000
    last_year = len(whole.found(since=LAST_YEAR))
    assert last_year > whole.size / 7
    assert len(whole.found(since=parse_instant("2022-01-01T00:00:00Z"))) > whole.size / 2


def test_a_list_of_a_section_holds_its_articles_newest_first() -> None:
    whole = plan(2000)
    found = whole.found(sections=["sport"])
    assert found == [index for index in whole.order[::-1] if whole.sections[index] == "sport"]
    assert 0.05 < len(found) / whole.size < 0.15
    times = [whole.published[index] for index in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.slow
def test_the_articles_are_as_long_and_as_various_as_those_of_a_wire() -> None:
    articles = [sent for sent in corpus(1000) if not sent.real]
    lengths = [len((sent.content.get("body_text") or sent.content["body_html"]).split()) for sent in articles]
    assert min(lengths) > 115
    assert max(lengths) < 190
    assert {sent.publisher for sent in articles} == set(PUBLISHERS)
    assert {sent.content["section"] for sent in articles} == set(SECTIONS)
    assert {len(sent.content["authors"]) for sent in articles} == {0, 1, 2}
    assert {len(sent.content["images"]) for sent in articles} == {0, 1, 2}
    assert len({sent.content["external_id"] for sent in articles}) == len(articles)
