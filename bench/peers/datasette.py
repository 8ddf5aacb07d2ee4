"""Datasette over a file of SQLite: queries of its configuration, written by hand, answered as JSON.

After https://docs.datasette.io/en/stable/sql_queries.html ("Canned queries"), "Performance and caching" (immutable
mode), "JSON API" (`_shape`, `_json`) and "Full-text search" (an index over the columns of a table). As `sqlite-utils`
puts JSON into a table, lists of authors and pictures are columns of JSON. The number of a row is its place
in the order of publication, so that pages and newest matches need no sorting.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

PLAIN = ("id", "external_id", "headline", "summary", "body_text", "section", "language", "published_at")
NESTED = ("authors", "images")
LISTED = ", ".join(each for each in (*PLAIN, *NESTED) if each != "body_text")
QUERIES = {
    "page": f"SELECT {LISTED} FROM article WHERE number < CAST(:before AS INTEGER) ORDER BY number DESC LIMIT 50",
    "one": f"SELECT {', '.join((*PLAIN, *NESTED))} FROM article WHERE id = :id",
    "search": f"SELECT {LISTED} FROM article WHERE number IN (SELECT rowid FROM article_fts WHERE article_fts MATCH :q"
    " ORDER BY rowid DESC LIMIT 50) ORDER BY number DESC",
}
INDEXED = "headline, summary, body_text"


def fill(file: str, articles: Iterable[dict[str, Any]]) -> None:
    """Makes the file and puts articles as Newswire serves them, in the order of reception, into it."""
    columns = ", ".join((*PLAIN, *NESTED))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"CREATE TABLE received ({columns})")
        values = ([*map(each.get, PLAIN), *(json.dumps(each[name]) for name in NESTED)] for each in articles)
        connection.executemany(f"INSERT INTO received VALUES ({', '.join('?' * len((*PLAIN, *NESTED)))})", values)
        connection.execute(f"CREATE TABLE article (number INTEGER PRIMARY KEY, {columns})")
        connection.execute(f"INSERT INTO article ({columns}) SELECT * FROM received ORDER BY published_at, rowid")
        connection.execute("DROP TABLE received")
        connection.execute("CREATE UNIQUE INDEX article_id ON article (id)")
        connection.execute(
            f"CREATE VIRTUAL TABLE article_fts USING fts5({INDEXED}, content=article, content_rowid=number)"
        )
        connection.execute("INSERT INTO article_fts (article_fts) VALUES ('rebuild')")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("INSERT INTO article_fts (article_fts) VALUES ('optimize')")
        connection.execute("VACUUM")


def application(file: str) -> Any:
    """The application as `datasette serve --immutable` makes it, on a file that is filled (`fill`)."""
    queries = {name: {"sql": sql} for name, sql in QUERIES.items()}
    # Who fills the file does without it.
    from datasette.app import Datasette

    return Datasette([], immutables=[file], metadata={"databases": {"wire": {"queries": queries}}}).app()
