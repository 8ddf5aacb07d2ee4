"""The walk over spans of time on PostgreSQL finds the nearest matches, wherever they lie and wherever it begins."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from newswire.article import ArticleState, Status
from newswire.search.analysis import analyse_texts
from newswire.search.backend import Document
from newswire.search.postgres import time_buckets
from newswire.search.postgres.index import PostgresSearch
from newswire.search.postgres.time_buckets import Conditions
from newswire.search.query import Position
from newswire.store.database import Database
from newswire.timestamps import EARLIEST, LATEST
from tests.support.cases import case

NOON = 1_790_000_000_000
TIMES = st.one_of(
    st.integers(EARLIEST, LATEST - 1),
    st.integers(-1000, 1000).map(lambda milliseconds: NOON + milliseconds),
    st.integers(-20, 20).map(lambda days: NOON + days * 86_400_000),
    st.sampled_from([EARLIEST, LATEST - 1, NOON, NOON, NOON]),
)
WORDS = ("common", "rare", "old")


class Story(NamedTuple):
    """A time of publication and the words of a headline."""

    at: int
    words: frozenset[str]


STORIES = st.lists(
    st.builds(Story, TIMES, st.frozensets(st.sampled_from(["common", "common", "common", "rare"]))),
    min_size=1,
    max_size=60,
).map(
    lambda stories: [story._replace(words=story.words | ({"old"} if story.at < NOON else set())) for story in stories]
)


@pytest.fixture
def connection(fresh_postgresql: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    # So that small wires have what large ones have: dense spans, rests with too many matches, steps of all sizes.
    monkeypatch.setattr(time_buckets, "FEW", 3)
    monkeypatch.setattr(time_buckets, "MANY", 6)
    database = Database(fresh_postgresql)
    with database.engine.connect() as opened:
        yield opened
    database.dispose()


def put(connection: Connection, stories: list[Story]) -> None:
    for number, story in enumerate(stories, 1):
        held = ArticleState(
            number=number, id=str(number), publisher_id=1, external_id=None, source_version=None, version=1,
            status=Status.USABLE, seq=None, created_at=0, published_at=story.at, updated_at=0, embargoed_until=None,
            expires_at=None,
        )  # fmt: skip
        words = analyse_texts({"headline": " ".join(sorted(story.words))}, None)
        PostgresSearch().index_documents(connection, [Document(held, frozenset({"image_no"}), words)])


def expected(
    stories: list[Story], word: str, times: tuple[int | None, int | None], start: Position | None, descending: bool
) -> list[int]:
    """The numbers of all matches, nearest first."""
    since, until = times
    places = [
        Position(story.at, number)
        for number, story in enumerate(stories, 1)
        if word in story.words and (since is None or story.at >= since) and (until is None or story.at < until)
    ]
    if start is not None:
        places = [place for place in places if (place < start if descending else place > start)]
    return [place.number for place in sorted(places, reverse=descending)]


def in_order(numbers: list[int], stories: list[Story], descending: bool) -> list[int]:
    return sorted(numbers, key=lambda number: (stories[number - 1].at, number), reverse=descending)


def nearest(
    connection: Connection, word: str, times: tuple[int | None, int | None], start: Position | None, *,
    descending: bool, wanted: int,
) -> list[int]:  # fmt: skip
    return time_buckets.nearest_matches(
        connection,
        Conditions("status = 'usable'", "true", {"query": f"'{word}'"}),
        times,
        start,
        descending=descending,
        wanted=wanted,
    )


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("apart", [1, 300, 5_000, 86_400_000])
def test_a_walk_through_many_matches_skips_no_span(connection: Connection, apart: int, descending: bool) -> None:
    stories = [Story(NOON + number * apart, frozenset({"common"})) for number in range(60)]
    with connection.begin() as transaction:
        put(connection, stories)
        for number in (None, 1, 2, 9, 30, 31, 55, 60):
            start = None if number is None else Position(stories[number - 1].at, number)
            found = nearest(connection, "common", (None, None), start, descending=descending, wanted=8)
            right = expected(stories, "common", (None, None), start, descending)
            with case(f"behind {number}"):
                assert in_order(found, stories, descending)[:8] == right[:8]
        transaction.rollback()


@settings(max_examples=150)
@given(
    stories=STORIES, word=st.sampled_from(WORDS), since=st.none() | TIMES, until=st.none() | TIMES,
    start=st.none() | st.builds(Position, TIMES, st.integers(0, 70)), descending=st.booleans(),
    wanted=st.integers(1, 8),
)  # fmt: skip
def test_a_walk_finds_the_nearest_matches_and_no_others(
    connection: Connection, stories: list[Story], word: str, since: int | None, until: int | None,
    start: Position | None, descending: bool, wanted: int,
) -> None:  # fmt: skip
    with connection.begin() as transaction:
        put(connection, stories)
        times = (since, until)
        found = nearest(connection, word, times, start, descending=descending, wanted=wanted)
        transaction.rollback()
    right = expected(stories, word, times, start, descending)
    assert len(found) == len(set(found))
    assert set(found) <= set(right)
    assert in_order(found, stories, descending)[:wanted] == right[:wanted]


@pytest.mark.parametrize("descending", [True, False])
def test_the_nearest_articles_answer_for_a_common_prefix_and_not_for_a_rare_one(
    connection: Connection, descending: bool
) -> None:
    stories = [
        Story(NOON + number, frozenset({"common"} | ({"rare"} if number % 40 == 0 else set()))) for number in range(400)
    ]
    asked: dict[str, Any] = {"descending": descending, "wanted": 20}
    with connection.begin() as transaction:
        put(connection, stories)
        common = time_buckets.among_nearest(
            connection, Conditions("true", "true", {"query": "'com':*"}), (None, None), None, **asked
        )
        rare = time_buckets.among_nearest(
            connection, Conditions("true", "true", {"query": "'rar':*"}), (None, None), None, **asked
        )
        transaction.rollback()
    assert common is not None
    assert (
        in_order(common, stories, descending)[:20] == expected(stories, "common", (None, None), None, descending)[:20]
    )
    assert rare is None
