"""What `bench relevance` compares: our order by relevance, and what others find over the same texts by any word.

Each contender is a function from the name of a corpus (None: all of them together) and a query to the keys of the best
stories, the best first. All but ours get the words as our index has them, and stem them themselves.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import bm25s
import psycopg
import Stemmer
from sqlalchemy import Connection, select

from bench.relevance_collection import Collected
from newswire.reading.relevance import ranked_page
from newswire.search.query import Query
from newswire.search.relaxation import relax_expression
from newswire.search.syntax import parse_query
from newswire.store.tables import article
from newswire.visibility import EVERYTHING, Filter, Visibility

FOUND = 100
WORD = re.compile(r"\w+")
Contender: TypeAlias = Callable[[str | None, str], Sequence[str]]


def texts_of(corpora: Mapping[str, Collected], name: str | None) -> dict[str, str]:
    chosen = corpora.values() if name is None else [corpora[name]]
    return {key: text for each in chosen for key, text in each.texts.items()}


def ours(connection: Connection, match: str, ranked_at: Mapping[str | None, int]) -> Contender:
    """Our order with `match`; `ranked_at` is the time by which stories of a corpus are fresh."""
    keys: dict[int, str] = dict(connection.execute(select(article.c.number, article.c.external_id)).tuples().all())

    def find(name: str | None, text: str) -> list[str]:
        expression, items = relax_expression(parse_query(text), match)
        filtered = Filter() if name is None else Filter.of({"publisher": [name.casefold()]})
        query = Query(text=text, expression=expression, match=match, items=items, filter=filtered, limit=FOUND,
                      ranked_at=ranked_at[name])  # fmt: skip
        return [keys[row.number] for row in ranked_page(connection, query, Visibility(EVERYTHING), 0).rows]

    return find


def by_bm25s(corpora: Mapping[str, Collected]) -> Contender:
    """BM25 over any word by bm25s, with its English stop words and Snowball's English stemmer."""
    stemmer, made = Stemmer.Stemmer("english"), {}

    def tokens(texts: Sequence[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    for name in (*corpora, None):
        texts = texts_of(corpora, name)
        retriever = bm25s.BM25(k1=1.2, b=0.75)
        retriever.index(tokens([*texts.values()]), show_progress=False)
        made[name] = retriever, [*texts]

    def find(name: str | None, text: str) -> list[str]:
        retriever, keys = made[name]
        found, scores = retriever.retrieve(tokens([text]), k=min(FOUND, len(keys)), show_progress=False)
        return [keys[index] for index, score in zip(found[0], scores[0], strict=True) if score > 0]

    return find


def by_fts5(corpora: Mapping[str, Collected]) -> Contender:
    """SQLite's bm25() over any word, with the Porter stemmer."""
    made = {}
    for name in (*corpora, None):
        database = sqlite3.connect(":memory:")
        database.execute("CREATE VIRTUAL TABLE story USING fts5(key UNINDEXED, text, tokenize='porter unicode61')")
        database.executemany("INSERT INTO story VALUES (?, ?)", texts_of(corpora, name).items())
        made[name] = database

    def find(name: str | None, text: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in WORD.findall(text))
        best = "SELECT key FROM story WHERE story MATCH ? ORDER BY bm25(story) LIMIT ?"
        return [key for (key,) in made[name].execute(best, (words, FOUND))]

    return find


def by_ts_rank(corpora: Mapping[str, Collected], url: str) -> Contender:
    """PostgreSQL's ts_rank over any word, with its English configuration, as it is called without further arguments."""
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("CREATE TEMPORARY TABLE story (corpus text, key text, words tsvector)")
    for name in corpora:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO story VALUES (%s, %s, to_tsvector('english', %s))",
                [(name, key, text) for key, text in corpora[name].texts.items()],
            )

    def find(name: str | None, text: str) -> list[str]:
        rows = connection.execute(
            "SELECT key FROM story, to_tsquery('english', %(query)s) AS query WHERE words @@ query"
            " AND (%(corpus)s::text IS NULL OR corpus = %(corpus)s) ORDER BY ts_rank(words, query) DESC"
            " LIMIT %(most)s",
            {"query": " | ".join(WORD.findall(text)), "corpus": name, "most": FOUND},
        )
        return [key for (key,) in rows]

    return find
