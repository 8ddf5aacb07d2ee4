"""Translation of a query to a PostgreSQL tsquery, and to SQL conditions where a tsquery cannot express it.

The lexemes: a form is a lexeme as it is. `=purchas` is a stem in any language. `_section_world` is a filter term,
`_stemmed_en` the language of an article's stems, `_headline_cocoa` a word in that field, `_` and twelve characters the
hash of two adjacent words. Lexemes that begin with @ are time buckets (`time_buckets`). `writer` stores all of them.
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from newswire.search.analysis import FIELDS
from newswire.search.expression import And, Expression, Named, Near, Not, Or, Phrase, Prefix, Term
from newswire.search.languages import language_term, stem_groups, stems_in_languages
from newswire.search.name_fields import name_term
from newswire.search.postgres.proximity import near_sql
from newswire.visibility import Filter

# Every article has one of these two terms, and none has the third.
ANYTHING, NOTHING = "'_image_yes' | '_image_no'", "'_nothing'"
# Positions are not word positions here. They only carry a weight: C for the body, where most words are, D elsewhere.
MARKS = {field: "2C" if field == "body" else "1D" for field in FIELDS}
OWN = ("headline", "summary", "caption", "byline")


def pair_lexemes(neighbours: Collection[tuple[str, str]]) -> list[str]:
    """The lexemes of pairs of adjacent words: 72 bits of SHA-256 in URL-safe Base64.

    Nine bytes are exactly twelve characters, so all pairs are encoded in one call.
    """
    hashed = b"".join([hashlib.sha256(f"{first} {second}".encode()).digest()[:9] for first, second in neighbours])
    text = base64.b64encode(hashed, b"-_").decode("ascii")
    return [f"_{text[start : start + 12]}" for start in range(0, len(text), 12)]


def field_lexeme(field: str, token: str) -> str:
    return f"_{field}_{token}"


def tsquery_of(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """A tsquery for the filters and `q`. If `is_exact` is false, its matches must be confirmed by `exact_condition`."""
    parts = [any_lexeme(f"_{name}" for name in sorted(clause)) or NOTHING for clause in wanted.include]
    parts += [f"!'_{name}'" for name in sorted(wanted.exclude)]
    if expression is not None and (wide := wide_tsquery(expression, languages)):
        parts.append(wide)
    return " & ".join(f"({part})" for part in parts) or ANYTHING


def wide_tsquery(expression: Expression, languages: Sequence[str]) -> str | None:
    """A tsquery that finds every match and perhaps other articles; None if any article may match.

    A word is searched by its stems in all languages, whatever the language of the article. GIN would evaluate the
    languages at every step, which takes eight times as long (71 instead of 9 ms, docs/decisions/0010).
    """
    match expression:
        case And(operands):
            parts = [wide for part in operands if (wide := wide_tsquery(part, languages))]
            return " & ".join(f"({wide})" for wide in parts) or None
        case Or(operands):
            sides = [wide_tsquery(part, languages) for part in operands]
            return None if None in sides else " | ".join(f"({wide})" for wide in sides)
        case Not(operand):
            # The negation of a wide tsquery would be narrow, and miss matches.
            return f"!({wide_tsquery(operand, languages)})" if is_exact(operand, languages) else None
        case Term(form, spelling, fields):
            return " | ".join(
                token_in_fields(f"={stem}", fields) for stem in stems_in_languages(spelling, languages)
            ) or token_in_fields(form, fields)
        case Prefix(form, fields):
            return token_in_fields(form, fields, star="*")
        case Near(forms, _, fields):
            return " & ".join(token_in_fields(form, fields) for form in forms)
        case Named(kind, words, beginning):
            lexemes = [f"'_{name_term(kind, word)}'" for word in words]
            return " & ".join(lexemes if beginning is None else [*lexemes, f"'_{name_term(kind, beginning)}':*"])
        case Phrase((form,), _, fields):
            return token_in_fields(form, fields)
        case Phrase(forms, prefix, fields):
            whole = forms[:-1] if prefix else forms
            adjacent = [f"'{pair}'" for pair in pair_lexemes([*pairwise(whole)])] or [token_in_fields(whole[0], fields)]
            return " & ".join([*adjacent, token_in_fields(forms[-1], fields, star="*")] if prefix else adjacent)


def exact_tsquery(expression: Expression, languages: Sequence[str]) -> str:
    """The tsquery of an expression that `is_expressible`: one part for each group of languages with equal stems."""
    groups = stem_groups(expression, languages)
    if len(groups) == 1:
        return str(wide_tsquery(expression, languages))
    return " | ".join(
        f"(({wide_tsquery(expression, [group.language])})"
        f" & !({any_lexeme(f'_{language_term(language)}' for language in group.foreign)}))"
        for group in groups
    )


def is_expressible(expression: Expression) -> bool:
    """Whether a tsquery can express it: not proximity, and no phrase of three words, in one field, or with a prefix."""
    match expression:
        case And(operands) | Or(operands):
            return all(is_expressible(part) for part in operands)
        case Not(operand):
            return is_expressible(operand)
        case Phrase(forms, prefix, fields):
            return len(forms) == 1 or (len(forms) == 2 and not prefix and fields is None)
        case Near():
            return False
    return True


def is_exact(expression: Expression, languages: Sequence[str]) -> bool:
    """Whether `wide_tsquery` finds only matches."""
    return is_expressible(expression) and len(stem_groups(expression, languages)) == 1


def exact_condition(expression: Expression, languages: Sequence[str], values: dict[str, Any]) -> str:
    """An exact SQL condition for the expression, whose values are added to `values`.

    As much as possible is one tsquery. PostgreSQL checks the condition only on rows that the wide tsquery has found.
    It would decompress the forms of a row anew for each phrase and field, 500 times for 100 phrases (2.5 s instead of
    0.4); OFFSET 0 keeps the subquery, in which that is done once, from being flattened.
    """
    condition = _condition(expression, languages, values)
    if "forms_" not in condition:
        return condition
    texts = ", ".join(f"forms[{number}] AS forms_{number}" for number in range(1, len(FIELDS) + 1))
    return f"(SELECT {condition} FROM (SELECT {texts} OFFSET 0) AS texts)"


def _condition(expression: Expression, languages: Sequence[str], values: dict[str, Any]) -> str:
    """The condition over `words`, and over the forms of each field as a column: `forms_1` …"""
    if is_expressible(expression):
        return f"(words @@ {add_value(values, exact_tsquery(expression, languages))}::tsquery)"
    match expression:
        case And(operands) | Or(operands):
            joint = " AND " if isinstance(expression, And) else " OR "
            return "(" + joint.join(_condition(part, languages, values) for part in operands) + ")"
        case Not(operand):
            return f"NOT {_condition(operand, languages, values)}"
        case Phrase(forms, prefix, fields):
            phrase = add_value(values, f" {' '.join(forms)}" + ("" if prefix else " "))
            wanted = [number for number, field in enumerate(FIELDS, 1) if fields is None or field in fields]
            return "(" + " OR ".join(f"strpos(forms_{number}, {phrase}) > 0" for number in wanted) + ")"
        case Near(fields=fields):
            sought = [number for number, field in enumerate(FIELDS, 1) if fields is None or field in fields]
            conditions = (near_sql(expression, f"forms_{number}", partial(add_value, values)) for number in sought)
            return f"({' OR '.join(conditions)})"
    raise AssertionError("a word or a prefix is expressible")


def add_value(values: dict[str, Any], value: Any) -> str:
    """Adds a value under a new name; returns its placeholder for psycopg."""
    name = f"value_{len(values)}"
    values[name] = value
    return f"%({name})s"


def has_prefix(expression: Expression) -> bool:
    match expression:
        case And(operands) | Or(operands):
            return any(has_prefix(part) for part in operands)
        case Not(operand):
            return has_prefix(operand)
        case Phrase(_, prefix, _):
            return prefix
        case Named(_, _, beginning):
            return beginning is not None
    return isinstance(expression, Prefix)


def token_in_fields(token: str, fields: frozenset[str] | None, star: str = "") -> str:
    """A tsquery for a token in some fields: the body by its weight, each other field by a lexeme of its own."""
    if fields is None or fields >= set(FIELDS):
        return f"'{token}'" + (f":{star}" if star else "")
    own = (field_lexeme(field, token) for field in OWN if field in fields)
    parts = [f"'{name}'" + (f":{star}" if star else "") for name in own]
    return "(" + " | ".join([*parts, f"'{token}':{star}{MARKS['body'][1]}"] if "body" in fields else parts) + ")"


def any_lexeme(tokens: Iterable[str]) -> str:
    return " | ".join(f"'{token}'" for token in tokens)
