"""Release and expiry: the worker ends embargoes and expires articles, and appends an entry to the log for each.

No version is stored: the entry of a release names the version that was withheld, that of an expiry the current one.
Each article is released by exactly one of several workers: it locks the row, and the others skip locked rows.
"""

import time

from sqlalchemy import Connection, and_, exists, select

from newswire import wire
from newswire.article import ArticleState, EntryType, Status, due_at
from newswire.search import index
from newswire.store import articles
from newswire.store.articles import HELD, AnyRow
from newswire.store.tables import article, version

RELEASED_AT_ONCE = 100
RELEASE_SECONDS = 0.1
"""The most articles and about the longest time of one transaction: publishers wait for the head row until it commits.
"""


def has_due_articles(connection: Connection, now: int) -> bool:
    """Whether any article is due. A read without locks: idle workers never wait for publishers."""
    return bool(connection.scalar(select(exists().where(article.c.due_at <= now))))


def release_due_articles(connection: Connection, now: int) -> int:
    """Releases or expires up to `RELEASED_AT_ONCE` due articles, the earliest first; returns their number.

    It stops after `RELEASE_SECONDS`, and the others are left for the next transaction.

    It appends to the log, which locks the head row, so it must be the last work of its transaction.
    """
    due = (
        select(*HELD, version.c.digest)
        .join_from(article, version, and_(version.c.number == article.c.number, version.c.version == article.c.version))
        .where(article.c.due_at <= now)
        .order_by(article.c.due_at, article.c.number)
        .limit(RELEASED_AT_ONCE)
        .with_for_update(of=article, skip_locked=True)
    )
    # A locked row is skipped: another worker releases its article, or a publisher changes it, and then the next round
    # of the worker decides again.
    entries: list[wire.NewEntry] = []
    end = time.monotonic() + RELEASE_SECONDS
    for row in connection.execute(due).all():
        if entries and time.monotonic() > end:
            break
        withheld = row.status == Status.WITHHELD
        if withheld:
            _open_to_readers(connection, row)
        else:
            # Status and index row stay: readers compare `expires_at` with the clock, so they never wait for a worker.
            articles.change_article(connection, row.number, {"due_at": None})
        kind = EntryType.PUBLISHED if withheld else EntryType.EXPIRED
        entries.append(wire.NewEntry(kind, row.number, row.version, row.digest))
    return len(wire.append_entries(connection, entries, now))


def _open_to_readers(connection: Connection, row: AnyRow) -> None:
    """Makes a withheld article usable, in its row and in the search index."""
    held = ArticleState(*row[: len(HELD)])._replace(status=Status.USABLE)
    values = {"status": held.status.value, "due_at": due_at(held)}
    articles.change_article(connection, held.number, values)
    index.open_document(connection, held.number)
