"""Recent kills of articles that matched a query and were visible to the reader; for Atom tombstones (RFC 6721).

The delivery rules are those of the log itself (`rules`); all kills, in order, are in the log only.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from newswire.article import Killed, Status, article_uri
from newswire.changes.content import read_content
from newswire.changes.page import KILLS_AT_ONCE
from newswire.changes.rules import Matcher, Reader
from newswire.document import decode_article
from newswire.store.articles import CURRENT, Past, told_before
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


def recent_kills(connection: Connection, reader: Reader) -> Sequence[Killed]:
    """The newest 50 kills of articles that this query had delivered to this reader, newest first.

    Only the newest 200 kills in the log are examined, so that the work is bounded; `/v1/changes` delivers every one.
    """
    matcher = Matcher(reader, lambda number, past: read_content(connection, number, past))
    rows = connection.execute(NEWEST).all()
    pasts: Mapping[int, Sequence[Past]] = {}
    found: list[Killed] = []
    for index, row in enumerate(rows):
        if row.number not in pasts:
            pasts = told_before(connection, [each.number for each in rows[index : index + KILLS_AT_ONCE]])
        if any(matcher.answers(row.number, past) for past in pasts[row.number]):
            found.append(
                Killed(article_uri(row.id), row.updated_at, decode_article(row.rendered, None)["change"]["note"])
            )
        if len(found) == SHOWN or matcher.looked >= MOST_LOOKED_INTO:
            break
    return found
