"""The subject maps as one transaction of a rebuild applies them, and its record of the terms that they have changed.

A kill must reach whoever could see an article through terms that a map has taken from it since. So the former terms of
each version on the log are kept, with the newest entitlement of that time: who was entitled to them later never saw the
article (`Visibility.could_see_at`).
"""

import time
from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, func, insert, select, update

from newswire import wire
from newswire.article import ArticleState
from newswire.search.vocabulary import select_publishers, subject_map_of
from newswire.store.statements import Statement
from newswire.store.tables import article, entitlement, entry, former_terms, publisher
from newswire.subjects import SubjectMap

SET_MAPPED = Statement(
    update(article).where(article.c.number == bindparam("which")).values(mapped=bindparam("mapping"))
)

BUMP_SECONDS = 1.0
"""Revisions of a rebuild are so far apart: each has the access of every open stream resolved again."""
_bumped_at = -BUMP_SECONDS


class MappedArticles:
    """Articles that are locked by this transaction, whose terms it computes by the subject maps of their publishers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._maps: dict[int, tuple[int, SubjectMap]] = {}
        self._mapped: dict[int, int] = {}
        self._former: dict[tuple[int, int], str] = {}

    def mapping_of(self, publisher_id: int) -> int:
        """The number of the publisher's map."""
        return self._read_map(publisher_id)[0]

    def subjects_of(self, publisher_id: int) -> SubjectMap:
        return self._read_map(publisher_id)[1]

    def note(self, held: ArticleState, former: Mapping[int, str]) -> None:
        """Notes an article whose terms are now those of its publisher's map; `former` are the replaced ones by version.

        Terms that another release of the analysis has changed, under the same map, mean the same: nothing is kept.
        """
        mapping = self.mapping_of(held.publisher_id)
        if held.mapped != mapping:
            self._mapped[held.number] = mapping
            self._former |= {(held.number, version): terms for version, terms in former.items()}

    def record(self) -> None:
        """Writes what was noted, as the last work of the transaction: it locks the head if terms have changed."""
        for number, mapping in self._mapped.items():
            SET_MAPPED.execute(self.connection, {"which": number, "mapping": mapping})
        if not self._former:
            return
        self._lock_head()
        newest = self.connection.scalar(select(func.max(entitlement.c.id))) or 0
        numbers = {number for number, _ in self._former}
        told = select(entry.c.number, entry.c.version).where(entry.c.number.in_(numbers)).distinct()
        rows = [
            {"number": number, "version": version, "until_entitlement": newest, "terms": self._former[number, version]}
            for number, version in self.connection.execute(told)
            if (number, version) in self._former
        ]
        if rows:
            self.connection.execute(insert(former_terms), rows)

    def _lock_head(self) -> None:
        """Locks the head row, as each edit of an entitlement does: that is either before `newest` or after this.

        Lists change without an entry of the log, so cached pages must go: by a new revision, now and then. Whoever is
        entitled meanwhile gets no page of before, because that edit is a revision as well.
        """
        global _bumped_at
        if time.monotonic() - _bumped_at < BUMP_SECONDS:
            wire.lock_head(self.connection)
        else:
            wire.bump_revision(self.connection)
            _bumped_at = time.monotonic()

    def _read_map(self, publisher_id: int) -> tuple[int, SubjectMap]:
        if publisher_id not in self._maps:
            row = self.connection.execute(select_publishers().where(publisher.c.id == publisher_id)).one()
            self._maps[publisher_id] = row.mapping, subject_map_of(self.connection, row.map, row.digest)
        return self._maps[publisher_id]
