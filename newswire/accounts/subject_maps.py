"""Subject maps: what a publisher sends, mapped by the operator to subjects of the vocabulary.

A map is never overwritten: like an entitlement, each edit is a new row with the sequence number from which it was in
force. It applies to articles received from then on; what is stored is mapped by `search.remapping`, which keeps what
each version could be seen through before. No stored article and no digest changes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from newswire import wire
from newswire.accounts.slugs import PartyError, read_party_id
from newswire.search.vocabulary import source_term
from newswire.store.tables import publisher, subject_map
from newswire.subjects import concept_code

MAPPED_KINDS = ("section", "keyword", "subject")
"""The kinds of terms that a map may start from."""
MOST_MAPPED = 2000


class MappedSubject(NamedTuple):
    """A row of a subject map: articles with this section, keyword or subject are on the subject `code` too."""

    kind: str
    value: str
    code: str

    @property
    def source(self) -> str:
        """What is mapped, as the operator writes it."""
        return f"{self.kind}={self.value}"


def read_subject_map(connection: Connection, slug: str) -> list[MappedSubject]:
    """The map of a publisher, in the order in which it was made; raises `PartyError`."""
    number = read_party_id(connection, publisher, slug)
    rows = select(subject_map.c.map).where(subject_map.c.publisher_id == number).order_by(subject_map.c.id.desc())
    return [MappedSubject(*row) for row in connection.scalar(rows.limit(1)) or ()]


def change_subject_map(
    connection: Connection, slug: str, added: Sequence[MappedSubject], removed: Sequence[tuple[str, str]], now: int
) -> list[MappedSubject]:
    """Removes all rows for these kinds and values from a publisher's map, and adds others; returns the new map.

    Names are compared as filters compare them, blind to case. Raises `PartyError`.
    """
    # The bump locks the head row: the number from which the map is in force is exact, and edits come one by one.
    wire.bump_revision(connection)
    before = read_subject_map(connection, slug)
    left = {(source_term(row.kind, row.value), row.code): row for row in before}
    for kind, value in removed:
        gone = [key for key in left if key[0] == source_term(kind, value)]
        if not gone:
            raise PartyError(f"{slug} does not map {kind}={value}; see `newswire publisher map {slug}`.")
        for key in gone:
            del left[key]
    for row in added:
        row = row._replace(code=concept_code(row.code) or row.code)
        left.setdefault((source_term(row.kind, row.value), row.code), row)
    if len(left) > MOST_MAPPED:
        raise PartyError(f"A publisher can map at most {MOST_MAPPED:,} names; this would be {len(left):,}.")
    if (after := list(left.values())) != before:
        number = read_party_id(connection, publisher, slug)
        connection.execute(
            insert(subject_map).values(
                publisher_id=number, since_seq=wire.read_head(connection).seq, map=after, created_at=now
            )
        )
        raised = update(publisher).where(publisher.c.id == number)
        connection.execute(raised.values(mapping=publisher.c.mapping + 1))
    return after
