"""Reads of one article or of its versions for one reader: rows, or the problems `article_canceled` and `not_found`.

Lists are in `lists`. An article that the reader may not know of is `not_found`, so that its existence is not revealed.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, select

from newswire.article import Status
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


def read_current(connection: Connection, article_id: str, visibility: Visibility, now: int) -> AnyRow:
    """The current version; raises `not_found`, or `article_canceled` for readers to whom the kill was delivered."""
    row = read_known(connection, article_id, visibility, now)
    if row.status == Status.CANCELED:
        raise killed_problem(row.id)
    return row


def read_history(
    connection: Connection, article_id: str, visibility: Visibility, now: int, *, before: int, limit: int
) -> Sequence[AnyRow]:
    """Versions below `before` that the reader may see, newest first; a killed article's for its publisher only."""
    current = read_known(connection, article_id, visibility, now)
    if not visibility.allows(_standing_of(current), now):
        raise killed_problem(current.id)
    statement = _versions_statement(current.number).where(version.c.version < before).order_by(version.c.version.desc())
    # Access is checked row by row in Python, so the limit cannot be part of the statement.
    seen: list[AnyRow] = []
    for row in connection.execute(statement):
        if visibility.allows_version(as_terms(row.terms), was_told=row.seq is not None):
            seen.append(row)
        if len(seen) == limit:
            break
    return seen


def read_one_version(connection: Connection, article_id: str, wanted: int, visibility: Visibility, now: int) -> AnyRow:
    """One version; raises like `read_history`, and `not_found` for a version that the reader may not see."""
    found = read_history(connection, article_id, visibility, now, before=wanted + 1, limit=1)
    if not found or found[0].version != wanted:
        raise Problem("not_found", "There is no such version, or it is not yours to read.")
    return found[0]


def read_known(connection: Connection, article_id: str, visibility: Visibility, now: int) -> AnyRow:
    """The article with its current version; raises `not_found` unless the reader may know that it exists."""
    rows = BY_ID.all(connection, {"id": article_id})
    if not rows or not _may_know(connection, rows[0], visibility, now):
        raise Problem("not_found", "There is no such article, or it is not yours to read.")
    current: AnyRow = rows[0]
    return current


def _may_know(connection: Connection, row: AnyRow, visibility: Visibility, now: int) -> bool:
    """Whether the article may be shown, or was killed and a version of it could have been read."""
    if visibility.allows(_standing_of(row), now):
        return True
    if row.status != Status.CANCELED:
        return False
    pasts = told_before(connection, [row.number])[row.number]
    return any(visibility.could_see_at(past.terms, past.seq) for past in pasts)


def _standing_of(row: AnyRow) -> Standing:
    return Standing(row.status, row.published_at, row.updated_at, row.expires_at, as_terms(row.terms))


def _versions_statement(number: int) -> Select[Any]:
    """Selects the versions of an article with the status that each had and the `seq` of its first entry."""
    first = select(func.min(entry.c.seq)).where(entry.c.number == number, entry.c.version == version.c.version)
    last = (article.c.version == version.c.version) & (article.c.status == Status.CANCELED.value)
    seq = first.scalar_subquery()
    status = case((last, "canceled"), (seq.is_(None), "withheld"), else_="usable")
    return (
        select(version.c.version, version.c.terms, version.c.rendered, version.c.body, version.c.form,
               seq.label("seq"), status.label("status"))
        .join_from(version, article, article.c.number == version.c.number)
        .where(version.c.number == number)
    )  # fmt: skip


def killed_problem(article_id: str) -> Problem:
    return Problem("article_canceled", "This article was killed and must not be used.", article_id=article_id)
