"""A query as PostgreSQL's tsquery, and as conditions where a tsquery cannot say it; and what its lexemes are.

Forms are lexemes as they are, `=purchas` is a stem, in whichever language. Whatever begins with an underscore is
ours: `_section_world` a term, `_stemmed_en` the language of an article's stems, `_headline_cocoa` a word in that
field, `_` and twelve characters a pair of neighbours. Those that begin with @ are time buckets (`time_buckets`).
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

from newswire.search.analysis import FIELDS
from newswire.search.languages import language_term, stem_groups, stems_in_languages
from newswire.search.syntax import And, Expression, Not, Or, Phrase, Prefix, Term
from newswire.visibility import Filter

ANYTHING, NOTHING = "'_image_yes' | '_image_no'", "'_nothing'"
# Positions carry no order here, only a weight: C is the body, where most words are.
MARKS = {field: "2C" if field == "body" else "1D" for field in FIELDS}
OWN = ("headline", "summary", "caption", "byline")


def pair_lexemes(neighbours: Collection[tuple[str, str]]) -> list[str]:
    """The lexemes of words side by side: 72 bits of their SHA-256. Nine bytes are twelve characters exactly."""
    hashed = b"".join([hashlib.sha256(f"{first} {second}".encode()).digest()[:9] for first, second in neighbours])
    text = base64.b64encode(hashed, b"-_").decode("ascii")
    return [f"_{text[start : start + 12]}" for start in range(0, len(text), 12)]


def field_lexeme(field: str, token: str) -> str:
    return f"_{field}_{token}"


def tsquery_of(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """A tsquery for the filters and `q`: exact, or wider where something has still to be confirmed."""
    parts = [any_lexeme(f"_{name}" for name in sorted(clause)) or NOTHING for clause in wanted.include]
    parts += [f"!'_{name}'" for name in sorted(wanted.exclude)]
    if expression is not None and (wide := wide_tsquery(expression, languages)):
        parts.append(wide)
    return " & ".join(f"({part})" for part in parts) or ANYTHING


def wide_tsquery(expression: Expression, languages: Sequence[str]) -> str | None:
    """A tsquery that misses no match and may find more; None: any article may match.

    A word is found by its stem in any language: an index that has to ask for the language too, at each step, takes
    eight times as long.
    """
    match expression:
        case And(operands):
            known = [wide for part in operands if (wide := wide_tsquery(part, languages))]
            return " & ".join(f"({wide})" for wide in known) or None
        case Or(operands):
            found = [wide_tsquery(part, languages) for part in operands]
            return None if None in found else " | ".join(f"({wide})" for wide in found)
        case Not(operand):
            return f"!({wide_tsquery(operand, languages)})" if is_exact(operand, languages) else None
        case Term(form, spelling, fields):
            return " | ".join(
                token_in_fields(f"={stem}", fields) for stem in stems_in_languages(spelling, languages)
            ) or token_in_fields(form, fields)
        case Prefix(form, fields):
            return token_in_fields(form, fields, star="*")
        case Phrase((form,), _, fields):
            return token_in_fields(form, fields)
        case Phrase(forms, prefix, fields):
            whole = forms[:-1] if prefix else forms
            adjacent = [f"'{each}'" for each in pair_lexemes([*pairwise(whole)])] or [token_in_fields(whole[0], fields)]
            return " & ".join([*adjacent, token_in_fields(forms[-1], fields, star="*")] if prefix else adjacent)


def exact_tsquery(expression: Expression, languages: Sequence[str]) -> str:
    """The tsquery of what `is_expressible`: one part for each group of languages that agree on the stems."""
    found = stem_groups(expression, languages)
    if len(found) == 1:
        return str(wide_tsquery(expression, languages))
    return " | ".join(
        f"(({wide_tsquery(expression, [each.language])})"
        f" & !({any_lexeme(f'_{language_term(language)}' for language in each.foreign)}))"
        for each in found
    )


def is_expressible(expression: Expression) -> bool:
    """Whether a tsquery can express it. Phrases of more than two words, in one field, or with a prefix it cannot."""
    match expression:
        case And(operands) | Or(operands):
            return all(is_expressible(part) for part in operands)
        case Not(operand):
            return is_expressible(operand)
        case Phrase(forms, prefix, fields):
            return len(forms) == 1 or (len(forms) == 2 and not prefix and fields is None)
    return True


def is_exact(expression: Expression, languages: Sequence[str]) -> bool:
    """Whether `wide_tsquery` finds nothing more than what matches."""
    return is_expressible(expression) and len(stem_groups(expression, languages)) == 1


def exact_condition(expression: Expression, languages: Sequence[str], values: dict[str, Any]) -> str:
    """The expression as an exact SQL condition, whose values are added to `values`.

    As much as possible is one tsquery, which is checked only for rows that the wide one has found.
    """
    if is_expressible(expression):
        return f"(words @@ {add_value(values, exact_tsquery(expression, languages))}::tsquery)"
    match expression:
        case And(operands) | Or(operands):
            joint = " AND " if isinstance(expression, And) else " OR "
            return "(" + joint.join(exact_condition(part, languages, values) for part in operands) + ")"
        case Not(operand):
            return f"NOT {exact_condition(operand, languages, values)}"
        case Phrase(forms, prefix, fields):
            name = add_value(values, f" {' '.join(forms)}" + ("" if prefix else " "))
            wanted = [number for number, field in enumerate(FIELDS, 1) if fields is None or field in fields]
            return "(" + " OR ".join(f"strpos(forms[{number}], {name}) > 0" for number in wanted) + ")"
    raise AssertionError("a word or prefix is sayable")


def add_value(values: dict[str, Any], value: Any) -> str:
    """Adds a value under a new name; returns its placeholder in SQL."""
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
    return isinstance(expression, Prefix)


def token_in_fields(token: str, fields: frozenset[str] | None, star: str = "") -> str:
    """A tsquery for a token in some fields: the body by its weight, each other field by a lexeme of its own."""
    if fields is None or fields >= set(FIELDS):
        return f"'{token}'" + (f":{star}" if star else "")
    own = (field_lexeme(field, token) for field in OWN if field in fields)
    found = [f"'{name}'" + (f":{star}" if star else "") for name in own]
    return "(" + " | ".join([*found, f"'{token}':{star}{MARKS['body'][1]}"] if "body" in fields else found) + ")"


def any_lexeme(tokens: Iterable[str]) -> str:
    return " | ".join(f"'{token}'" for token in tokens)
