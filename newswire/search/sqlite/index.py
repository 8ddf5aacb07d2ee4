"""Search on SQLite: one FTS5 table whose row numbers are in order of publication.

FTS5 reads its matches in row-number order, so the newest matches of any query cost the
page and not the number of matches. A row number packs the time of publication and a
slot among the articles of the same millisecond, in order of first reception; the table
`search_place` translates. Texts arrive as words that the tokenizer `ascii` leaves alone
(letters, digits, marks and underscores), so FTS5's own analysis never decides anything.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    column,
    insert,
    select,
    table,
    text,
    update,
)

from newswire.article import Held, Status
from newswire.search.analysis import FIELDS, Analysed
from newswire.search.index_version import INDEX_VERSION
from newswire.search.keyset import MOST, current, parameters, values_of, walked, within
from newswire.search.query import Place, Query
from newswire.search.sqlite.match import HIDDEN, match
from newswire.search.stems import language_term
from newswire.search.texts import Document
from newswire.store.statements import Prepared
from newswire.store.tables import article
from newswire.visibility import Filter

# Signed 64 bits hold 1.4 million slots for each millisecond of the years 1800 to 2200.
SLOTS = 1_400_000
FEW = 1000
MIDDLE = 946_684_800_000

search_place = Table(
    "search_place",
    MetaData(),
    Column("position", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("index_version", Text, nullable=False, index=True),
)
ROWS = search_place
"""The table that holds one row for each article, with the version of the index that it was written for."""
search_index = table("search_index", column("rowid"), column("search_index"))
COLUMNS = (*FIELDS, *(f"{field}_stems" for field in FIELDS), "terms")

PUT = Prepared(
    text(
        f"INSERT INTO search_index (rowid, {', '.join(COLUMNS)})"
        f" VALUES (:position, {', '.join(':' + name for name in COLUMNS)})"
    )
)
COPY = Prepared(
    text(
        f"INSERT INTO search_index (rowid, {', '.join(COLUMNS)})"
        f" SELECT :target, {', '.join(COLUMNS)} FROM search_index WHERE rowid = :position"
    )
)
DELETE = Prepared(text("DELETE FROM search_index WHERE rowid = :position"))
PLACE = Prepared(text("SELECT position FROM search_place WHERE number = :number"))
LAST_PLACE = Prepared(
    text(
        "SELECT position, number FROM search_place WHERE position BETWEEN :low AND :high ORDER BY position DESC LIMIT 1"
    )
)
LATER_PLACES = Prepared(
    text(
        "SELECT position FROM search_place"
        " WHERE position BETWEEN :low AND :high AND number > :number ORDER BY position DESC"
    )
)
TAKE_PLACE = Prepared(
    insert(search_place).values(position=bindparam("position"), number=bindparam("number"), index_version=INDEX_VERSION)
)
SET_VERSION = Prepared(
    update(search_place)
    .where(search_place.c.position == bindparam("place"), search_place.c.index_version != INDEX_VERSION)
    .values(index_version=INDEX_VERSION)
)
LEAVE_PLACE = Prepared(text("DELETE FROM search_place WHERE position = :position"))
MOVE_PLACE = Prepared(text("UPDATE search_place SET position = :target WHERE position = :position"))


def first_position(published_at: int) -> int:
    """The lowest row number of a millisecond."""
    return (published_at - MIDDLE) * SLOTS


def put(connection: Connection, documents: Sequence[Document]) -> None:
    # One after the other: of the same millisecond, the next one may move the one before.
    for held, terms, analysed in documents:
        position = place_of(connection, held.number, held.published_at)
        PUT.execute(connection, {"position": position, **document(held, terms, analysed)})


def document(held: Held, terms: frozenset[str], analysed: Analysed) -> dict[str, str]:
    """The columns of a row of `search_index`.

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


def remove(connection: Connection, number: int) -> None:
    """The article keeps its place: its next version stands there too, and nobody has to move."""
    DELETE.execute(connection, {"position": place(connection, number)})


def place(connection: Connection, number: int) -> int | None:
    """The row number of an article."""
    found = PLACE.execute(connection, {"number": number}).fetchall()
    return found[0][0] if found else None


def place_of(connection: Connection, number: int, published_at: int) -> int:
    """The row number that the article has, or a new one when it has none at this time of publication.

    Its row is of this process's version of the index from now on.
    """
    held = place(connection, number)
    low = first_position(published_at)
    if held is not None:
        if low <= held < low + SLOTS:
            SET_VERSION.execute(connection, {"place": held})
            return held
        LEAVE_PLACE.execute(connection, {"position": held})
    return take_place(connection, number, published_at)


def take_place(connection: Connection, number: int, published_at: int) -> int:
    """A row number behind every article of this millisecond that was received earlier, before all later ones."""
    low = first_position(published_at)
    here = {"low": low, "high": low + SLOTS - 1, "number": number}
    last = LAST_PLACE.execute(connection, here).fetchall()
    position = last[0][0] + 1 if last else low
    # An old article that moves to this time goes in between: the later ones make room, which is rare.
    if last and last[0][1] > number:
        for (later,) in LATER_PLACES.execute(connection, here).fetchall():
            move(connection, later, later + 1)
            position = later
    TAKE_PLACE.execute(connection, {"position": position, "number": number})
    return position


