"""Translation of a query to a PostgreSQL tsquery.

The lexemes: a form is a lexeme as it is. `=purchas` is a stem in any language. `_section_world` is a filter term,
`_stemmed_en` the language of an article's stems, `_headline_cocoa` a word in that field, `_` and twelve characters the
hash of two adjacent frequent words. Lexemes that begin with @ are time buckets (`time_buckets`). `writer` stores all of
them. Not here: what a tsquery cannot express (`confirmation`).
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from newswire.search.analysis import FIELDS
from newswire.search.expression import And, Expression, Named, Near, Not, Or, Phrase, Prefix, Term
from newswire.search.languages import language_term, stem_groups, stems_in_languages
from newswire.search.name_fields import name_term
from newswire.search.postgres.frequent_words import is_frequent_pair
from newswire.visibility import Filter

# Every article has one of these two terms, and none has the third.
ANYTHING, NOTHING = "'_image_yes' | '_image_no'", "'_nothing'"
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
    """A tsquery for the filters and `q`. If `is_exact` is false, its matches must be confirmed (`confirmation`)."""
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
            return token_anywhere(form, fields, star="*")
        case Near(forms, _, fields):
            return " & ".join(token_anywhere(form, fields) for form in forms)
        case Named(kind, words, beginning):
            lexemes = [f"'_{name_term(kind, word)}'" for word in words]
            return " & ".join(lexemes if beginning is None else [*lexemes, f"'_{name_term(kind, beginning)}':*"])
        case Phrase((form,), _, fields):
            return token_in_fields(form, fields)
        case Phrase():
            return phrase_tsquery(expression)


def phrase_tsquery(phrase: Phrase) -> str:
    """Finds the articles that have the words of a phrase, and those of its pairs that are lexemes."""
    whole = phrase.forms[:-1] if phrase.prefix else phrase.forms
    frequent = [pair for pair in pairwise(whole) if is_frequent_pair(*pair)]
    # Whoever has a pair has its words, but not in a certain field.
    paired = {form for pair in frequent for form in pair} if phrase.fields is None else set()
    parts = [f"'{lexeme}'" for lexeme in pair_lexemes(dict.fromkeys(frequent))]
    parts += [token_anywhere(form, phrase.fields) for form in dict.fromkeys(whole) if form not in paired]
    return " & ".join([*parts, token_anywhere(phrase.forms[-1], phrase.fields, star="*")] if phrase.prefix else parts)


def needs_confirmation(leaf: Expression) -> bool:
    """Whether a tsquery finds more articles than a leaf of an expression matches."""
    match leaf:
        case Phrase(forms, prefix, fields):
            return len(forms) > 1 and (len(forms) > 2 or prefix or fields is not None or not is_frequent_pair(*forms))
        case Prefix(_, fields):
            return is_in_body(fields)
        case Near():
            return True
    return False


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
    """Whether a tsquery can express it."""
    match expression:
        case And(operands) | Or(operands):
            return all(is_expressible(part) for part in operands)
        case Not(operand):
            return is_expressible(operand)
    return not needs_confirmation(expression)


def is_exact(expression: Expression, languages: Sequence[str]) -> bool:
    """Whether `wide_tsquery` finds only matches."""
    return is_expressible(expression) and len(stem_groups(expression, languages)) == 1


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


def token_in_fields(token: str, fields: frozenset[str] | None) -> str:
    """A tsquery for a token in some fields: each field but the body has a lexeme of its own.

    In the body are those that are not marked as elsewhere only. Rows of version 3 mark what is elsewhere by D and what
    is in the body by C, so that a token in both has both.
    """
    if not is_in_body(fields):
        return token_anywhere(token, fields)
    own = [f"'{field_lexeme(field, token)}' | " for field in OWN if field in (fields or ())]
    return f"({''.join(own)}'{token}' & !('{token}':D & !'{token}':C))"


def token_anywhere(token: str, fields: frozenset[str] | None, star: str = "") -> str:
    """A tsquery for a token, or for all that begin with it: in some fields, but anywhere if the body is one of them."""
    mark = f":{star}" if star else ""
    if fields is None or "body" in fields:
        return f"'{token}'{mark}"
    own = [f"'{field_lexeme(field, token)}'{mark}" for field in OWN if field in fields]
    return f"({' | '.join(own)})"


def is_in_body(fields: frozenset[str] | None) -> bool:
    """Whether the body is one of the fields, but not all are: only then it matters where a token is."""
    return fields is not None and "body" in fields and not fields >= set(FIELDS)


def any_lexeme(tokens: Iterable[str]) -> str:
    return " | ".join(f"'{token}'" for token in tokens)
