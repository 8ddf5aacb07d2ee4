"""The stories around an article for one reader: links in both directions, then more like this.

Each story is decided by itself, by the rule of access and by what the log has told the reader: one that the reader may
not know of is left out, and changes nothing else. A killed one is named to whoever was told of the kill. Backward links
are found by terms that articles carry for what they link to (`visibility.link_terms`), which a tombstone keeps.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from newswire.article import Status
from newswire.document import decode_article
from newswire.reading.article import may_know
from newswire.reading.lists import list_statement
from newswire.reading.similar import find_similar
from newswire.search import index
from newswire.search.query import Query
from newswire.store.articles import CURRENT, AnyRow, told_before
from newswire.store.tables import article, publisher, version
from newswire.visibility import (
    EVOLVES,
    RELATES,
    Filter,
    LinkTarget,
    Visibility,
    id_target,
    link_targets,
    link_term,
    own_target,
)

AT_ONCE = 20
"""Links that are looked up at a time, and killed articles: the terms of one article take up to 225 kB."""
KILLED_LOOKED_AT = 200
"""Of the killed articles that linked here only so many of the newest are looked at."""
STANDING = (
    select(
        article.c.number, article.c.id, article.c.status, article.c.published_at, article.c.updated_at,
        article.c.expires_at, article.c.external_id, publisher.c.slug, version.c.terms,
    )
    .join_from(article, version, CURRENT)
    .join(publisher, publisher.c.id == article.c.publisher_id)
)  # fmt: skip
IDENTITY = select(article.c.number, article.c.id, article.c.status)


class Relation(StrEnum):
    """What a story is to the article that was asked for."""

    EVOLVES_FROM = "evolves_from"
    EVOLVED_INTO = "evolved_into"
    RELATED = "related"
    SIMILAR = "similar"


class RelatedStory(NamedTuple):
    """A story that the reader may know of; a killed one has the status `canceled`."""

    relation: Relation
    number: int
    id: str
    status: str


class AskedArticle(NamedTuple):
    """The article in `row` (as `read_current` returns it), whose decoded content is `content`; who asks, and when."""

    connection: Connection
    row: AnyRow
    content: Mapping[str, Any]
    visibility: Visibility
    now: int

    @property
    def slug(self) -> str:
        slug: str = self.content["publisher"]["slug"]
        return slug


def find_related(
    connection: Connection, row: AnyRow, visibility: Visibility, now: int, limit: int
) -> list[RelatedStory]:
    """At most `limit` stories around the article in `row`, each once, in the order of `Relation`."""
    asked = AskedArticle(connection, row, decode_article(row.rendered, row.body), visibility, now)
    linked: dict[int, RelatedStory] = {}
    for story in list_linked(asked, limit):
        if story.number != row.number:
            linked.setdefault(story.number, story)
        if len(linked) == limit:
            return [*linked.values()]
    numbers = find_similar(connection, row, asked.content, visibility, now, linked, limit - len(linked))
    found = {each.number: each for each in connection.execute(IDENTITY.where(article.c.number.in_(numbers)))}
    similar = (RelatedStory(Relation.SIMILAR, *found[number]) for number in numbers)
    return [*linked.values(), *similar]


def list_linked(asked: AskedArticle, limit: int) -> Iterator[RelatedStory]:
    """The stories that the article links to, and those that link to it: these at most `limit` of each kind and status.

    They are looked up only as far as they are asked for.
    """
    content = asked.content
    former = [] if content["evolves_from"] is None else [content["evolves_from"]]
    yield from follow_links(asked, Relation.EVOLVES_FROM, former)
    yield from find_backward(asked, Relation.EVOLVED_INTO, EVOLVES, limit)
    yield from follow_links(asked, Relation.RELATED, content["related"])
    yield from find_backward(asked, Relation.RELATED, RELATES, limit)


def follow_links(
    asked: AskedArticle, relation: Relation, links: Sequence[Mapping[str, str] | str]
) -> Iterator[RelatedStory]:
    """The articles that links of the article name, in the order of the links."""
    for start in range(0, len(links), AT_ONCE):
        targets = [target for link in links[start : start + AT_ONCE] for target in link_targets(asked.slug, link)]
        found = find_targets(asked, targets)
        for row in dict.fromkeys(found[target] for target in targets if target in found):
            if may_know(asked.connection, row, asked.visibility, asked.now):
                yield RelatedStory(relation, row.number, row.id, row.status)


def find_targets(asked: AskedArticle, targets: Collection[LinkTarget]) -> dict[LinkTarget, AnyRow]:
    """The articles that these targets name, whoever may know them; targets that name none are left out."""
    own = own_target(asked.slug, "").kind
    ids = [target.name for target in targets if target.kind != own]
    named = [target.name for target in targets if target.kind == own]
    # Two statements, each a look-up of its own database index: with OR all articles would be scanned.
    by_name = STANDING.where(publisher.c.slug == asked.slug, article.c.external_id.in_(named))
    found = {id_target(row.id): row for row in asked.connection.execute(STANDING.where(article.c.id.in_(ids)))}
    return found | {own_target(asked.slug, row.external_id): row for row in asked.connection.execute(by_name)}


def find_backward(asked: AskedArticle, relation: Relation, kind: str, limit: int) -> Iterator[RelatedStory]:
    """The articles whose links of a kind name the article, the newest first; killed ones come last."""
    row, visibility = asked.row, asked.visibility
    targets = [id_target(row.id)]
    if (external_id := asked.content["external_id"]) is not None:
        targets.append(own_target(asked.slug, external_id))
    terms = frozenset(link_term(kind, target) for target in targets)
    linking = Filter((terms,))
    statuses = visibility.rule_at(asked.now).statuses
    for status in (each for each in (Status.USABLE, Status.WITHHELD) if each in statuses):
        query = Query(filter=linking, status=status)
        # One more, because an article may link to itself.
        statement, values = list_statement(asked.connection, IDENTITY, query, visibility, asked.now, None, limit + 1)
        for found in statement.execute(asked.connection, values).fetchall():
            yield RelatedStory(relation, *found)
    yield from find_killed(asked, relation, terms)


def find_killed(asked: AskedArticle, relation: Relation, terms: frozenset[str]) -> Iterator[RelatedStory]:
    """The killed articles with one of the terms, of which the reader was told in a version with one."""
    query = Query(status=Status.CANCELED)
    statement, values = index.search_statement(
        asked.connection, IDENTITY, query, Filter((terms,)), None, KILLED_LOOKED_AT, (), []
    )
    rows = statement.execute(asked.connection, values).fetchall()
    for start in range(0, len(rows), AT_ONCE):
        chunk = rows[start : start + AT_ONCE]
        pasts = told_before(asked.connection, [row[0] for row in chunk])
        for found in chunk:
            if any(
                not terms.isdisjoint(past.terms) and asked.visibility.could_see_at(past.terms, past.seq)
                for past in pasts[found[0]]
            ):
                yield RelatedStory(relation, *found)