def move(connection: Connection, position: int, target: int) -> None:
    """Gives the row at `position` the free number `target`."""
    values = {"position": position, "target": target}
    for statement in (COPY, DELETE, MOVE_PLACE):
        statement.execute(connection, values)


def articles(
    connection: Connection, columns: Select[Any], query: Query, wanted: Filter, languages: Sequence[str],
    start: Place | None, limit: int, unexpired_at: int | None,
) -> tuple[Prepared, Mapping[str, Any]]:  # fmt: skip
    """See `search.articles`: one MATCH and a range of row numbers."""
    usable = query.status == Status.USABLE
    wanted &= Filter(exclude=frozenset(HIDDEN)) if usable else Filter((frozenset({f"status_{query.status}"}),))
    values = {**values_of(query, start, limit, unexpired_at), "match": match(query.expression, wanted, languages)}
    if query.order != "published_at":
        few = FEWEST.execute(connection, {"match": values["match"], "most": FEW + 1}).fetchall()
        if len(few) <= FEW:
            values["few"] = orjson.dumps([position for (position,) in few]).decode()
        return by_update(columns, query.descending, frozenset(values)), values
    for name in ("published_from", "published_to"):
        if name in values:
            values[name] = first_position(values[name])
    if start is not None:
        values["beyond"] = beyond(connection, start, query.descending)
    return by_publication(columns, query.descending, frozenset(values)), values


@lru_cache(MOST)
def by_publication(columns: Select[Any], descending: bool, names: frozenset[str]) -> Prepared:
    """In the order of the index; times of publication and `beyond` are row numbers."""
    times, _, unexpired_at = parameters(names)
    rowid = search_index.c.rowid
    columns = current(columns, Query(times=times), unexpired_at)
    columns = columns.join(search_place, search_place.c.number == article.c.number)
    columns = within(columns.join(search_index, rowid == search_place.c.position).where(WIDE), rowid, times[:2])
    if "beyond" in names:
        columns = columns.where(rowid < bindparam("beyond") if descending else rowid > bindparam("beyond"))
    return Prepared(columns.order_by(rowid.desc() if descending else rowid).limit(bindparam("limit")))


@lru_cache(MOST)
def by_update(columns: Select[Any], descending: bool, names: frozenset[str]) -> Prepared:
    """In order of the newest version: the index is in another order, so few matches are sorted, many are met."""
    times, start, unexpired_at = parameters(names)
    rowid = search_index.c.rowid
    columns = current(columns, Query(order="updated_at", times=times), unexpired_at)
    columns = columns.join(search_place, search_place.c.number == article.c.number)
    if "few" in names:
        columns = columns.where(search_place.c.position.in_(text("SELECT value FROM json_each(:few)")))
    else:
        columns = columns.where(select(1).where(WIDE, rowid == search_place.c.position).exists())
    columns = walked(columns, (article.c.updated_at, article.c.number), times[2:], descending, start)
    return Prepared(columns.limit(bindparam("limit")))


def beyond(connection: Connection, start: Place, descending: bool) -> int:
    """The row number behind which a list goes on; what stood at `start` need not exist any more."""
    low = first_position(start.at)
    asked = {"low": low, "high": low + SLOTS - 1, "number": start.number}
    found = (NEXT_BELOW if descending else NEXT_ABOVE).execute(connection, asked).fetchone()
    return int(found[0]) if found else low + SLOTS if descending else low - 1


def neighbour(descending: bool) -> Prepared:
    """The place among those of one millisecond that is `number`'s own, or the next one on the side that was shown."""
    position, number = search_place.c.position, search_place.c.number
    shown = number >= bindparam("number") if descending else number <= bindparam("number")
    here = select(position).where(position.between(bindparam("low"), bindparam("high")), shown)
    return Prepared(here.order_by(position if descending else position.desc()).limit(1))


NEXT_BELOW, NEXT_ABOVE = neighbour(True), neighbour(False)
WIDE = search_index.c.search_index.bool_op("MATCH")(bindparam("match", type_=Text))
FEWEST = Prepared(select(search_index.c.rowid).where(WIDE).limit(bindparam("most")))


TEXTS = text(
    "SELECT number, ' ' || headline || ' ', ' ' || summary || ' ', ' ' || substr(body || ' ', 1, :most),"
    " ' ' || caption || ' ', ' ' || byline || ' ' FROM search_place JOIN search_index ON search_index.rowid = position"
    " WHERE number IN (SELECT value FROM json_each(:numbers))"
)


def texts(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
    rows = connection.execute(TEXTS, {"numbers": orjson.dumps(numbers).decode(), "most": most})
    return {row[0]: row[1:] for row in rows}
