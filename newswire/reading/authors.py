"""Profiles of authors, merged from the articles that a reader may list: for each field the newest one wins.

There is no table of authors, on purpose: what a reader cannot see cannot be told of its
author either. An article that gives a field of an author carries a term which says so
(`visibility.profile_terms`), so that the newest one is a single look-up.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from newswire.document import decode_article
from newswire.reading.directory import Sight
from newswire.search import index
from newswire.store.articles import CURRENT, AnyRow
from newswire.store.tables import article, publisher, version
from newswire.visibility import PROFILE, profile_term, term_of

AT_ONCE = 20
"""Articles in memory at a time: each may bring megabytes of captions."""


def author_profiles(connection: Connection, ids: Collection[str], sight: Sight) -> dict[str, dict[str, Any]]:
    """By id: `id`, `name`, `publisher` (slug, name, url) and the fields of `PROFILE`, null where no article gives them.

    Name and publisher are those of the newest article. Whoever has no article is not there.
    """
    found = {
        said["id"]: said
        for _, said in _newest_statements(connection, {term_of("author", each): each for each in ids}, sight)
    }
    unsaid = {
        profile_term(field, each): (each, field) for each, said in found.items() for field in PROFILE if not said[field]
    }
    for name, said in _newest_statements(connection, {name: each for name, (each, _) in unsaid.items()}, sight):
        each, field = unsaid[name]
        found[each][field] = said[field]
    return found


def _newest_statements(
    connection: Connection, terms: Mapping[str, str], sight: Sight
) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each term the members of its author (`terms` gives the id) in the newest article that carries it."""
    numbers = index.newest_by_term(connection, terms.keys(), *sight)
    carried: dict[int, list[str]] = {}
    for name, number in numbers.items():
        carried.setdefault(number, []).append(name)
    for row in _read_articles(connection, list(carried)):
        authors = decode_article(row.rendered, None)["authors"]
        for name in carried[row.number]:
            if said := _author_members(terms[name], authors):
                yield name, said | {"publisher": {"slug": row.slug, "name": row.name, "url": row.url}}


def _read_articles(connection: Connection, numbers: Sequence[int]) -> Iterator[AnyRow]:
    """The current versions of articles with their publishers as they are now, `AT_ONCE` at a time."""
    statement = (
        select(article.c.number, version.c.rendered, publisher.c.slug, publisher.c.name, publisher.c.url)
        .join_from(article, version, CURRENT)
        .join(publisher, publisher.c.id == article.c.publisher_id)
    )
    for start in range(0, len(numbers), AT_ONCE):
        yield from connection.execute(statement.where(article.c.number.in_(numbers[start : start + AT_ONCE])))


def _author_members(author_id: str, authors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The members of an author in one article; of one that is listed twice, each field where it first has a value."""
    said: dict[str, Any] = {}
    for each in reversed([item for item in authors if item["id"] == author_id]):
        said |= {name: value for name, value in each.items() if value is not None or name not in said}
    return said
