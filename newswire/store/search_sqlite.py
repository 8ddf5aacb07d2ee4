"""Search on SQLite: one FTS5 table whose row numbers are in order of publication.

FTS5 reads its matches in row-number order, so the newest matches of any query cost the
page and not the number of matches. A row number packs the time of publication and a
slot among the articles of the same millisecond, in order of first reception; the table
`search_place` translates. Texts arrive as words that the tokenizer `ascii` leaves alone
(letters, digits, marks and underscores), so FTS5's own analysis never decides anything.
"""

from collections.abc import Iterable, Sequence
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
    column,
    select,
    table,
    text,
)

from newswire.analysis import FIELDS, Analysed, stem_of
from newswire.article import Held, Status
from newswire.expression import And, Expression, Not, Or, Phrase, Prefix, Term
from newswire.query import Filter, Place, Query
from newswire.store.prepared import Prepared
from newswire.store.rows import current, walked
from newswire.store.stems import Stem, language_term, stems_by_language
from newswire.store.tables import article
from newswire.store.texts import Document

# Signed 64 bits hold 1.4 million slots for each millisecond of the years 1800 to 2200.
SLOTS = 1_400_000
FEW = 1000
MIDDLE = 946_684_800_000

search_place = Table(
    "search_place",
    MetaData(),
    Column("position", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
)
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
TAKE_PLACE = Prepared(text("INSERT INTO search_place (position, number) VALUES (:position, :number)"))
LEAVE_PLACE = Prepared(text("DELETE FROM search_place WHERE position = :position"))
MOVE_PLACE = Prepared(text("UPDATE search_place SET position = :target WHERE position = :position"))
ANYTHING, NOTHING = '"image_yes" OR "image_no"', '"nothing_"'
HIDDEN = tuple(f"status_{status}" for status in Status if status is not Status.USABLE)


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
        **{
            f"{field}_stems": " ".join(sorted(f"_{stem_of(token)}" for token in analysed.stems[field]))
            for field in FIELDS
        },
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
    """The row number that the article has, or a new one when it has none at this time of publication."""
    held = place(connection, number)
    low = first_position(published_at)
    if held is not None:
        if low <= held < low + SLOTS:
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
) -> Select[Any]:  # fmt: skip
    """See `search.articles`: one MATCH and a range of row numbers."""
    usable = query.status == Status.USABLE
    wanted &= Filter(exclude=frozenset(HIDDEN)) if usable else Filter((frozenset({f"status_{query.status}"}),))
    wide = search_index.c.search_index.bool_op("MATCH")(match(query.expression, wanted, languages))
    columns = current(columns, query, unexpired_at)
    columns = columns.join(search_place, search_place.c.number == article.c.number)
    if query.order != "published_at":
        return by_update(connection, columns, wide, query, start).limit(limit)
    rowid = search_index.c.rowid
    columns = columns.join(search_index, rowid == search_place.c.position).where(wide)
    if query.times.published_from is not None:
        columns = columns.where(rowid >= first_position(query.times.published_from))
    if query.times.published_to is not None:
        columns = columns.where(rowid < first_position(query.times.published_to))
    if start is not None:
        columns = columns.where(beyond(connection, rowid, start, query.descending))
    return columns.order_by(rowid.desc() if query.descending else rowid).limit(limit)


def by_update(
    connection: Connection, columns: Select[Any], wide: Any, query: Query, start: Place | None
) -> Select[Any]:
    """In order of the newest version: the index is in another order, so few matches are sorted, many are met."""
    rowid = search_index.c.rowid
    few = connection.scalars(select(rowid).where(wide).limit(FEW + 1)).all()
    if len(few) <= FEW:
        columns = columns.where(search_place.c.position.in_(few))
    else:
        here = select(1).select_from(search_index).where(wide, rowid == search_place.c.position)
        columns = columns.where(here.exists())
    return walked(columns, (article.c.updated_at, article.c.number), query.times[2:], query.descending, start)


def beyond(connection: Connection, rowid: Any, start: Place, descending: bool) -> Any:
    """The rows behind `start`, which need not exist any more."""
    low = first_position(start.at)
    here = select(search_place.c.position).where(search_place.c.position.between(low, low + SLOTS - 1))
    if descending:
        found = here.where(search_place.c.number >= start.number).order_by(search_place.c.position).limit(1)
        position = connection.scalar(found)
        return rowid < (low + SLOTS if position is None else position)
    found = here.where(search_place.c.number <= start.number).order_by(search_place.c.position.desc()).limit(1)
    position = connection.scalar(found)
    return rowid > (low - 1 if position is None else position)


def match(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """The MATCH expression of a whole query."""
    parts = [any_of(sorted(clause)) if clause else NOTHING for clause in wanted.include]
    if expression is not None:
        parts.append(matched(expression, languages))
    positive = " AND ".join(f"({part})" for part in parts) or ANYTHING
    return f"({positive}) NOT ({any_of(sorted(wanted.exclude))})" if wanted.exclude else positive


def matched(expression: Expression, languages: Sequence[str]) -> str:
    """The MATCH expression of `q`. Words are bare of FTS5's syntax: they hold letters, marks and digits only."""
    match expression:
        case And(operands):
            wanted = " AND ".join(f"({matched(part, languages)})" for part in operands if not isinstance(part, Not))
            excluded = [matched(part.operand, languages) for part in operands if isinstance(part, Not)]
            return f"({wanted}) NOT ({' OR '.join(f'({part})' for part in excluded)})" if excluded else wanted
        case Or(operands):
            return " OR ".join(f"({matched(part, languages)})" for part in operands)
        case Term(form, spelling, fields):
            stems = stems_by_language(spelling, languages)
            return " OR ".join(stemmed(each, fields) for each in stems) or f'{within(fields)} "{form}"'
        case Prefix(form, fields):
            return f'{within(fields)} "{form}" *'
        case Phrase(forms, prefix, fields):
            return f'{within(fields)} "{" ".join(forms)}"' + (" *" if prefix else "")
    raise AssertionError("a Not stands only inside an And")


def stemmed(stem: Stem, fields: frozenset[str] | None) -> str:
    """A word by one of its stems, without the articles in whose language that is another word's."""
    # No other column holds stems, and to look at columns takes time.
    found = f'"_{stem.stem}"' if fields is None else f'{within(fields, "_stems")} "_{stem.stem}"'
    if not stem.foreign:
        return found
    return f"({found} NOT ({any_of(map(language_term, stem.foreign))}))"


def within(fields: frozenset[str] | None, suffix: str = "") -> str:
    """FTS5's restriction to columns."""
    return "{" + " ".join(f"{field}{suffix}" for field in FIELDS if fields is None or field in fields) + "} :"


def any_of(tokens: Iterable[str]) -> str:
    return " OR ".join(f'"{token}"' for token in tokens)


TEXTS = text(
    "SELECT number, ' ' || headline || ' ', ' ' || summary || ' ', ' ' || substr(body || ' ', 1, :most),"
    " ' ' || caption || ' ', ' ' || byline || ' ' FROM search_place JOIN search_index ON search_index.rowid = position"
    " WHERE number IN (SELECT value FROM json_each(:numbers))"
)


def texts(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]:
    rows = connection.execute(TEXTS, {"numbers": orjson.dumps(numbers).decode(), "most": most})
    return {row[0]: row[1:] for row in rows}
