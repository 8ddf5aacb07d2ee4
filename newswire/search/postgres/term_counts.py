"""The usable articles that carry a term, on PostgreSQL: their count and the newest, many terms in one statement."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from newswire.search.postgres import time_buckets
from newswire.search.postgres.tsquery import tsquery_of
from newswire.timestamps import EARLIEST, LATEST
from newswire.visibility import Filter, TimeRules, open_sql, values_of_rules

ASKED = """SELECT asked.value, ({found}) FROM (
    SELECT value, (%(within)s || quote_literal('_' || value))::tsquery AS query FROM unnest(%(terms)s::text[]) AS value
) AS asked"""
# OPEN stands for what the rules of access say of times.
USABLE = "status = 'usable' AND OPEN"
# The planner must not see the LIMIT when it chooses how to find the matches, or it reads the whole table for
# them: so they are a materialised CTE, which is read no further than is asked for.
COUNT = ASKED.format(
    found=f"""WITH matches AS MATERIALIZED (
        SELECT number FROM search_document WHERE words @@ asked.query AND {USABLE}
    ) SELECT count(*) FROM (SELECT 1 FROM matches LIMIT %(most)s) AS counted"""
)
WALK = time_buckets.WALK.format(**time_buckets.DESCENDING, matching=USABLE, place="true").replace(
    "%(query)s", "asked.query"
)
NEWEST = ASKED.format(
    found=f"""SELECT number FROM search_document
        WHERE number = ANY(ARRAY(SELECT unnest(numbers) FROM ({WALK}) AS walked))
        ORDER BY published_at DESC, number DESC LIMIT 1"""
)
FEW = 50
WALKING = {"low": EARLIEST, "high": LATEST, "wanted": 1, "few": FEW, "first": 2 * FEW, "many": 20 * FEW}


def number_by_term(
    connection: Connection,
    statement: str,
    terms: Collection[str],
    wanted: Filter,
    rules: TimeRules,
    values: Mapping[str, Any],
) -> dict[str, int]:
    """Executes `COUNT` or `NEWEST` among what satisfies `wanted` and `rules`; leaves out terms without an article."""
    narrowed = f"({tsquery_of(None, wanted, ())}) & " if wanted != Filter() else ""
    asked = {"terms": [*terms], "within": narrowed, **values, **values_of_rules(rules)}
    statement = statement.replace("OPEN", open_sql(rules, "%({})s"))
    return {term: number for term, number in connection.exec_driver_sql(statement, asked) if number}
