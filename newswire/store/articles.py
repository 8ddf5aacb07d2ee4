"""Rows of articles, of their versions, and of the versions that the log delivered: row locks, inserts, updates.

Not here: lists of articles (`newswire.search.keyset`) and writing of the log (`newswire.wire`).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
    update,
)

from newswire.article import ArticleState, EntryType, Status
from newswire.store.statements import Statement, insert_or_ignore
from newswire.store.tables import article, entry, former_terms, publisher, undated, version

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row whose columns are read by name."""

NUMBERS = select(article.c.number)
CURRENT = and_(version.c.number == article.c.number, version.c.version == article.c.version)
HELD = tuple(article.c[name] for name in ArticleState._fields)


class Past(NamedTuple):
    """A version that log entry `seq` delivered, and its filter terms.

    Terms that a subject map has changed since are another `Past` of the same version. It had these while the newest
    entitlement of the wire went from the id `since` to `until` (None: it has them still).
    """

    seq: int
    version: int
    terms: frozenset[str]
    since: int = 0
    until: int | None = None


class FormerTerms(NamedTuple):
    """The terms that a version had while the newest entitlement of the wire had an id up to `until`."""

    until: int
    terms: frozenset[str]


@cache
def insert_unless_there_statement(table: Table, returning: Column[Any]) -> Any:
    return insert_or_ignore(table).returning(returning)


BY_EXTERNAL_ID = Statement(
    select(*HELD)
    .where(article.c.publisher_id == bindparam("publisher_id"), article.c.external_id == bindparam("external_id"))
    .with_for_update(of=article)
)
ID_BY_EXTERNAL_ID = Statement(
    select(article.c.id)
    .join_from(article, publisher, publisher.c.id == article.c.publisher_id)
    .where(publisher.c.slug == bindparam("slug"), article.c.external_id == bindparam("external_id"))
)
STATE_BY_ID = Statement(select(*HELD).where(article.c.id == bindparam("id")))
BY_ID = Statement(select(*HELD).where(article.c.id == bindparam("id")).with_for_update(of=article))
NEW: dict[str, Any] = {column.name: bindparam(column.name) for column in article.c if column.name != "number"}
ADD_ARTICLE = Statement(insert_unless_there_statement(article, article.c.number).values(NEW))
ADD_VERSION = Statement(insert(version))
VERSION = Statement(
    select(version.c.source, version.c.rendered, version.c.body, version.c.form).where(
        version.c.number == bindparam("number"), version.c.version == bindparam("version")
    )
)
LOCK_PUBLISHER = Statement(
    select(publisher.c.id).where(publisher.c.id == bindparam("publisher_id")).with_for_update(key_share=True)
)


def insert_unless_there(
    connection: Connection, table: Table, values: dict[str, Any], returning: Column[Any]
) -> Any | None:
    """Inserts a row and returns one column of it; None if a row with the same unique key exists.

    If another transaction has inserted that row and has not ended, this waits for its end.
    """
    return connection.execute(insert_unless_there_statement(table, returning), values).scalar_one_or_none()


def add_article(connection: Connection, values: dict[str, Any]) -> int | None:
    """Inserts an article and returns its number; None if its publisher has one with this external id.

    If another transaction has inserted that one and has not ended, this waits for its end.
    """
    added = ADD_ARTICLE.all(connection, values)
    return added[0].number if added else None


def lock_by_external_id(connection: Connection, publisher_id: int, external_id: str) -> ArticleState | None:
    """The state of an article, or None. Locks its row until the transaction ends (on SQLite the whole database)."""
    values = {"publisher_id": publisher_id, "external_id": external_id}
    return first_state(BY_EXTERNAL_ID.all(connection, values))


def lock_by_id(connection: Connection, article_id: str) -> ArticleState | None:
    """As `lock_by_external_id`, by the id that the wire gave the article."""
    return first_state(BY_ID.all(connection, {"id": article_id}))


def versions_of(connection: Connection, publisher_id: int, external_ids: Collection[str]) -> dict[str, int]:
    """The current version numbers of a publisher's articles by external id; unknown ids are left out."""
    query = select(article.c.external_id, article.c.version).where(
        article.c.publisher_id == publisher_id, article.c.external_id.in_(external_ids)
    )
    return {row.external_id: row.version for row in connection.execute(query)}


def first_state(found: Sequence[Any]) -> ArticleState | None:
    return ArticleState(*found[0])._replace(status=Status(found[0].status)) if found else None


def lock_publisher(connection: Connection, publisher_id: int) -> None:
    """Locks a publisher's row, so that its batches run one at a time.

    Two batches with the same articles in different orders would deadlock on the rows of these.
    """
    LOCK_PUBLISHER.all(connection, {"publisher_id": publisher_id})


def current_version(connection: Connection, number: int, current: int) -> Any:
    """A row with the packed source, rendered JSON, body and stored form of one version."""
    return VERSION.all(connection, {"number": number, "version": current})[0]


