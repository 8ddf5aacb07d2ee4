"""The search index of a wire built anew, for migrations that change what stands in it."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, select

from newswire.article import Held, Status
from newswire.document import parse_article
from newswire.search import index
from newswire.search.analysis import analyse_article, analyse_texts
from newswire.search.backend import Document
from newswire.search.languages import register_language
from newswire.store.articles import HELD, AnyRow
from newswire.store.tables import article, publisher, version
from newswire.visibility import terms_of

BATCH = 500


def rebuild(connection: Connection) -> None:
    """Indexes the current version of every article; the index must be empty."""
    languages: set[str] = set()
    for row in current_versions(connection):
        held = Held(*row[: len(HELD)])._replace(status=Status(row.status))
        content = parse_article(row.rendered, row.body)
        terms = terms_of(row.slug, content)
        analysed = analyse_texts({}, None) if held.status is Status.CANCELED else analyse_article(content, terms)
        index.index_documents(connection, [Document(held, terms, analysed)])
        languages.update(analysed.spoken)
    for language in sorted(languages):
        register_language(connection, language)


def current_versions(connection: Connection) -> Iterator[AnyRow]:
    """Every article in order of reception, in batches, so that memory does not grow with the wire."""
    query = (
        select(*HELD, publisher.c.slug, version.c.rendered, version.c.body)
        .join_from(article, publisher, publisher.c.id == article.c.publisher_id)
        .join(version, and_(version.c.number == article.c.number, version.c.version == article.c.version))
        .order_by(article.c.number)
        .limit(BATCH)
    )
    last = 0
    while rows := connection.execute(query.where(article.c.number > last)).all():
        yield from rows
        last = rows[-1].number
