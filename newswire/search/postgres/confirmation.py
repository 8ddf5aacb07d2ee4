"""Confirmation: the SQL condition for what a tsquery cannot express, on the rows that the tsquery has found.

A tsvector has no positions here (`writer`), so a phrase is looked for in the words in order (`forms`), which are stored
out of line. Before these are read, the filter in the row itself rules out most rows (`pair_filter`). Rows that an older
analysis wrote have no filter, and are all looked at. Not here: the tsquery (`tsquery`).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from newswire.search.analysis import FIELDS
from newswire.search.expression import And, Expression, Near, Not, Or, Phrase, Prefix
from newswire.search.postgres.frequent_words import is_frequent_pair
from newswire.search.postgres.pair_filter import Pair, may_have_pairs
from newswire.search.postgres.proximity import near_sql
from newswire.search.postgres.tsquery import exact_tsquery, is_exact, is_expressible

JOINED_FORMS = "array_to_string(forms, chr(10))"
"""The forms of all fields, a line each: no phrase reaches over the end of a line."""


def confirming_condition(expression: Expression, languages: Sequence[str], values: dict[str, Any]) -> str:
    """An SQL condition that is true of those rows found by `tsquery_of` that match; its values are added to `values`.

    PostgreSQL would decompress the forms of a row anew wherever they are named, 500 times for 100 phrases (2.5 s
    instead of 0.4); OFFSET 0 keeps the subqueries, in which that is done once, from being flattened.
    """
    open_parts = unconfirmed(expression, languages)
    if open_parts is None:
        return "true"
    condition = exact_condition(open_parts, languages, values)
    if "forms_" not in condition:
        return condition
    fields = "".join(
        f", split_part(forms_all, chr(10), {number}) AS {column}"
        for number, column in enumerate(field_columns(), 1)
        if column in condition
    )
    lines = f"(SELECT {JOINED_FORMS} AS forms_all OFFSET 0) AS joined"
    confirmed = f"(SELECT {condition} FROM (SELECT forms_all{fields} FROM {lines} OFFSET 0) AS texts)"
    possible = filter_condition(open_parts, values)
    return confirmed if possible is None else f"CASE WHEN ({possible}) IS NOT FALSE THEN {confirmed} ELSE false END"


def unconfirmed(expression: Expression, languages: Sequence[str]) -> Expression | None:
    """What of an expression the tsquery has not made sure already; None for nothing.

    Of a conjunction that is what its tsquery does not find exactly, so that no row is read for the rest.
    """
    if is_exact(expression, languages):
        return None
    if not isinstance(expression, And):
        return expression
    # At least one: of parts that have the same stems in all languages, the whole has too.
    parts = tuple([part for part in expression.operands if not is_exact(part, languages)])
    return And(parts) if len(parts) > 1 else parts[0]


def exact_condition(expression: Expression, languages: Sequence[str], values: dict[str, Any]) -> str:
    """The condition over `words`, over all forms (`forms_all`) and over those of each field: `forms_headline` …"""
    if is_expressible(expression):
        return f"(words @@ CAST({add_value(values, exact_tsquery(expression, languages))} AS tsquery))"
    match expression:
        case And(operands) | Or(operands):
            joint = " AND " if isinstance(expression, And) else " OR "
            return "(" + joint.join(exact_condition(part, languages, values) for part in operands) + ")"
        case Not(operand):
            return f"NOT {exact_condition(operand, languages, values)}"
        case Prefix(form, fields):
            return contained(f" {form}", fields, values)
        case Phrase(forms, prefix, fields):
            return contained(phrase_text(forms, prefix), fields, values)
        case Near(fields=fields):
            add = partial(add_value, values)
            return f"({' OR '.join(near_sql(expression, column, add) for column in field_columns(fields))})"
    raise AssertionError("a word is expressible")


def phrase_text(forms: Sequence[str], prefix: bool = False) -> str:
    """What the forms of a field contain where the phrase is."""
    return f" {' '.join(forms)}" + ("" if prefix else " ")


def contained(sought: str, fields: frozenset[str] | None, values: dict[str, Any]) -> str:
    """The condition that the forms of one of the fields contain a text."""
    columns = ["forms_all"] if fields is None or fields >= set(FIELDS) else [*field_columns(fields)]
    value = add_value(values, sought)
    return "(" + " OR ".join(f"strpos({column}, {value}) > 0" for column in columns) + ")"


def field_columns(fields: frozenset[str] | None = None) -> Iterator[str]:
    """The columns with the forms of each of the fields, or of all."""
    return (f"forms_{field}" for field in FIELDS if fields is None or field in fields)


def filter_condition(expression: Expression, values: dict[str, Any]) -> str | None:
    """The condition on the filter of a row without which the expression cannot match; None where there is none."""
    match expression:
        case And(operands):
            parts = [found for part in operands if (found := filter_condition(part, values)) is not None]
            return " AND ".join(f"({part})" for part in parts) or None
        case Or(operands):
            sides = [filter_condition(part, values) for part in operands]
            return None if None in sides else " OR ".join(f"({side})" for side in sides)
        case Phrase(forms, prefix):
            if pairs := filtered_pairs(forms[:-1] if prefix else forms):
                return may_have_pairs(pairs, partial(add_value, values))
    return None


def filtered_pairs(forms: Sequence[str]) -> list[Pair]:
    """The pairs of adjacent forms that are in the filter of an article, and not in its lexemes."""
    return [pair for pair in dict.fromkeys(pairwise(forms)) if not is_frequent_pair(*pair)]


def add_value(values: dict[str, Any], value: Any) -> str:
    """Adds a value under a new name; returns its placeholder for psycopg."""
    name = f"value_{len(values)}"
    values[name] = value
    return f"%({name})s"