def add_undated(connection: Connection, publisher_id: int, external_ids: Collection[str]) -> None:
    """Notes that the present dates of a publisher's new articles are only those of their import (decision 0034)."""
    new = select(article.c.number, article.c.published_at).where(
        article.c.publisher_id == publisher_id, article.c.external_id.in_(external_ids)
    )
    connection.execute(insert(undated).from_select(["number", "published_at"], new))


def add_versions(connection: Connection, versions: Sequence[Mapping[str, Any]]) -> None:
    ADD_VERSION.execute_many(connection, versions)


def change_article(connection: Connection, number: int, values: dict[str, Any]) -> None:
    update_statement(*values).execute(connection, {"which": number, **values})


@cache
def update_statement(*names: str) -> Statement:
    """An UPDATE of these columns of the article with the number `which`."""
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return Statement(update(article).where(article.c.number == bindparam("which")).values(values))


def find_by_id(connection: Connection, article_id: str) -> ArticleState | None:
    """The state of an article, or None. Its row is not locked, so it may have changed when this returns."""
    return first_state(STATE_BY_ID.all(connection, {"id": article_id}))


def find_id_by_external_id(connection: Connection, slug: str, external_id: str) -> str | None:
    """The id of the article that the publisher `slug` calls `external_id`, or None; who may know it is not asked."""
    found = ID_BY_EXTERNAL_ID.all(connection, {"slug": slug, "external_id": external_id})
    return found[0].id if found else None


def as_terms(stored: str) -> frozenset[str]:
    """The set of terms of a stored version."""
    # What `cache_short` does, without its 0.3 µs: each entry of the log that is scanned has two or three.
    return cached_terms(stored) if len(stored) <= LONGEST_CACHED else frozenset(stored.split())


@lru_cache(1024)
def cached_terms(stored: str) -> frozenset[str]:
    return frozenset(stored.split())


LONGEST_CACHED = 2_000
LARGE_TERMS = 20_000
"""Characters of terms above which `short_terms` leaves them out: several kilobytes are usual, 225 kB are possible."""
ONE_VERSION_TERMS = Statement(
    select(version.c.terms).where(version.c.number == bindparam("number"), version.c.version == bindparam("version"))
)


def short_terms(column: ColumnElement[str], most: int = LARGE_TERMS) -> ColumnElement[str]:
    """A column of terms for a statement of many rows: "" in place of large ones, which `load_terms` reads one by one.

    So such a statement brings no more into memory than its rows times `most` characters.
    """
    return case((func.length(column) <= literal_column(str(most)), column), else_=literal_column("''"))


def load_terms(connection: Connection, number: int, version: int, stored: str) -> str:
    """The terms of a version as stored; `stored` is what `short_terms` selected."""
    if stored:
        return stored
    terms: str = ONE_VERSION_TERMS.execute(connection, {"number": number, "version": version}).fetchone()[0]
    return terms


def told_before(connection: Connection, killed: Sequence[int]) -> dict[int, list[Past]]:
    """The versions of killed articles that the log delivered before the kill, by article number, newest first.

    A reader who was allowed to see one of them must get the kill. A version follows with its former terms.
    """
    pasts: dict[int, list[Past]] = {number: [] for number in killed}
    if killed:
        former = read_former_terms(connection, killed)
        statement = (
            select(entry.c.number, entry.c.seq, entry.c.version, short_terms(version.c.terms).label("terms"))
            .join_from(entry, version, and_(version.c.number == entry.c.number, version.c.version == entry.c.version))
            .where(entry.c.number.in_(killed), entry.c.type != EntryType.CANCELED.value)
            .order_by(entry.c.seq.desc())
        )
        for row in connection.execute(statement).all():
            terms = as_terms(load_terms(connection, row.number, row.version, row.terms))
            told = pasts[row.number]
            # The versions of an article mostly have the same terms, which are then kept once.
            now = Past(row.seq, row.version, told[-1].terms if told and told[-1].terms == terms else terms)
            told += with_former_terms(now, former.get((row.number, row.version), ()))
    return pasts


def read_former_terms(connection: Connection, numbers: Collection[int]) -> dict[tuple[int, int], list[FormerTerms]]:
    """What subject maps have changed of the versions of these articles, by article number and version, oldest first."""
    found: dict[tuple[int, int], list[FormerTerms]] = {}
    rows = select(former_terms).where(former_terms.c.number.in_(numbers)).order_by(former_terms.c.id)
    for row in connection.execute(rows):
        found.setdefault((row.number, row.version), []).append(FormerTerms(row.until_entitlement, as_terms(row.terms)))
    return found


def with_former_terms(past: Past, former: Sequence[FormerTerms]) -> list[Past]:
    """A version that was told, once for each set of terms that it had; `past` has those of now, which come first."""
    if not former:
        return [past]
    since = [0, *(each.until for each in former)]
    before = [
        past._replace(terms=each.terms, since=start, until=each.until)
        for start, each in zip(since, former, strict=False)
    ]
    return [past._replace(since=since[-1]), *before]
