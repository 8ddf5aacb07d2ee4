"""Profiles of authors, merged from the articles that a reader may list: for each field the newest one wins.

A table of authors was refused: it would reveal fields from articles that the reader may not see. Instead, an article
that gives a field of an author carries a term for it (`visibility.profile_terms`), so the newest one is a single
look-up in the index.
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
"""Articles in memory at a time: one may have megabytes of captions."""


def author_profiles(connection: Connection, ids: Collection[str], sight: Sight) -> dict[str, dict[str, Any]]:
    """By id: `id`, `name`, `publisher` (slug, name, url) and the fields of `PROFILE`, null where no article gives them.

    Name and publisher are those of the newest article. An author without a visible article is left out.
    """
    of_author = {term_of("author", author_id): author_id for author_id in ids}
    profiles = {members["id"]: members for _, members in _newest_members(connection, of_author, sight)}
    # Only the fields that the newest article lacks are looked up in older ones.
    missing = {
        profile_term(field, author_id): (author_id, field)
        for author_id, members in profiles.items()
        for field in PROFILE
        if not members[field]
    }
    of_field = {term: author_id for term, (author_id, _) in missing.items()}
    for term, members in _newest_members(connection, of_field, sight):
        author_id, field = missing[term]
        profiles[author_id][field] = members[field]
    return profiles


def _newest_members(
    connection: Connection, terms: Mapping[str, str], sight: Sight
) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each term, the members of its author in the newest article that has it; `terms` maps to author ids."""
    numbers = index.newest_by_term(connection, terms.keys(), *sight)
    carried: dict[int, list[str]] = {}
    for name, number in numbers.items():
        carried.setdefault(number, []).append(name)
    for row in _read_articles(connection, list(carried)):
        authors = decode_article(row.rendered, None)["authors"]
        for name in carried[row.number]:
            if members := _author_members(terms[name], authors):
                yield name, members | {"publisher": {"slug": row.slug, "name": row.name, "url": row.url}}


def _read_articles(connection: Connection, numbers: Sequence[int]) -> Iterator[AnyRow]:
    """The current versions of articles with their current publishers, read `AT_ONCE` at a time."""
    statement = (
        select(article.c.number, version.c.rendered, publisher.c.slug, publisher.c.name, publisher.c.url)
        .join_from(article, version, CURRENT)
        .join(publisher, publisher.c.id == article.c.publisher_id)
    )
    for start in range(0, len(numbers), AT_ONCE):
        yield from connection.execute(statement.where(article.c.number.in_(numbers[start : start + AT_ONCE])))


def _author_members(author_id: str, authors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The members of an author in one article; of one that is listed twice, each field where it first has a value."""
    members: dict[str, Any] = {}
    for author in reversed([author for author in authors if author["id"] == author_id]):
        members |= {name: value for name, value in author.items() if value is not None or name not in members}
    return members
