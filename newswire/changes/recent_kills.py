"""What was killed lately among the articles of a query, for whoever was told of them; for documents that tell of it.

Who is told what is decided in `matching`, as for the wire itself.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from newswire.article import Killed, Status, uri
from newswire.changes.page import content_of
from newswire.changes.rules import Matcher, Reader
from newswire.document import parse_article
from newswire.store.articles import CURRENT, told_before
from newswire.store.tables import article, version

SHOWN = 50
LOOKED_AT = 200
MOST_LOOKED_INTO = 100
NEWEST = (
    select(article.c.number, article.c.id, article.c.updated_at, version.c.rendered)
    .join_from(article, version, CURRENT)
    .where(article.c.status == Status.CANCELED.value, article.c.seq.is_not(None))
    .order_by(article.c.updated_at.desc(), article.c.number.desc())
    .limit(LOOKED_AT)
)


def lately_killed(connection: Connection, reader: Reader) -> Sequence[Killed]:
    """The newest 50 kills of articles that were told to this reader by this query, newest first.

    They are looked for among the newest 200 kills that the wire told of, so that the work is bounded; the wire itself
    (`/v1/changes`) tells of every one.
    """
    matcher = Matcher(reader, lambda number, past: content_of(connection, number, past))
    rows = connection.execute(NEWEST).all()
    told = told_before(connection, [row.number for row in rows])
    found: list[Killed] = []
    for row in rows:
        if any(matcher.answers(row.number, past) for past in told[row.number]):
            found.append(Killed(uri(row.id), row.updated_at, parse_article(row.rendered, None)["change"]["note"]))
        if len(found) == SHOWN or matcher.looked >= MOST_LOOKED_INTO:
            break
    return found
