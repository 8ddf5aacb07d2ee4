"""The stems by which a word is looked for.

An index holds them without their language, so that a word is one list and not one for each language. What is a word's
stem in one language can be another word's in the next: so the language of an article's stems is in the index too.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from newswire.analysis import stem_of, stem_tokens
from newswire.query import Filter, untermed
from newswire.stemming import UNDETERMINED, stemming_language


class Stem(NamedTuple):
    """A stem of a word; in the `foreign` languages the word has another one."""

    stem: str
    foreign: list[str]


def stems_by_language(word: str, languages: Iterable[str]) -> list[Stem]:
    """The stems of a word in any of these languages, sorted; a run has none."""
    spoken: dict[str, set[str]] = {}
    for language in languages:
        for token in stem_tokens(word, language):
            spoken.setdefault(stem_of(token), set()).add(language)
    return [Stem(stem, sorted(set(languages) - those)) for stem, those in sorted(spoken.items())]


def language_term(language: str) -> str:
    """What an article carries whose stems are of this language."""
    return f"stemmed_{language}"


def spoken(present: Sequence[str], wanted: Filter) -> list[str]:
    """Of the languages of stems that are in the index those that an article can have which passes the filter."""
    left = set(present)
    for clause in wanted.include:
        if all(name.startswith("language_") for name in clause):
            left &= {stemming_language(untermed(name)) for name in clause}
    return sorted(left) or [UNDETERMINED]
