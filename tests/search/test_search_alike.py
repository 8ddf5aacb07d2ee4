"""Both engines find the same articles in the same order, and those are what `matches` says."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.accounts.publishers import add_publisher
from newswire.article import Publisher
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.reading.lists import list_page
from newswire.schemas.article import load_draft
from newswire.search.analysis import Analysed, analyse_article
from newswire.search.matching import match_texts, matches_article
from newswire.search.query import Query
from newswire.search.syntax import ExpressionError, parse_query
from newswire.store.database import Database
from newswire.timestamps import now
from newswire.visibility import EVERYTHING, Filter, Visibility
from tests.support.queries import compose_queries

WORDS = [
    "cocoa", "prices", "price", "rising", "rose", "études", "étude", "Zürich", "зелёный", "экономики", "شراء", "מדינה",
    "東京株式", "株式", "กรุงเทพ", "U.S.", "Israel's", "3.5", "a", "I", "the", "New", "York",
    "US", "us", "U.S.-led", "Wi-Fi", "wifi", "wi", "fi", "12,500", "12500", "12.500", "500", "C++", "c", "C#", ".NET",
    "#york", "@york", "colour", "color", "organise", "organize", "서울에서", "서울", "בירושלים", "ירושלים",
    "والعراق", "العراق", "臺北", "台北", "state-of-the-art", "state",
]  # fmt: skip
LANGUAGES = ["en", "fr", "de", "ru", "ar", "he", "ja", "th", "xx", "ko", "zh"]


class Both:
    """The same articles on both engines, and their analysis."""

    def __init__(self, urls: list[str]) -> None:
        self.databases = [Database(url) for url in urls]
        self.documents: list[Analysed] = []
        for database in self.databases:
            with database.begin() as connection:
                self.publisher = add_publisher(connection, "p", "P", None, "en", now())

    def publish(self, articles: list[dict[str, Any]]) -> None:
        drafts = [load_draft(item, Publisher(1, "p", "P", None, "en")) for item in articles]
        for database in self.databases:
            moment = 1_790_000_000_000
            with database.begin() as connection, publish_transaction(connection, moment) as transaction:
                for draft in drafts:
                    transaction.create(self.publisher, prepare_article(draft, self.publisher))
        self.documents += [analyse_article(draft.content) for draft in drafts]

    def found(self, text: str, filter: Filter) -> list[list[int]]:
        """The numbers that each engine finds, walked page by page, newest first."""
        return [self.walk(database, text, filter) for database in self.databases]

    def walk(self, database: Database, text: str, filter: Filter) -> list[int]:
        numbers: list[int] = []
        cursor: str | None = None
        with database.read() as connection:
            while True:
                query = Query(text=text, expression=parse_query(text), filter=filter, limit=40, cursor=cursor)
                shown = list_page(connection, query, Visibility(EVERYTHING), 1_790_000_000_000)
                numbers += [row.number for row in shown.rows]
                cursor = shown.next_cursor
                if cursor is None:
                    return numbers

    def matching(self, text: str) -> set[int]:
        """The numbers of the documents that match in process."""
        expression = parse_query(text)
        return {
            number
            for number, document in enumerate(self.documents, 1)
            if matches_article(expression, match_texts(document))
        }

    def close(self) -> None:
        for database in self.databases:
            database.dispose()


@pytest.fixture
def both(fresh_sqlite: str, fresh_postgresql: str) -> Iterator[Both]:
    made = Both([fresh_sqlite, fresh_postgresql])
    yield made
    made.close()


def invented(random: Random) -> dict[str, Any]:
    def text(longest: int) -> str:
        return " ".join(random.choices(WORDS, k=random.randint(1, longest)))

    return {
        "headline": text(4),
        "summary": text(5),
        "body_text": text(30),
        "byline": text(2),
        "images": [{"url": "http://p.example/a", "caption": text(4)}],
        "language": random.choice(LANGUAGES),
        "section": random.choice("ab"),
        "published_at": f"2026-01-0{random.randint(1, 4)}T00:00:00Z",
    }


leaf = st.one_of(
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(lambda words: f'"{" ".join(words)}"'),
    st.sampled_from(WORDS).map(lambda word: f"{word.rstrip('.')[:3]}*"),
    st.tuples(st.sampled_from(["headline", "byline", "caption", "body", "summary"]), st.sampled_from(WORDS)).map(
        ":".join
    ),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'headline:"{" ".join(words)}"'),
)
queries = compose_queries(leaf, max_leaves=6)


@settings(max_examples=80)
@given(data=st.data())
def test_any_query_finds_the_same_on_both_engines_and_in_process(both: Both, data: st.DataObject) -> None:
    if not both.documents:
        random = Random(7)
        both.publish([invented(random) for _ in range(120)])
    text = data.draw(queries)
    try:
        parse_query(text)
    except ExpressionError:
        return
    first, second = both.found(text, Filter())
    assert first == second
    assert len(first) == len(set(first))
    assert set(first) == both.matching(text)
    narrowed = both.found(text, Filter.of({"section": ["a"]}))
    assert narrowed[0] == narrowed[1]
    assert set(narrowed[0]) <= set(first)


@pytest.mark.slow
def test_real_articles_are_found_alike_by_their_own_words(both: Both, shared_data: Path) -> None:
    names = ["reuters21578", "wikinews_ja", "saudinewsnet", "hebrew_headlines", "french_headlines", "guardian_articles"]
    for name in names:
        with gzip.open(shared_data / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            both.publish([json.loads(line) for line, _ in zip(lines, range(60), strict=False)])
    random = Random(11)
    for document in random.sample(both.documents, 60):
        field = random.choice([field for field, forms in document.forms.items() if forms])
        forms = document.forms[field]
        start = random.randrange(len(forms))
        for text in (forms[start], f'"{" ".join(forms[start : start + 3])}"'):
            first, second = both.found(text, Filter())
            assert first == second, text
            assert set(first) == both.matching(text), text


@pytest.mark.slow
def test_an_article_of_two_mebibytes_is_stored_and_found_on_both_engines(both: Both) -> None:
    """A tsvector holds one mebibyte; what exceeds the index's budget is left out of search, not refused."""
    words = " ".join(f"w{number:x}" for number in range(290_000))
    both.publish([{"headline": "Everything", "body_text": words[: 2 * 1024 * 1024], "byline": "Zebra"}])
    for text in ("w1", '"w5 w6 w7"', "zebra", "everything"):
        assert both.found(text, Filter()) == [[1], [1]]
    assert both.found("w46ccf", Filter()) == [[], []]


@pytest.mark.slow
def test_the_fullest_article_that_may_be_sent_is_stored_on_both_engines(both: Both) -> None:
    """Every list at its limit, in letters of four bytes: filters and words together still fit one index entry."""

    def long(number: int, length: int) -> str:
        return f"{number:03}" + "".join(chr(0x10450 + (number + place) % 70) for place in range(length - 3))

    article = {
        "headline": "Fullest",
        "body_text": " ".join(f"w{number:x}" for number in range(290_000)),
        "keywords": [long(number, 200) for number in range(200)],
        "subjects": [{"code": long(number, 250), "name": long(number + 500, 250)} for number in range(200)],
        "places": [{"name": long(number, 250)} for number in range(200)],
        "authors": [{"name": long(number, 250)} for number in range(100)],
        "external_id": long(1, 250),
    }
    both.publish([article])
    assert both.found("fullest", Filter()) == [[1], [1]]
    assert both.found("fullest", Filter.of({"keyword": [long(199, 200)]})) == [[1], [1]]
