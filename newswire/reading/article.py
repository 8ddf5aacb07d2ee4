"""Reads of one article or of its versions for one reader: rows, or the problems `article_canceled` and `not_found`.

Lists are in `lists`. An article that the reader may not know of is `not_found`, so that its existence is not revealed.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, func, select

from newswire.article import Status
from newswire.document import count_fitting
from newswire.errors import Problem
from newswire.store.articles import AnyRow, as_terms, told_before
from newswire.store.statements import Statement
from newswire.store.tables import article, entry, version
from newswire.visibility import Standing, Visibility

BY_ID = Statement(
    select(
        article.c.id, article.c.number, article.c.seq, article.c.status, article.c.published_at, article.c.updated_at,
        article.c.expires_at, version.c.version, version.c.terms, version.c.rendered, version.c.body, version.c.form,
    )
    .join_from(article, version, and_(version.c.number == article.c.number, version.c.version == article.c.version))
    .where(article.c.id == bindparam("id"))
)  # fmt: skip
CHUNK = 25
"""Versions whose access is checked at a time; the terms of one take up to 225 kB."""
FIRST_SEQ = (
    select(func.min(entry.c.seq))
    .where(entry.c.number == version.c.number, entry.c.version == version.c.version)
    .correlate(version)
    .scalar_subquery()
)
LAST = (article.c.version == version.c.version) & (article.c.status == Status.CANCELED.value)
# Versions, newest first, each with the status that it had and the `seq` of its first entry.
VERSIONS = (
    select(
        version.c.version, version.c.rendered, version.c.form, FIRST_SEQ.label("seq"),
        case((LAST, "canceled"), (FIRST_SEQ.is_(None), "withheld"), else_="usable").label("status"),
    )
    .join_from(version, article, article.c.number == version.c.number)
    .order_by(version.c.version.desc())
)  # fmt: skip


def read_current(connection: Connection, article_id: str, visibility: Visibility, now: int) -> AnyRow:
    """The current version; raises `not_found`, or `article_canceled` for readers to whom the kill was delivered."""
    row = read_known(connection, article_id, visibility, now)
    if row.status == Status.CANCELED:
        raise killed_problem(row.id)
    return row


class HistoryPage(NamedTuple):
    """Versions without their bodies, newest first, and whether there are older ones."""

    rows: Sequence[AnyRow]
    has_more: bool


def read_history(
    connection: Connection, article_id: str, visibility: Visibility, now: int, *, before: int, limit: int
) -> HistoryPage:
    """At most `limit` versions below `before` that the reader may see; a killed article's for its publisher only.

    The page ends early where its versions would take more than `PAGE_BYTES`.
    """
    current = _read_open(connection, article_id, visibility, now)
    seen = list(islice(_visible_versions(connection, current.number, visibility, before), limit + 1))
    fitting = count_fitting([row.size for row in seen[:limit]])
    shown = {row.version: row for row in seen[:fitting]}
    contents = connection.execute(VERSIONS.where(version.c.number == current.number, version.c.version.in_([*shown])))
    return HistoryPage(contents.all(), len(seen) > len(shown))


def read_one_version(connection: Connection, article_id: str, wanted: int, visibility: Visibility, now: int) -> AnyRow:
    """One version with its body; raises like `read_history`, and `not_found` if the reader may not see it."""
    current = _read_open(connection, article_id, visibility, now)
    statement = VERSIONS.add_columns(version.c.terms, version.c.body)
    found = connection.execute(statement.where(version.c.number == current.number, version.c.version == wanted)).first()
    if found is None or not visibility.allows_version(as_terms(found.terms), was_told=found.seq is not None):
        raise Problem("not_found", "There is no such version, or it is not yours to read.")
    return found


def _read_open(connection: Connection, article_id: str, visibility: Visibility, now: int) -> AnyRow:
    """The article with its current version; a killed one for its publisher only, else `article_canceled`."""
    current = read_known(connection, article_id, visibility, now)
    if not visibility.allows(_standing_of(current), now):
        raise killed_problem(current.id)
    return current


def _visible_versions(connection: Connection, number: int, visibility: Visibility, before: int) -> Iterator[AnyRow]:
    """The versions of an article below `before` that the reader may see, newest first: `version` and `size`.

    Access is checked row by row in Python, so rows come in chunks, and without content: a driver may load the whole
    result of a statement: a history of 120 versions of 832 KiB took 483 MB for a page of one.
    """
    size = func.length(version.c.rendered).label("size")
    terms = select(version.c.version, version.c.terms, size, FIRST_SEQ.label("seq")).where(version.c.number == number)
    newest = terms.order_by(version.c.version.desc()).limit(CHUNK)
    while rows := connection.execute(newest.where(version.c.version < before)).all():
        yield from (row for row in rows if visibility.allows_version(as_terms(row.terms), was_told=row.seq is not None))
        before = rows[-1].version


def read_known(connection: Connection, article_id: str, visibility: Visibility, now: int) -> AnyRow:
    """The article with its current version; raises `not_found` unless the reader may know that it exists."""
    rows = BY_ID.all(connection, {"id": article_id})
    if not rows or not may_know(connection, rows[0], visibility, now):
        raise Problem("not_found", "There is no such article, or it is not yours to read.")
    current: AnyRow = rows[0]
    return current


def may_know(connection: Connection, row: AnyRow, visibility: Visibility, now: int) -> bool:
    """Whether the article may be shown, or was killed and a version of it could have been read.

    `row` has its number, its times, its status, and the terms of its current version.
    """
    if visibility.allows(_standing_of(row), now):
        return True
    if row.status != Status.CANCELED:
        return False
    pasts = told_before(connection, [row.number])[row.number]
    return any(visibility.could_see_at(past.terms, past.seq, past.since, past.until) for past in pasts)


def _standing_of(row: AnyRow) -> Standing:
    return Standing(row.status, row.published_at, row.updated_at, row.expires_at, as_terms(row.terms))


def killed_problem(article_id: str) -> Problem:
    return Problem("article_canceled", "This article was killed and must not be used.", article_id=article_id)
