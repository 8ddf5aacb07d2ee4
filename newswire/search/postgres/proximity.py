"""Proximity on PostgreSQL: an SQL condition on the forms of one field; see `newswire.search.proximity`.

A tsvector has no positions here (`writer`), so that the words of a row are looked at where the tsquery has found all of
them in it. Measured with 355 such rows of 500 words: the regular expression for two words and a short distance takes
0.02 ms each, the walk over places 0.2 ms; a body of 2 MiB takes 0.03 s and 1.8 s at worst.
"""

from collections.abc import Callable
from typing import Any

from newswire.search.expression import Near

MOST_BY_PATTERN = 10
"""The longest distance for the regular expression, whose automaton grows with it: at 100 it takes 1.5 ms a row."""

PLACES = "SELECT place, {number} AS word FROM unnest(array_positions(listed, {form})) AS place"
WALK = """EXISTS (
    SELECT FROM (
        SELECT place, {latest}
        FROM (SELECT string_to_array({column}, ' ') AS listed OFFSET 0) AS split
        CROSS JOIN LATERAL ({places}) AS found
        WINDOW sofar AS (ORDER BY place)
    ) AS walked WHERE {known} AND place - least({names}) <= {distance}
)"""


def near_sql(near: Near, column: str, add: Callable[[Any], str]) -> str:
    """The condition that the words are near each other in `column`; `add` gives the placeholder of a value."""
    every = " AND ".join(f"strpos({column}, {add(f' {form} ')}) > 0" for form in near.forms)
    if len(near.forms) == 2 and near.distance <= MOST_BY_PATTERN:
        # No form contains a character that means anything in a pattern.
        between, (first, second) = f"(?:[^ ]+ ){{0,{near.distance}}}", near.forms
        pattern = add(f" (?:{first} {between}{second}|{second} {between}{first}) ")
        return f"({every} AND {column} ~ {pattern})"
    forms = [add(form) for form in near.forms]
    names = [f"latest_{number}" for number in range(len(forms))]
    walk = WALK.format(
        column=column,
        latest=", ".join(
            f"max(place) FILTER (WHERE word = {number}) OVER sofar AS {name}" for number, name in enumerate(names)
        ),
        places=" UNION ALL ".join(PLACES.format(number=number, form=form) for number, form in enumerate(forms)),
        known=" AND ".join(f"{name} IS NOT NULL" for name in names),
        names=", ".join(names),
        distance=add(near.distance + 1),
    )
    # The walk is dear, so that it comes after the look for the words.
    return f"CASE WHEN {every} THEN {walk} ELSE false END"
