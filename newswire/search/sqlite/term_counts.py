"""The usable articles that carry a term, on SQLite: their count and the newest, many terms in one statement."""

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from newswire.search.sqlite.match import HIDDEN, any_token, match_expression
from newswire.visibility import Filter, TimeRules, closed_sql, values_of_rules

ASKED = "SELECT asked.value, ({found}) FROM json_each(:terms) AS asked"
# What is CLOSED, by the rules of access, is looked up once for all terms: two look-ups for each match would be most of
# the work.
MATCHES = """search_index
    WHERE search_index MATCH '("' || asked.value || :within AND search_index.rowid NOT IN
    (SELECT position FROM article JOIN search_place USING (number) WHERE CLOSED)"""
COUNT = ASKED.format(found=f"SELECT count(*) FROM (SELECT 1 FROM {MATCHES} LIMIT :most)")
NEWEST = ASKED.format(
    found="SELECT number FROM search_place WHERE position ="
    f" (SELECT search_index.rowid FROM {MATCHES} ORDER BY search_index.rowid DESC LIMIT 1)"
)


def number_by_term(
    connection: Connection,
    statement: str,
    terms: Collection[str],
    wanted: Filter,
    rules: TimeRules,
    values: Mapping[str, Any],
) -> dict[str, int]:
    """Executes `COUNT` or `NEWEST` among what satisfies `wanted` and `rules`; leaves out terms without an article."""
    narrowed = f" AND ({match_expression(None, wanted, ())})" if wanted != Filter() else ""
    within = f'"{narrowed}) NOT ({any_token(HIDDEN)})'
    asked = {"terms": orjson.dumps([*terms]).decode(), "within": within, **values, **values_of_rules(rules)}
    statement = statement.replace("CLOSED", closed_sql(rules, ":{}", "article"))
    return {term: number for term, number in connection.exec_driver_sql(statement, asked) if number}
