"""Translation of a query to an FTS5 MATCH expression.

Forms are in the column of their field, stems with a leading underscore in a second column for each field, terms in the
last column; see `writer.index_row`. If the stems of a query differ between the languages of the wire, each group of
languages with equal stems is an alternative that excludes the articles of all other languages. FTS5 evaluates such a
NOT only where the rest matches: measured with nineteen languages in two groups, a search takes 13 ms, and 36 with a NOT
for each word (docs/decisions/0010).
"""

from collections.abc import Iterable, Sequence

from newswire.article import Status
from newswire.search.analysis import FIELDS
from newswire.search.expression import And, Expression, Named, Near, Not, Or, Phrase, Prefix, Term
from newswire.search.languages import language_term, stem_groups, stems_in_languages
from newswire.search.name_fields import name_term
from newswire.visibility import Filter

# Every article has one of these two terms, and none has the third.
ANYTHING, NOTHING = '"image_yes" OR "image_no"', '"nothing_"'
HIDDEN = tuple(f"status_{status}" for status in Status if status is not Status.USABLE)


def match_expression(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """The MATCH expression of a query with its filters."""
    parts = [any_token(sorted(clause)) if clause else NOTHING for clause in wanted.include]
    if expression is not None:
        groups = stem_groups(expression, languages)
        parts.append(
            match_words(expression, languages)
            if len(groups) == 1
            else " OR ".join(
                f"(({match_words(expression, [group.language])}) NOT ({any_token(map(language_term, group.foreign))}))"
                for group in groups
            )
        )
    positive = " AND ".join(f"({part})" for part in parts) or ANYTHING
    return f"({positive}) NOT ({any_token(sorted(wanted.exclude))})" if wanted.exclude else positive


def match_words(expression: Expression, languages: Sequence[str]) -> str:
    """The MATCH expression of `q` for articles that are stemmed in one of these languages.

    Nothing needs escaping, because tokens consist of letters, marks, digits and underscores.
    """
    match expression:
        case And(operands):
            wanted = " AND ".join(f"({match_words(part, languages)})" for part in operands if not isinstance(part, Not))
            excluded = [match_words(part.operand, languages) for part in operands if isinstance(part, Not)]
            return f"({wanted}) NOT ({' OR '.join(f'({part})' for part in excluded)})" if excluded else wanted
        case Or(operands):
            return " OR ".join(f"({match_words(part, languages)})" for part in operands)
        case Term(form, spelling, fields):
            stems = any_token(f"_{stem}" for stem in stems_in_languages(spelling, languages))
            if not stems:
                return f'{column_filter(fields)} "{form}"'
            # Only the columns of stems contain tokens with this prefix, and a column filter takes time.
            return stems if fields is None else f"{column_filter(fields, '_stems')} ({stems})"
        case Prefix(form, fields):
            return f'{column_filter(fields)} "{form}" *'
        case Phrase(forms, prefix, fields):
            return f'{column_filter(fields)} "{" ".join(forms)}"' + (" *" if prefix else "")
        case Near(forms, distance, fields):
            return f"{column_filter(fields)} NEAR({any_order(forms)}, {distance})"
        case Named(kind, words, beginning):
            sought = [f'"{name_term(kind, word)}"' for word in words]
            return " AND ".join(sought if beginning is None else [*sought, f'"{name_term(kind, beginning)}" *'])
    raise AssertionError("a Not stands only inside an And")


def column_filter(fields: frozenset[str] | None, suffix: str = "") -> str:
    """The column filter of FTS5 for some fields; None: all."""
    return "{" + " ".join(f"{field}{suffix}" for field in FIELDS if fields is None or field in fields) + "} :"


def any_order(forms: Iterable[str]) -> str:
    return " ".join(f'"{form}"' for form in forms)


def any_token(tokens: Iterable[str]) -> str:
    return " OR ".join(f'"{token}"' for token in tokens)
