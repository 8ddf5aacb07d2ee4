"""The test collection of `bench relevance`: four corpora of real stories, queries over each, and what is relevant.

The queries were written by hand and stand in `relevance_queries`: topics of Reuters by their plain names, whose stories
are relevant; paraphrases, each of which should find the one story after which it was written; and everyday queries as
an editor types them. The stories are not part of the project: they lie beside the checkout, or there is no collection.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from bench.corpus import REAL_TEXTS
from newswire.accounts.publishers import add_publisher
from newswire.article import Publisher
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_draft
from newswire.search import index
from newswire.store.database import Database
from newswire.store.migrate import upgrade
from newswire.store.tables import article

QUERIES = Path(__file__).parent / "relevance_queries"
CORPORA = {
    "BBC": "bbc_news_2005", "Guardian": "guardian_articles", "Wikinews": "wikinews_en", "Reuters": "reuters21578",
}  # fmt: skip
AT_ONCE = 200
WHOLE = 10**9
RECEIVED = 1_790_000_000_000


class Judged(NamedTuple):
    """A query, and the keys of the stories that are relevant to it."""

    text: str
    relevant: Collection[str]


class Collected(NamedTuple):
    """A corpus: the words of its stories by key, headline first, folded and parted by blanks; queries by kind."""

    name: str
    texts: Mapping[str, str]
    queries: Mapping[str, Sequence[Judged]]


def is_there() -> bool:
    return all((REAL_TEXTS / f"{file}.jsonl.gz").exists() for file in CORPORA.values())


def stories(file: str) -> Iterator[dict[str, Any]]:
    with gzip.open(REAL_TEXTS / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def fill(url: str) -> dict[str, Collected]:
    """Publishes all corpora to an empty database, each by a publisher of its own; what is asked of each, by name."""
    upgrade(url)
    database = Database(url)
    found: dict[str, Collected] = {}
    try:
        for name, file in CORPORA.items():
            with database.begin() as connection:
                publisher = add_publisher(connection, name.casefold(), name, f"https://{file}.example/", "en", 0)
            sent = [*stories(file)]
            for start in range(0, len(sent), AT_ONCE):
                with database.begin() as connection, publish_transaction(connection, RECEIVED) as transaction:
                    for story in sent[start : start + AT_ONCE]:
                        draft = load_draft(story, publisher)
                        transaction.create(publisher, prepare_article(draft, publisher))
            found[name] = Collected(name, texts_of(database, publisher), queries_over(file, sent))
    finally:
        database.dispose()
    return found


def texts_of(database: Database, publisher: Publisher) -> dict[str, str]:
    """What the index has of the stories of a publisher, whole, by their keys."""
    with database.read() as connection:
        numbers = select(article.c.number, article.c.external_id).where(article.c.publisher_id == publisher.id)
        keys: dict[int, str] = {number: key or "" for number, key in connection.execute(numbers)}
        return {keys[number]: " ".join(texts) for number, texts in index.read_texts(connection, [*keys], WHOLE).items()}


def queries_over(file: str, sent: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Judged]]:
    """The judged queries over one corpus: known items of every one, topics where the stories carry them."""
    known = [Judged(text, {key}) for corpus, key, text in table("known_items.tsv") if corpus == file]
    if file != CORPORA["Reuters"]:
        return {"known items": known}
    by_topic: dict[str, set[str]] = defaultdict(set)
    for story in sent:
        for topic in story.get("keywords", ()):
            by_topic[topic].add(story["external_id"])
    return {"known items": known, "topics": [Judged(text, by_topic[topic]) for topic, text in table("topics.tsv")]}


@cache
def everyday() -> list[str]:
    return [text for (text,) in table("everyday.txt")]


def table(file: str) -> list[list[str]]:
    """The lines of a file of queries, divided at tabs."""
    return [line.split("\t") for line in (QUERIES / file).read_text("utf-8").splitlines()]
