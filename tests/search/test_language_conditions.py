"""Words whose stems differ between languages: a rare language costs nothing, and articles without stems are found."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from newswire.search.languages import language_term, stems_in_languages
from newswire.search.query import Query
from newswire.search.relaxation import relax_expression
from newswire.search.sqlite.match import match_expression
from newswire.search.syntax import parse_query
from newswire.visibility import Filter
from tests.search.test_search_alike import Both

LANGUAGES = ["ar", "de", "en", "eo", "es", "fa", "fr", "id", "pt", "ru", "sr"]
WORDS = "news studies elections organised voting houses prices markets rates ministers stories parties"
ROWS = 20_000


@pytest.fixture
def english() -> Iterator[sqlite3.Connection]:
    """An index of articles in English, all of which have all words, and words like their stems in other languages."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            """CREATE VIRTUAL TABLE search_index USING fts5(words, tokenize = "unicode61 tokenchars '_'")"""
        )
        stems = " ".join(f"_{stem}" for word in WORDS.split() for stem in stems_in_languages(word, LANGUAGES))
        row = (f"{stems} {language_term('en')}",)
        connection.executemany("INSERT INTO search_index (words) VALUES (?)", [row] * ROWS)
        yield connection


def processor_seconds(connection: sqlite3.Connection, text: str, languages: list[str]) -> float:
    """The least of three searches for a page."""
    relaxed = relax_expression(parse_query(text), "any")
    matching = match_expression(Query(expression=relaxed.expression).expression, Filter(), languages)
    taken = []
    for _ in range(3):
        began = time.process_time()
        found = connection.execute(
            "SELECT rowid FROM search_index WHERE search_index MATCH ? ORDER BY rowid DESC LIMIT 25", (matching,)
        ).fetchall()
        taken.append(time.process_time() - began)
        assert len(found) == 25
    return min(taken)


def test_a_page_costs_no_walk_past_the_articles_of_the_common_language(english: sqlite3.Connection) -> None:
    alone = processor_seconds(english, WORDS, ["en"])
    # Each word is sought in several languages; for every one of them all 20,000 articles were looked at.
    assert processor_seconds(english, WORDS, LANGUAGES) < 20 * alone + 0.002


@pytest.mark.parametrize("text", ["(studies OR 東京) 大阪", '"東京 駅" 大阪 -elections', "大阪 -(studies OR voting)"])
def test_an_article_without_stems_is_found_beside_languages_with_stems(
    fresh_sqlite: str, fresh_postgresql: str, text: str
) -> None:
    both = Both([fresh_sqlite, fresh_postgresql])
    try:
        both.publish(
            [
                {"headline": "東京 駅 大阪", "language": "ja", "published_at": "2026-01-01T00:00:00Z"},
                {"headline": "Studies of elections", "language": "en", "published_at": "2026-01-02T00:00:00Z"},
                {"headline": "Die Häuser", "language": "de", "published_at": "2026-01-03T00:00:00Z"},
                {"headline": "大阪 studies elections", "language": "en", "published_at": "2026-01-04T00:00:00Z"},
            ]
        )
        first, second = both.found(text, Filter())
        assert first == second
        assert set(first) == both.matching(text)
        assert 1 in first
    finally:
        both.close()
