"""Matching of an article against an expression in process, by the analysis that the index has.

`GET /v1/changes` matches each version so. Not here: the queries of the engines (`sqlite`, `postgres`).
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from newswire.caches import cache_short
from newswire.search.analysis import FIELDS, Analysed, query_stems
from newswire.search.expression import And, Expression, Named, Near, Not, Or, Phrase, Prefix, Term
from newswire.search.proximity import has_near


@cache_short(10_000)
def cached_query_stems(spelling: str, language: str) -> frozenset[str]:
    """The stem tokens of a word of a query in one language; a run has none. An article after the other asks for it."""
    return frozenset(query_stems(spelling, (language,)))


class MatchTexts(NamedTuple):
    """The texts of an article for `matches_article`: by field, the forms joined by blanks, and the stem tokens; `names`
    likewise by kind.

    No form contains a blank, so that a search in the joined forms cannot match across the boundaries of a form. They
    are joined once, and not for each phrase of a query: 100 phrases in an article took 1.4 ms, and take 0.1.
    """

    language: str
    forms: Mapping[str, str]
    stems: Mapping[str, frozenset[str]]
    names: Mapping[str, str]


def match_texts(analysed: Analysed) -> MatchTexts:
    forms, names = (
        {field: f" {' '.join(words)} " for field, words in each.items()} for each in (analysed.forms, analysed.names)
    )
    return MatchTexts(analysed.language, forms, analysed.stems, names)


def matches_article(expression: Expression, texts: MatchTexts, fields: Collection[str] = FIELDS) -> bool:
    """Whether an article matches; words match by their stems in its language. `fields` are those of `search_in`."""
    match expression:
        case And(operands):
            return all(matches_article(operand, texts, fields) for operand in operands)
        case Or(operands):
            return any(matches_article(operand, texts, fields) for operand in operands)
        case Not(operand):
            return not matches_article(operand, texts, fields)
        case Term(form, spelling, own):
            stems = cached_query_stems(spelling, texts.language)
            if not stems:
                return any(f" {form} " in texts.forms[field] for field in own or fields)
            return any(not texts.stems[field].isdisjoint(stems) for field in own or fields)
        case Prefix(form, own):
            return any(f" {form}" in texts.forms[field] for field in own or fields)
        case Phrase(forms, prefix, own):
            phrase = f" {' '.join(forms)}{'' if prefix else ' '}"
            return any(phrase in texts.forms[field] for field in own or fields)
        case Near(fields=own):
            return any(has_near(expression, texts.forms[field]) for field in own or fields)
        case Named(kind, words, beginning):
            name = texts.names.get(kind, "")
            return all(f" {word} " in name for word in words) and (beginning is None or f" {beginning}" in name)
