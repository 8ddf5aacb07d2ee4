"""The usable articles that carry a term: how many there are, and which is the newest; many terms in one statement.

This is for lists of names with their counts; finding and sorting articles is in `search`.
What expired until `expired_by`, milliseconds since 1970, does not count; None: nothing expires.
"""

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from newswire.search.postgres import time_buckets
from newswire.search.postgres.tsquery import tsquery
from newswire.search.sqlite import match
from newswire.timestamps import EARLIEST, LATEST
from newswire.visibility import Filter

SQLITE_ASKED = "SELECT asked.value, ({found}) FROM json_each(:terms) AS asked"
# What has expired is looked up once for all terms: two look-ups for each match would be most of the work.
SQLITE_MATCHES = """search_index
    WHERE search_index MATCH '("' || asked.value || :within AND search_index.rowid NOT IN
    (SELECT position FROM article JOIN search_place USING (number) WHERE article.expires_at <= :expired_by)"""
SQLITE_COUNT = SQLITE_ASKED.format(found=f"SELECT count(*) FROM (SELECT 1 FROM {SQLITE_MATCHES} LIMIT :most)")
SQLITE_NEWEST = SQLITE_ASKED.format(
    found="SELECT number FROM search_place WHERE position ="
    f" (SELECT search_index.rowid FROM {SQLITE_MATCHES} ORDER BY search_index.rowid DESC LIMIT 1)"
)

POSTGRES_ASKED = """SELECT asked.value, ({found}) FROM (
    SELECT value, (%(within)s || quote_literal('_' || value))::tsquery AS query FROM unnest(%(terms)s::text[]) AS value
) AS asked"""
UNEXPIRED = "status = 'usable' AND (expires_at > %(expired_by)s::bigint) IS NOT FALSE"
# The planner must not see the LIMIT when it chooses how to find the matches, or it reads the whole table for
# them: so they are a materialised CTE, which is read no further than is asked for.
POSTGRES_COUNT = POSTGRES_ASKED.format(
    found=f"""WITH matches AS MATERIALIZED (
        SELECT number FROM search_document WHERE words @@ asked.query AND {UNEXPIRED}
    ) SELECT count(*) FROM (SELECT 1 FROM matches LIMIT %(most)s) AS counted"""
)
WALK = time_buckets.WALK.format(**time_buckets.DESCENDING, matching=UNEXPIRED, place="true").replace(
    "%(query)s", "asked.query"
)
POSTGRES_NEWEST = POSTGRES_ASKED.format(
    found=f"""SELECT number FROM search_document
        WHERE number = ANY(ARRAY(SELECT unnest(numbers) FROM ({WALK}) AS walked))
        ORDER BY published_at DESC, number DESC LIMIT 1"""
)
FEW = 50
WALKING = {"low": EARLIEST, "high": LATEST, "wanted": 1, "few": FEW, "first": 2 * FEW, "many": 20 * FEW}


def counts(
    connection: Connection, terms: Collection[str], wanted: Filter, expired_by: int | None, most: int
) -> dict[str, int]:
    """How many articles that match `wanted` carry each of the terms, counted to `most`; terms of none are not there."""
    values = {"expired_by": expired_by, "most": most}
    if connection.dialect.name == "sqlite":
        return on_sqlite(connection, SQLITE_COUNT, terms, wanted, values)
    return on_postgres(connection, POSTGRES_COUNT, terms, wanted, values)


def newest(connection: Connection, terms: Collection[str], wanted: Filter, expired_by: int | None) -> dict[str, int]:
    """The number of the article published last among those that match `wanted` and carry each of the terms."""
    values = {"expired_by": expired_by}
    if connection.dialect.name == "sqlite":
        return on_sqlite(connection, SQLITE_NEWEST, terms, wanted, values)
    return on_postgres(connection, POSTGRES_NEWEST, terms, wanted, {**values, **WALKING})


def on_sqlite(
    connection: Connection, statement: str, terms: Collection[str], wanted: Filter, values: Mapping[str, Any]
) -> dict[str, int]:
    narrowed = f" AND ({match.match(None, wanted, ())})" if wanted != Filter() else ""
    within = f'"{narrowed}) NOT ({match.any_of(match.HIDDEN)})'
    asked = {"terms": orjson.dumps([*terms]).decode(), "within": within}
    return found(connection, statement, {**asked, **values})


def on_postgres(
    connection: Connection, statement: str, terms: Collection[str], wanted: Filter, values: Mapping[str, Any]
) -> dict[str, int]:
    narrowed = f"({tsquery(None, wanted, ())}) & " if wanted != Filter() else ""
    return found(connection, statement, {"terms": [*terms], "within": narrowed, **values})


def found(connection: Connection, statement: str, values: dict[str, Any]) -> dict[str, int]:
    return {term: number for term, number in connection.exec_driver_sql(statement, values) if number}
