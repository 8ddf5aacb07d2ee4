"""The names of sections, keywords and authors are folded again once in a rebuild, however many parts it is done in."""

import pytest
from sqlalchemy import text

from newswire.cli import worker
from newswire.search.index_version import INDEX_VERSION, SEARCHED_ANALYSES
from newswire.search.names import Label, add_labels
from newswire.search.rebuild import LABELS_AT_ONCE, count_outdated
from newswire.visibility import term_of
from tests.support.wire import Wire

OLDER = f"{SEARCHED_ANALYSES[0]}/{INDEX_VERSION.partition('/')[2]}"
PARTS_OF_LABELS = 4


def test_the_worker_folds_every_label_once_in_a_rebuild_of_many_rounds(
    fresh_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wire with 100,000 names needs seconds for them, in which nothing is released: not in each round again."""
    wire = Wire(fresh_sqlite)
    articles = [{"headline": f"Ladder {number}", "body_text": "Sold."} for number in range(170)]
    for some in (articles[:85], articles[85:]):
        assert wire.as_publisher().post("/v1/articles/batch", json=some).status_code == 200
    names = [f"Word {number}" for number in range(LABELS_AT_ONCE * PARTS_OF_LABELS)]
    with wire.database.begin() as connection:
        add_labels(connection, [Label(term_of("keyword", name), "keyword", name) for name in names])
        connection.execute(text("UPDATE label SET words = ' old ' WHERE label = 'Word 7'"))
        connection.execute(text("UPDATE search_place SET index_version = :older"), {"older": OLDER})
    # Each round stops at its first opportunity.
    monkeypatch.setattr(worker, "INDEX_SECONDS", 0.0)
    rounds, done = worker.RebuildRound(), 0
    while outdated(wire):
        rounds.continue_rebuild(wire.database)
        done += 1
        assert done < 20
    # One round for each part of the labels and one for each 50 articles.
    assert done == PARTS_OF_LABELS + 4
    with wire.database.read() as connection:
        assert connection.scalar(text("SELECT words FROM label WHERE label = 'Word 7'")) == " word 7 "
    # Rows that become old again are found by the same worker.
    with wire.database.begin() as connection:
        connection.execute(text("UPDATE search_place SET index_version = :older WHERE number < 9"), {"older": OLDER})
    for _ in range(10):
        rounds.continue_rebuild(wire.database)
    assert outdated(wire) == 0
    wire.close()


def outdated(wire: Wire) -> int:
    with wire.database.read() as connection:
        return count_outdated(connection)
