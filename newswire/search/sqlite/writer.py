"""Writing the search index on SQLite: one FTS5 table whose row numbers are in order of publication.

A row number packs the time of publication and a slot among the articles of the same millisecond, which are in order
of first reception. A second table translates article numbers to row numbers. Texts arrive as words that the
tokenizer `ascii` leaves alone (letters, digits, marks and underscores), so FTS5's own analysis never decides anything.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from newswire.article import ArticleState, Status
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.backend import Document
from newswire.search.index_version import INDEX_VERSION
from newswire.search.languages import language_term
from newswire.store.statements import Statement

# Signed 64 bits hold 1.4 million slots for each millisecond of the years 1800 to 2200.
SLOTS = 1_400_000
MIDDLE = 946_684_800_000
COLUMNS = (*FIELDS, *(f"{field}_stems" for field in FIELDS), "terms")


class SqliteIndexWriter:
    """The statements that change one index: the FTS5 table `index`, with `places` (position, number) beside it."""

    def __init__(self, index: str = "search_index", places: str = "search_place") -> None:
        columns, values = ", ".join(COLUMNS), ", ".join(f":{name}" for name in COLUMNS)
        self.add_row = Statement(text(f"INSERT INTO {index} (rowid, {columns}) VALUES (:position, {values})"))
        self.copy_row = Statement(
            text(
                f"INSERT INTO {index} (rowid, {columns}) SELECT :target, {columns} FROM {index} WHERE rowid = :position"
            )
        )
        self.delete_row = Statement(text(f"DELETE FROM {index} WHERE rowid = :position"))
        self.find_place = Statement(text(f"SELECT position FROM {places} WHERE number = :number"))
        here = f"FROM {places} WHERE position BETWEEN :low AND :high"
        self.last_place = Statement(text(f"SELECT position, number {here} ORDER BY position DESC LIMIT 1"))
        self.later_places = Statement(text(f"SELECT position {here} AND number > :number ORDER BY position DESC"))
        self.add_place = Statement(
            text(
                f"INSERT INTO {places} (position, number, index_version) VALUES (:position, :number, '{INDEX_VERSION}')"
            )
        )
        self.set_version = Statement(
            text(
                f"UPDATE {places} SET index_version = '{INDEX_VERSION}'"
                f" WHERE position = :position AND index_version <> '{INDEX_VERSION}'"
            )
        )
        self.delete_place = Statement(text(f"DELETE FROM {places} WHERE position = :position"))
        self.move_place = Statement(text(f"UPDATE {places} SET position = :target WHERE position = :position"))

    def index_documents(self, connection: Connection, documents: Sequence[Document]) -> None:
        # One after the other: of the same millisecond, the next one may move the one before.
        for held, terms, analysed in documents:
            position = self.take_position(connection, held.number, held.published_at)
            self.add_row.execute(connection, {"position": position, **index_row(held, terms, analysed)})

    def remove_document(self, connection: Connection, number: int) -> None:
        """The article keeps its place: its next version has it too, and no other article has to move."""
        self.delete_row.execute(connection, {"position": self.read_position(connection, number)})

    def read_position(self, connection: Connection, number: int) -> int | None:
        """The row number of an article; None while it has none."""
        found = self.find_place.execute(connection, {"number": number}).fetchall()
        return found[0][0] if found else None

    def take_position(self, connection: Connection, number: int, published_at: int) -> int:
        """The row number that the article has, or a new one when it has none at this time of publication.

        Its place is of this process's version of the index from now on.
        """
        position = self.read_position(connection, number)
        low = first_position(published_at)
        if position is not None:
            if low <= position < low + SLOTS:
                self.set_version.execute(connection, {"position": position})
                return position
            self.delete_place.execute(connection, {"position": position})
        return self.insert_place(connection, number, published_at)

    def insert_place(self, connection: Connection, number: int, published_at: int) -> int:
        """A row number behind every article of this millisecond that was received earlier, before all later ones."""
        low = first_position(published_at)
        here = {"low": low, "high": low + SLOTS - 1, "number": number}
        last = self.last_place.execute(connection, here).fetchall()
        position = last[0][0] + 1 if last else low
        # An old article that moves to this time goes in between: the later ones make room, which is rare.
        if last and last[0][1] > number:
            for (later,) in self.later_places.execute(connection, here).fetchall():
                self.move_row(connection, later, later + 1)
                position = later
        self.add_place.execute(connection, {"position": position, "number": number})
        return position

    def move_row(self, connection: Connection, position: int, target: int) -> None:
        """Gives the row at `position` the free number `target`."""
        values = {"position": position, "target": target}
        for statement in (self.copy_row, self.delete_row, self.move_place):
            statement.execute(connection, values)


def first_position(published_at: int) -> int:
    """The lowest row number of a millisecond."""
    return (published_at - MIDDLE) * SLOTS


def index_row(held: ArticleState, terms: frozenset[str], analysed: Analysed) -> dict[str, str]:
    """The columns of a row of the index.

    Stems stand there without their language, which is a term: so a word is one list, not one for each language.
    What is not usable carries its status as a term; a list of all that is usable would be as long as the wire.
    """
    beside = {language_term(analysed.language)}
    if held.status is not Status.USABLE:
        beside.add(f"status_{held.status}")
    return {
        **{field: " ".join(analysed.forms[field]) for field in FIELDS},
        **{f"{field}_stems": " ".join(sorted(analysed.bare_stems(field, "_"))) for field in FIELDS},
        "terms": " ".join(sorted(terms | beside)),
    }
