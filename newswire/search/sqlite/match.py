"""A query as FTS5's MATCH expression.

Forms stand in the columns of their fields, stems with an underscore before them in columns of their own, terms in the
last one; see `writer.index_row`. Where the languages of a wire disagree on the stems, each group of those that
agree is asked for by itself, without the articles of the others: FTS5 looks at a NOT only where the rest matches.
"""

from collections.abc import Iterable, Sequence

from newswire.article import Status
from newswire.search.analysis import FIELDS
from newswire.search.languages import language_term, stem_groups, stems_in_languages
from newswire.search.syntax import And, Expression, Not, Or, Phrase, Prefix, Term
from newswire.visibility import Filter

ANYTHING, NOTHING = '"image_yes" OR "image_no"', '"nothing_"'
HIDDEN = tuple(f"status_{status}" for status in Status if status is not Status.USABLE)


def match_expression(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """The MATCH expression of a whole query."""
    parts = [any_token(sorted(clause)) if clause else NOTHING for clause in wanted.include]
    if expression is not None:
        found = stem_groups(expression, languages)
        parts.append(
            match_words(expression, languages)
            if len(found) == 1
            else " OR ".join(
                f"(({match_words(expression, [each.language])}) NOT ({any_token(map(language_term, each.foreign))}))"
                for each in found
            )
        )
    positive = " AND ".join(f"({part})" for part in parts) or ANYTHING
    return f"({positive}) NOT ({any_token(sorted(wanted.exclude))})" if wanted.exclude else positive


def match_words(expression: Expression, languages: Sequence[str]) -> str:
    """The MATCH expression of `q` in articles whose stems are of one of these languages.

    Nothing has to be escaped: words hold letters, marks and digits only.
    """
    match expression:
        case And(operands):
            wanted = " AND ".join(f"({match_words(part, languages)})" for part in operands if not isinstance(part, Not))
            excluded = [match_words(part.operand, languages) for part in operands if isinstance(part, Not)]
            return f"({wanted}) NOT ({' OR '.join(f'({part})' for part in excluded)})" if excluded else wanted
        case Or(operands):
            return " OR ".join(f"({match_words(part, languages)})" for part in operands)
        case Term(form, spelling, fields):
            found = any_token(f"_{stem}" for stem in stems_in_languages(spelling, languages))
            if not found:
                return f'{column_filter(fields)} "{form}"'
            # No other column holds stems, and to look at columns takes time.
            return found if fields is None else f"{column_filter(fields, '_stems')} ({found})"
        case Prefix(form, fields):
            return f'{column_filter(fields)} "{form}" *'
        case Phrase(forms, prefix, fields):
            return f'{column_filter(fields)} "{" ".join(forms)}"' + (" *" if prefix else "")
    raise AssertionError("a Not stands only inside an And")


def column_filter(fields: frozenset[str] | None, suffix: str = "") -> str:
    """FTS5's restriction to columns."""
    return "{" + " ".join(f"{field}{suffix}" for field in FIELDS if fields is None or field in fields) + "} :"


def any_token(tokens: Iterable[str]) -> str:
    return " OR ".join(f'"{token}"' for token in tokens)
