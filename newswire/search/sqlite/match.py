"""Translation of a query to an FTS5 MATCH expression.

Forms are in the column of their field, stems with a leading underscore in a second column for each field, terms in the
last column; see `writer.index_row`. If the stems of a query differ between the languages of the wire, each group of
languages with equal stems is an alternative for the articles of these languages: it asks for their terms, or excludes
those of all others where these are fewer. A group of a rare language that only excluded would walk past every
article of the common one (decision 0051). A condition for each group is less work than one for each word: measured with
nineteen languages in two groups, a search takes 13 ms, and 36 with a NOT for each word (docs/decisions/0010).
"""

from collections.abc import Iterable, Sequence

from newswire.article import Status
from newswire.search.analysis import FIELDS
from newswire.search.expression import And, Expression, Named, Near, Not, Or, Phrase, Prefix, Term
from newswire.search.languages import StemGroup, language_term, stem_groups, stems_in_languages
from newswire.search.name_fields import name_term
from newswire.search.relaxation import any_of
from newswire.visibility import Filter

# Every article has one of these two terms, and none has the third.
ANYTHING, NOTHING = '"image_yes" OR "image_no"', '"nothing_"'
HIDDEN = tuple(f"status_{status}" for status in Status if status is not Status.USABLE)


def match_expression(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """The MATCH expression of a query with its filters."""
    parts = [any_token(sorted(clause)) if clause else NOTHING for clause in wanted.include]
    if expression is not None:
        parts.append(match_languages(expression, languages))
    positive = " AND ".join(f"({part})" for part in parts) or ANYTHING
    return f"({positive}) NOT ({any_token(sorted(wanted.exclude))})" if wanted.exclude else positive


def match_languages(expression: Expression, languages: Sequence[str]) -> str:
    """The MATCH expression of `q` for the articles of all languages, each by the stems of its own language."""
    if type(expression) is Or:
        # Of alternatives those with the same stems everywhere need no condition, and are searched once.
        alike = [part for part in expression.operands if len(stem_groups(part, languages)) == 1]
        if alike:
            others = [part for part in expression.operands if part not in alike]
            parts = [match_words(part, languages) for part in alike]
            parts += [match_groups(any_of(others), languages)] if others else []
            return " OR ".join(f"({part})" for part in parts)
    return match_groups(expression, languages)


def match_groups(expression: Expression, languages: Sequence[str]) -> str:
    """The same, with an alternative for each group of languages that have equal stems, and one for articles without."""
    groups = stem_groups(expression, languages)
    if len(groups) == 1:
        return match_words(expression, languages)
    parts = [f"({match_words(expression, [group.language])}) {language_condition(group)}" for group in groups]
    if (stemless := without_stems(expression, languages)) is not None:
        parts.append(match_words(stemless, languages))
    return " OR ".join(f"({part})" for part in parts)


def without_stems(expression: Expression, languages: Sequence[str]) -> Expression | None:
    """What an article without any stem matches; None: nothing. Whatever else matches this matches `expression` too.

    The language of such an article is not among those of the index, so no group asks for it.
    """
    match expression:
        case Term(_, spelling):
            return None if stems_in_languages(spelling, languages) else expression
        case And(operands):
            parts = [part if isinstance(part, Not) else without_stems(part, languages) for part in operands]
            return None if None in parts else And(tuple(part for part in parts if part is not None))
        case Or(operands):
            found = [each for part in operands if (each := without_stems(part, languages)) is not None]
            return any_of(found) if found else None
    return expression


def language_condition(group: StemGroup) -> str:
    """The articles of a group of languages, by as few terms as possible."""
    if len(group.own) <= len(group.foreign):
        return f"AND ({any_token(map(language_term, group.own))})"
    return f"NOT ({any_token(map(language_term, group.foreign))})"


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
