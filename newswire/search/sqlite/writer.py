"""Writer of the search index on SQLite: one FTS5 table whose rowids are in the order of publication.

A rowid packs the time of publication and a slot among the articles of the same millisecond, which are in order of first
reception. The table `search_place` maps article numbers to rowids (`position`). The texts are tokens of our own
analysis, which FTS5's tokenizer `ascii` only splits at blanks. Queries are not here (`index`, `match`).
"""

from sqlalchemy import Connection, text

from newswire.article import ArticleState, Status
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.index_version import INDEX_VERSION
from newswire.search.languages import language_term
from newswire.search.name_fields import name_terms
from newswire.store.statements import Statement

# Signed 64 bits hold 1.4 million slots for each millisecond of the years 1800 to 2200. The packed times count from the
# start of 2000 (MIDDLE), so that both signs are used.
SLOTS = 1_400_000
MIDDLE = 946_684_800_000
COLUMNS = (*FIELDS, *(f"{field}_stems" for field in FIELDS), "terms")
COLUMN_LIST = ", ".join(COLUMNS)
VALUE_LIST = ", ".join(f":{name}" for name in COLUMNS)

ADD_ROW = Statement(text(f"INSERT INTO search_index (rowid, {COLUMN_LIST}) VALUES (:position, {VALUE_LIST})"))
COPY_ROW = Statement(
    text(
        f"INSERT INTO search_index (rowid, {COLUMN_LIST})"
        f" SELECT :target, {COLUMN_LIST} FROM search_index WHERE rowid = :position"
    )
)
DELETE_ROW = Statement(text("DELETE FROM search_index WHERE rowid = :position"))
DELETE_DOCUMENT = Statement(
    text("DELETE FROM search_index WHERE rowid = (SELECT position FROM search_place WHERE number = :number)")
)
"""Deletes the row of an article but keeps its rowid for the next version, so that no other row has to move."""
OPEN_DOCUMENT = Statement(
    text(
        "UPDATE search_index SET terms = trim(replace(' ' || terms || ' ', ' status_withheld ', ' '))"
        " WHERE rowid = (SELECT position FROM search_place WHERE number = :number)"
    )
)
"""Removes the status from the terms of an article: usable ones have none (`index_row`)."""
FIND_PLACE = Statement(text("SELECT position FROM search_place WHERE number = :number"))
SAME_TIME = "FROM search_place WHERE position BETWEEN :low AND :high"
LAST_PLACE = Statement(text(f"SELECT position, number {SAME_TIME} ORDER BY position DESC LIMIT 1"))
LATER_PLACES = Statement(text(f"SELECT position {SAME_TIME} AND number > :number ORDER BY position DESC"))
ADD_PLACE = Statement(
    text(f"INSERT INTO search_place (position, number, index_version) VALUES (:position, :number, '{INDEX_VERSION}')")
)
SET_VERSION = Statement(
    text(
        f"UPDATE search_place SET index_version = '{INDEX_VERSION}'"
        f" WHERE position = :position AND index_version <> '{INDEX_VERSION}'"
    )
)
DELETE_PLACE = Statement(text("DELETE FROM search_place WHERE position = :position"))
MOVE_PLACE = Statement(text("UPDATE search_place SET position = :target WHERE position = :position"))


def keep_place(connection: Connection, number: int, published_at: int) -> int | None:
    """The rowid that an article has, if it belongs to this time of publication; else its place is deleted: None.

    A place that is kept is marked with the index version of this process.
    """
    found = FIND_PLACE.execute(connection, {"number": number}).fetchone()
    if found is None:
        return None
    position: int = found[0]
    low = first_position(published_at)
    if low <= position < low + SLOTS:
        SET_VERSION.execute(connection, {"position": position})
        return position
    DELETE_PLACE.execute(connection, {"position": position})
    return None


def insert_place(connection: Connection, number: int, published_at: int) -> int:
    """Inserts an article among those of its millisecond in the order of first reception; returns its rowid."""
    low = first_position(published_at)
    here = {"low": low, "high": low + SLOTS - 1, "number": number}
    last = LAST_PLACE.execute(connection, here).fetchall()
    position = last[0][0] + 1 if last else low
    # An older article that is moved to this time goes in between, and the later ones are renumbered. This is rare.
    # They move from the last to the first, so that no rowid is ever taken twice.
    if last and last[0][1] > number:
        for (later,) in LATER_PLACES.execute(connection, here).fetchall():
            move_row(connection, later, later + 1)
            position = later
    ADD_PLACE.execute(connection, {"position": position, "number": number})
    return position


def move_row(connection: Connection, position: int, target: int) -> None:
    """Moves the row at `position` to the free rowid `target`."""
    values = {"position": position, "target": target}
    for statement in (COPY_ROW, DELETE_ROW, MOVE_PLACE):
        statement.execute(connection, values)


def first_position(published_at: int) -> int:
    """The lowest rowid of a millisecond (since 1970)."""
    return (published_at - MIDDLE) * SLOTS


def index_row(held: ArticleState, terms: frozenset[str], analysed: Analysed) -> dict[str, str]:
    """The columns of a row of the index.

    Stems are stored without their language, which is a term instead, so that a word has one posting list and not one
    for each language. Only articles that are not usable carry their status as a term, because the posting list of all
    usable ones would be as long as the wire, and every search would read it.
    """
    more_terms = {language_term(analysed.language), *name_terms(analysed)}
    if held.status is not Status.USABLE:
        more_terms.add(f"status_{held.status}")
    return {
        **{field: " ".join(analysed.forms[field]) for field in FIELDS},
        **{f"{field}_stems": " ".join(sorted(analysed.bare_stems(field, "_"))) for field in FIELDS},
        "terms": " ".join(sorted(terms | more_terms)),
    }
