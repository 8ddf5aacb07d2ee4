"""`bench search` on a small corpus, and that it notices wrong answers."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import searching
from bench.corpus import external_id
from bench.kept import ENGINES
from bench.planting import COMMON, RARE, plan
from bench.questions import LIMIT, Question, View, questions
from bench.searching import Column, Row
from tests.support.postgres import folder_for_all


@pytest.fixture
def folder() -> Iterator[Path]:
    """PostgreSQL does not run as root; the folders of tests are closed to whom it runs as then."""
    with folder_for_all() as path:
        yield path


@pytest.mark.slow
def test_every_answer_of_both_engines_is_right_and_a_kept_wire_is_not_loaded_again(folder: Path) -> None:
    said: list[str] = []
    first = searching.run(1000, ENGINES, folder, 2, fresh=False, tell=said.append)
    assert [fault for column in first for fault in column.faults() if fault.startswith("WRONG")] == []
    assert any("1,000 articles in" in line for line in said)
    table = searching.told(first, 1000, 2)
    assert table.count("\n| ") == 1 + len(list(questions(View(plan(1000)), "sqlite")))
    said.clear()
    again = searching.run(1000, ["sqlite"], folder, 1, fresh=False, tell=said.append)
    assert [fault for column in again for fault in column.faults() if fault.startswith("WRONG")] == []
    assert not any("1,000 articles in" in line for line in said)


VIEW = View(plan(1000))


def question(name: str) -> Question:
    return next(each for each in questions(VIEW, "sqlite") if each.name == name)


def answer(text: str) -> dict[str, Any]:
    """A right answer, with count and facets."""
    found = VIEW.found(text)
    sections: dict[str, int] = {}
    for index in found:
        sections[VIEW.plan.sections[index]] = sections.get(VIEW.plan.sections[index], 0) + 1
    counts = [{"value": name, "count": {"value": number, "relation": "eq"}} for name, number in sections.items()]
    return {
        "data": [{"external_id": external_id(index)} for index in found[:LIMIT]],
        "meta": {"count": {"value": len(found), "relation": "eq"}, "facets": {"section": counts}},
    }


@pytest.mark.parametrize("name", ["common word", "common word, with its count", "common word, with all facets",
                                  "common word, by relevance"])  # fmt: skip
def test_an_article_that_is_missing_or_twice_or_none_of_the_matches_is_noticed(name: str) -> None:
    asked, right = question(name), answer(COMMON)
    assert asked.fault(1, right) is None
    for change in (missing, doubled, strange):
        wrong = copy.deepcopy(right)
        change(wrong["data"])
        assert asked.fault(1, wrong) is not None


def missing(data: list[Any]) -> None:
    del data[3]


def doubled(data: list[Any]) -> None:
    data[3] = data[4]


def strange(data: list[Any]) -> None:
    data[3] = {"external_id": "0000000"}


def test_an_order_that_is_not_newest_first_is_noticed() -> None:
    wrong = answer(COMMON)
    wrong["data"].reverse()
    assert question("common word").fault(1, wrong) is not None
    assert question("common word, by relevance").fault(1, wrong) is None


def test_a_count_and_a_facet_that_are_not_the_planted_ones_are_noticed() -> None:
    wrong = answer(RARE)
    wrong["meta"]["count"]["value"] += 1
    wrong["meta"]["facets"]["section"].pop()
    assert question("rare word, with its count").fault(1, wrong) is not None
    assert question("rare word, with all facets").fault(1, wrong) is not None


def test_a_row_that_takes_longer_than_it_may_is_told() -> None:
    latest, common = question("latest page"), question("common word")
    rows = [Row(latest, [0.002]), Row(common, [0.021])]
    assert list(Column("sqlite", "everything", rows, 2.0).faults()) == [
        "SLOW on SQLite, everything: common word: 10.5 times the latest page, at most 10"
    ]
    assert list(Column("sqlite", "everything", [Row(latest, [0.002]), Row(common, [0.019])], 2.0).faults()) == []
