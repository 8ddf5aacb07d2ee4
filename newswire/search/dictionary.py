"""Where the dictionary of synonyms is stored: one row, replaced as a whole, and cached by each process.

An edit raises the configuration revision, so that no page that was made with the dictionary before is served any more.
What a rule is and does is in `newswire.search.synonyms`.
"""

from sqlalchemy import Connection, delete, insert, select

from newswire import wire
from newswire.search.synonyms import NO_SYNONYMS, Rule, Synonyms, compile_rules, parse_rules
from newswire.store.statements import Statement
from newswire.store.tables import synonyms
from newswire.wire import Head, PerHead

RULES = Statement(select(synonyms.c.rules))


def read_rules(connection: Connection) -> list[Rule]:
    """The rules in force, in the order of the file."""
    row = RULES.execute(connection, {}).fetchone()
    return parse_rules(row[0]) if row else []


def replace_rules(connection: Connection, rules: list[Rule], now: int) -> None:
    """Puts these rules in the place of all there are; without rules there is no dictionary."""
    # First, because it locks the head: of two who load at once the second replaces what the first has inserted.
    wire.bump_revision(connection)
    connection.execute(delete(synonyms))
    if rules:
        connection.execute(insert(synonyms).values(id=1, rules="\n".join(map(str, rules)), loaded_at=now))


class SynonymCache:
    """The synonyms of the wire, read again when the configuration revision has changed."""

    def __init__(self) -> None:
        self._cached: PerHead[Synonyms] = PerHead(lambda head: (head.wire, head.revision))

    def read(self, connection: Connection, head: Head) -> Synonyms:
        """The synonyms at `head`, which `connection` sees."""
        cached = self._cached.get(head)
        if cached is None:
            row = RULES.execute(connection, {}).fetchone()
            cached = self._cached.put(head, compile_rules(row[0]) if row else NO_SYNONYMS)
        return cached
