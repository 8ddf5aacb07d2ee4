"""The stemming languages of an index and of a query, and the stems of a query word in them.

An index stores stems without their language, so that a word has one posting list and not one for each language
(docs/decisions/0010). The same stem can belong to different words in two languages, so the language of an article's
stems is indexed too, as a term. The table `stemming_language` lists the languages of an index. Not here: stemming
itself (`newswire.search.analysis`).
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, or_, select

from newswire.caches import cache_short
from newswire.search.analysis import query_stems, stem_of
from newswire.search.expression import Expression, query_words
from newswire.search.index_version import SEARCHED_VERSIONS
from newswire.search.stemming import UNDETERMINED, stemming_language
from newswire.store import tables
from newswire.store.articles import insert_unless_there
from newswire.store.statements import Statement
from newswire.visibility import Filter, term_value

KNOWN_LANGUAGES = "newswire.languages"
"""The key in a connection's `info` for the languages that an earlier transaction found in the table."""
LANGUAGE = tables.stemming_language.c.language
REGISTERED = Statement(select(LANGUAGE))


class StemGroup(NamedTuple):
    """Languages with the same stems for all words of an expression.

    `language` is any one of them, `own` are all of them, `foreign` all other languages.
    """

    language: str
    own: list[str]
    foreign: list[str]


def stem_groups(expression: Expression, languages: Sequence[str]) -> list[StemGroup]:
    """Groups languages by the stems that the words of the expression have in them.

    The result is a single group if these are the same in all languages, and also if there are no languages.
    """
    if not languages:
        return [StemGroup(UNDETERMINED, [], [])]
    groups: dict[tuple[frozenset[str], ...], list[str]] = {}
    for language in languages:
        stems = tuple(stems_in_language(term.spelling, language) for term in query_words(expression))
        groups.setdefault(stems, []).append(language)
    return [StemGroup(group[0], group, sorted({*languages} - {*group})) for group in groups.values()]


def stems_in_languages(spelling: str, languages: Sequence[str]) -> list[str]:
    """The stems of a word in any of these languages, sorted; a run has none."""
    return sorted(frozenset().union(*(stems_in_language(spelling, language) for language in languages)))


@cache_short(10_000)
def stems_in_language(spelling: str, language: str) -> frozenset[str]:
    return frozenset(map(stem_of, query_stems(spelling, (language,))))


def language_term(language: str) -> str:
    """The filter term of articles that were stemmed in this language."""
    return f"stemmed_{language}"


def languages_for(present: Sequence[str], wanted: Filter) -> list[str]:
    """The languages among `present`, those of an index, that articles which pass the filter can have.

    A filter by language thus narrows the stems of a query. The list is empty only if `present` is.
    """
    if not present:
        return []
    possible = set(present)
    for clause in wanted.include:
        if all(name.startswith("language_") for name in clause):
            possible &= {stemming_language(term_value(name)) for name in clause}
    return sorted(possible) or [UNDETERMINED]


def register_language(connection: Connection, language: str) -> None:
    """Records that the index contains stems of this language."""
    known = connection.info.setdefault(KNOWN_LANGUAGES, set())
    if language in known:
        return
    # Rows are only added, so a language that was found once can be cached for the life of the connection. The one
    # added here is not cached yet, because this transaction may still be rolled back.
    if language in {registered for (registered,) in REGISTERED.execute(connection, {})}:
        known.add(language)
    else:
        insert_unless_there(connection, tables.stemming_language, {"language": language}, LANGUAGE)


@cache
def fitting_languages(rows: Table) -> Statement:
    """A statement for the languages of the index whose rows are in the table `rows`.

    It finds none while another release of the stemmer made the stems of any row: while a version lies outside of those
    with its stems, or between two of them.
    """
    version = rows.c.index_version
    bounds = (select(bound(version)).scalar_subquery() for bound in (func.min, func.max))
    within = (
        select(1).where(version > one, version < next_one).exists() for one, next_one in pairwise(SEARCHED_VERSIONS)
    )
    known = (or_(*(bound == one for one in SEARCHED_VERSIONS)) for bound in bounds)
    return Statement(select(LANGUAGE).where(*known, *(~between for between in within)).order_by(LANGUAGE))
