"""The stems by which words are looked for.

An index holds them without their language, so that a word is one list and not one for each language. What is a word's
stem in one language can be another word's in the next: so the language of an article's stems is in the index too.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from newswire.search.analysis import stem_of, stem_tokens
from newswire.search.stemming import UNDETERMINED, stemming_language
from newswire.search.syntax import And, Expression, Not, Or, Term
from newswire.visibility import Filter, untermed


class Group(NamedTuple):
    """Languages that agree on the stems of all words of an expression, one of them; `foreign` are all the others."""

    language: str
    foreign: list[str]


def groups(expression: Expression, languages: Sequence[str]) -> list[Group]:
    """These languages by what the expression looks for in them; one group where that is the same in all.

    Without languages no stem is looked for: that is one group, too.
    """
    if not languages:
        return [Group(UNDETERMINED, [])]
    alike: dict[tuple[frozenset[str], ...], list[str]] = {}
    for language in languages:
        sought = tuple(bare_stems(term.spelling, language) for term in terms(expression))
        alike.setdefault(sought, []).append(language)
    return [Group(those[0], sorted({*languages} - {*those})) for those in alike.values()]


def stems(spelling: str, languages: Sequence[str]) -> list[str]:
    """The stems of a word in any of these languages, sorted; a run has none."""
    return sorted(frozenset().union(*(bare_stems(spelling, language) for language in languages)))


@lru_cache(10_000)
def bare_stems(spelling: str, language: str) -> frozenset[str]:
    return frozenset(map(stem_of, stem_tokens(spelling, language)))


def terms(expression: Expression) -> Iterator[Term]:
    """The words of an expression, from left to right."""
    match expression:
        case Term():
            yield expression
        case And(operands) | Or(operands):
            for operand in operands:
                yield from terms(operand)
        case Not(operand):
            yield from terms(operand)


def language_term(language: str) -> str:
    """What an article carries whose stems are of this language."""
    return f"stemmed_{language}"


def spoken(present: Sequence[str], wanted: Filter) -> list[str]:
    """Of the languages of stems that are in the index those that an article can have which passes the filter.

    None where no stems are to be looked for.
    """
    if not present:
        return []
    left = set(present)
    for clause in wanted.include:
        if all(name.startswith("language_") for name in clause):
            left &= {stemming_language(untermed(name)) for name in clause}
    return sorted(left) or [UNDETERMINED]
