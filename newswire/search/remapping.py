"""The rebuild of subject terms: every article whose terms were made by another subject map gets those of today's.

Each article names the map by which its terms were made (`article.mapped`). So a rebuild that was interrupted goes on
where it stopped, and finds what a publisher stores meanwhile by the map of before. An article whose terms stay the same
is only marked; of the others the index row is written again, under the lock of the article, as in `rebuild`.
"""

import time
from collections.abc import Iterator

from sqlalchemy import Connection, and_, bindparam, func, select

from newswire import wire
from newswire.article import ArticleState
from newswire.search.mapped_articles import MappedArticles
from newswire.search.rebuild import BATCH, PASSES, Found, index_again, index_current, refresh_terms
from newswire.store.articles import HELD
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.store.tables import article, publisher, subject_map, vocabulary

SENDER = publisher.c.id == article.c.publisher_id
STATE = Statement(
    select(*HELD, publisher.c.slug).join_from(article, publisher, SENDER).where(article.c.number == bindparam("which"))
)
UNMAPPED = and_(SENDER, article.c.mapped != publisher.c.mapping)


def count_unmapped(database: Database) -> int:
    """The number of articles whose terms were made by another subject map."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(article.join(publisher, UNMAPPED))).scalar_one()


def last_mapping_change(connection: Connection) -> int | None:
    """When a subject map or the vocabulary was changed last, in milliseconds since 1970; None: never."""
    changes = (select(func.max(subject_map.c.created_at)), select(func.max(vocabulary.c.loaded_at)))
    return max((at for change in changes if (at := connection.scalar(change)) is not None), default=None)


def remap_articles(database: Database) -> Iterator[int]:
    """Maps every such article; yields the number so far after each transaction. Stop it at any time; it resumes."""
    done, numbers = 0, list[int]()
    try:
        for _ in range(PASSES):
            after = 0
            while numbers := _read_unmapped(database, after):
                began = time.monotonic()
                index_again(database, numbers, remap_article)
                took = time.monotonic() - began
                done += len(numbers)
                yield done
                # Articles that are only marked take little time, and so little time is given back.
                time.sleep(min(took, database.backend.pause_seconds))
                after = numbers[-1]
    finally:
        # The transactions since the last revision have left pages in the caches.
        if done or numbers:
            with database.begin() as connection:
                wire.bump_revision(connection)


def remap_article(connection: Connection, number: int, mapped: MappedArticles) -> Found:
    """Gives a locked article the terms of its publisher's map; returns as `index_current`."""
    [row] = STATE.all(connection, {"which": number})
    held = ArticleState(*row[: len(HELD)])
    if held.mapped == mapped.mapping_of(held.publisher_id):
        return Found()
    former = refresh_terms(connection, held, row.slug, mapped.subjects_of(held.publisher_id), None)
    mapped.note(held, former)
    return index_current(connection, number, mapped) if held.version in former else Found()


def _read_unmapped(database: Database, after: int) -> list[int]:
    with database.read() as connection:
        numbers = select(article.c.number).select_from(article.join(publisher, UNMAPPED))
        wanted = numbers.where(article.c.number > after).order_by(article.c.number).limit(BATCH)
        return list(connection.execute(wanted).scalars())
