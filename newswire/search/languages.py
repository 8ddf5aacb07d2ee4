"""The languages in whose stems a word is looked for: those of an index, those of a query, and the stems themselves.

An index holds stems without their language, so that a word is one list and not one for each language. A word's stem
in one language can be another word's in the next: so the language of an article's stems is in the index too, as a
term. Which languages an index has stems of is in the table `stemming_language`.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from newswire.search.analysis import UNDETERMINED, stem_of, stem_tokens, stemming_language
from newswire.search.index_version import INDEX_VERSION
from newswire.search.syntax import Expression, query_words
from newswire.store import tables
from newswire.store.articles import insert_unless_there
from newswire.store.statements import Statement
from newswire.visibility import Filter, term_value

KNOWN_LANGUAGES = "newswire.languages"
"""The key in a connection's `info` for the languages that were found to be registered."""
LANGUAGE = tables.stemming_language.c.language
REGISTERED = Statement(select(LANGUAGE))


class StemGroup(NamedTuple):
    """Languages that agree on the stems of all words of an expression.

    `language` is one of them, `foreign` are all that are not among them.
    """

    language: str
    foreign: list[str]


def stem_groups(expression: Expression, languages: Sequence[str]) -> list[StemGroup]:
    """Groups languages by the stems that the expression looks for in them; one group if that is the same in all.

    Without languages no stem is looked for, which is one group, too.
    """
    if not languages:
        return [StemGroup(UNDETERMINED, [])]
    alike: dict[tuple[frozenset[str], ...], list[str]] = {}
    for language in languages:
        sought = tuple(stems_in_language(term.spelling, language) for term in query_words(expression))
        alike.setdefault(sought, []).append(language)
    return [StemGroup(those[0], sorted({*languages} - {*those})) for those in alike.values()]


def stems_in_languages(spelling: str, languages: Sequence[str]) -> list[str]:
    """The stems of a word in any of these languages, sorted; a run has none."""
    return sorted(frozenset().union(*(stems_in_language(spelling, language) for language in languages)))


@lru_cache(10_000)
def stems_in_language(spelling: str, language: str) -> frozenset[str]:
    return frozenset(map(stem_of, stem_tokens(spelling, language)))


def language_term(language: str) -> str:
    """The term of articles whose stems are of this language."""
    return f"stemmed_{language}"


def languages_for(present: Sequence[str], wanted: Filter) -> list[str]:
    """Those of the languages `present` in an index that an article can have which passes the filter.

    None where no stem is to be looked for.
    """
    if not present:
        return []
    left = set(present)
    for clause in wanted.include:
        if all(name.startswith("language_") for name in clause):
            left &= {stemming_language(term_value(name)) for name in clause}
    return sorted(left) or [UNDETERMINED]


def register_language(connection: Connection, language: str) -> None:
    """Records that the index has stems of this language from now on."""
    known = connection.info.setdefault(KNOWN_LANGUAGES, set())
    if language in known:
        return
    # Rows are only added, so what was found once stays. What is added here may still be rolled back, so it is not
    # remembered before a later transaction has found it.
    if language in {registered for (registered,) in REGISTERED.execute(connection, {})}:
        known.add(language)
    else:
        insert_unless_there(connection, tables.stemming_language, {"language": language}, LANGUAGE)


@cache
def fitting_languages(rows: Table) -> Statement:
    """A statement for the languages of an index, whose rows name their versions.

    It finds none while there is a row of another version, whose stems another release of the stemmer has made.
    """
    bounds = (select(bound(rows.c.index_version)).scalar_subquery() for bound in (func.min, func.max))
    return Statement(select(LANGUAGE).where(*(bound == INDEX_VERSION for bound in bounds)).order_by(LANGUAGE))
