"""The test collection of `bench relevance`: its queries are whole, and its measures are what their names say."""

import pytest

from bench import relevance_collection
from bench.relevance_collection import CORPORA, everyday, queries_over, stories, table


def test_there_are_twenty_known_items_of_each_corpus_and_57_everyday_queries() -> None:
    known = table("known_items.tsv")
    assert {file: sum(line[0] == file for line in known) for file in CORPORA.values()} == dict.fromkeys(
        CORPORA.values(), 20
    )
    assert len({text for _, _, text in known}) == len(known)
    assert len({*everyday()}) == len(everyday()) == 57


@pytest.mark.parametrize("file", CORPORA.values())
def test_every_query_has_stories_that_are_relevant_and_no_known_item_repeats_its_headline(file: str) -> None:
    if not relevance_collection.is_there():
        pytest.skip("the stories are not in ../shared/data/articles")
    sent = [*stories(file)]
    headlines = {story["external_id"]: story["headline"].casefold() for story in sent}
    for kind, judged in queries_over(file, sent).items():
        for query in judged:
            assert query.relevant, query.text
            assert {*query.relevant} <= {*headlines}
            if kind == "known items":
                assert query.text.casefold() not in headlines[next(iter(query.relevant))]


def test_gain_and_recall() -> None:
    relevance = pytest.importorskip("bench.relevance", reason="bm25s is not installed")
    found = [f"{number}" for number in range(200)]
    assert relevance.gain_of(found, {"0"}) == relevance.gain_of(found, {"0", "1"}) == 1
    assert 0 < relevance.gain_of(found, {"9"}) < relevance.gain_of(found, {"1"}) < 1
    assert relevance.gain_of(found, {"10"}) == 0
    assert relevance.recall_of(found, {"99", "100"}) == 0.5
    assert relevance.recall_of(found, {*found}) == 1
