"""Search on PostgreSQL: one tsvector for each article, made of our own words only.

A tsvector holds at most 256 positions of a word and none beyond 16,383, so positions cannot
carry phrases of long articles. Here a phrase is found through hashes of adjacent pairs of
words, and one of three or more words is confirmed in `forms`, the words in order. The
weights A to D of a lexeme say in which field it stands: headline, summary, body, and
caption or byline; of the last two each has a lexeme of its own too.

Newest first, neither of the planner's plans is good for every word: a walk down the dates
never ends for a rare one, a bitmap sorts every match of a common one. So a probe asks the
index first whether there are few matches; only a query with many walks the dates.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise, starmap
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    cast,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR

from newswire.analysis import FIELDS, Analysed, query_stems
from newswire.expression import And, Expression, Not, Or, Phrase, Prefix, Term
from newswire.query import Filter, Place, Query
from newswire.store.rows import walked
from newswire.store.tables import article

search_document = Table(
    "search_document",
    MetaData(),
    Column("number", BigInteger, primary_key=True),
    Column("published_at", BigInteger, nullable=False),
    Column("words", TSVECTOR, nullable=False),
    Column("forms", ARRAY(Text), nullable=False),
)
FEW = 1000
ANYTHING, NOTHING = "'_image_yes' | '_image_no'", "'_nothing'"
# Positions carry no order here, only the weight of the field; five fields share four weights.
MARKS = dict(zip(FIELDS, ("1A", "2B", "3C", "4D", "5D"), strict=True))
SHARED = ("caption", "byline")


def put(connection: Connection, number: int, published_at: int, terms: frozenset[str], analysed: Analysed) -> None:
    connection.execute(
        insert(search_document),
        {
            "number": number,
            "published_at": published_at,
            "words": vector(terms, analysed),
            "forms": [f" {' '.join(analysed.forms[field])} " for field in FIELDS],
        },
    )


def remove(connection: Connection, number: int) -> None:
    connection.execute(search_document.delete().where(search_document.c.number == number))


def vector(terms: frozenset[str], analysed: Analysed) -> str:
    """The text form of the tsvector. Only forms begin without an underscore, so a prefix finds nothing else."""
    marks: dict[str, list[str]] = {}
    bare = {f"_{name}" for name in terms}
    for field in FIELDS:
        forms, stems = analysed.forms[field], (f"_{stem}" for stem in analysed.stems[field])
        for token in {*forms, *stems}:
            marks.setdefault(token, []).append(MARKS[field])
            if field in SHARED:
                bare.add(own_lexeme(field, token))
        bare.update(starmap(pair, pairwise(forms)))
    lexemes = [f"'{token}':{','.join(found)}" for token, found in marks.items()]
    return " ".join([*lexemes, *(f"'{token}'" for token in bare)])


def pair(first: str, second: str) -> str:
    """The lexeme of two words side by side: 72 bits of their SHA-256."""
    hashed = hashlib.sha256(f"{first} {second}".encode()).digest()[:9]
    return "_" + base64.b64encode(hashed, b"-_").decode("ascii")


def own_lexeme(field: str, token: str) -> str:
    return f"_{field}_{token}"


def articles(
    connection: Connection, columns: Select[Any], query: Query, wanted: Filter, languages: Sequence[str],
    start: Place | None, limit: int,
) -> Select[Any]:  # fmt: skip
    """See `search.articles`: a probe of the index, then either the few matches sorted or a walk down the times."""
    document = search_document.c
    wide = cast(literal(tsquery(query.expression, wanted, languages)), TSQUERY)
    conditions: list[ColumnElement[bool]] = [document.words.bool_op("@@")(wide)]
    if query.expression is not None and not complete(query.expression):
        conditions.append(confirmed(query.expression, languages))
    published = query.order == "published_at"
    # A row comparison uses an index only when both columns are of its table.
    place = (document.published_at, document.number) if published else (article.c.updated_at, article.c.number)
    bounds = query.times[:2] if published else query.times[2:]
    few = connection.scalars(select(document.number).where(*conditions).limit(FEW + 1)).all()
    columns = columns.join(search_document, document.number == article.c.number)
    if len(few) <= FEW:
        columns = columns.where(document.number == func.any(cast(list(few), ARRAY(BigInteger))))
    else:
        columns = columns.where(*conditions)
    return walked(columns, place, bounds, query.descending, start).limit(limit)


def tsquery(expression: Expression | None, wanted: Filter, languages: Sequence[str]) -> str:
    """A tsquery for the filters and `q`: exact, or wider where a phrase has still to be confirmed."""
    parts = [any_of(f"_{name}" for name in sorted(clause)) or NOTHING for clause in wanted.include]
    parts += [f"!'_{name}'" for name in sorted(wanted.exclude)]
    if expression is not None and (wide := widened(expression, languages)):
        parts.append(wide)
    return " & ".join(f"({part})" for part in parts) or ANYTHING


def widened(expression: Expression, languages: Sequence[str]) -> str | None:
    """A tsquery that misses no match; None: any article may match."""
    match expression:
        case And(operands):
            known = [wide for part in operands if (wide := widened(part, languages))]
            return " & ".join(f"({wide})" for wide in known) or None
        case Or(operands):
            found = [widened(part, languages) for part in operands]
            return None if None in found else " | ".join(f"({wide})" for wide in found)
        case Not(operand):
            return f"!({widened(operand, languages)})" if complete(operand) else None
        case Term(form, spelling, fields):
            return " | ".join(lexeme(token, fields) for token in (form, *stems(spelling, languages)))
        case Prefix(form, fields):
            return lexeme(form, fields, star="*")
        case Phrase((form,), _, fields):
            return lexeme(form, fields)
        case Phrase(forms, prefix, fields):
            whole = forms[:-1] if prefix else forms
            pairs = [f"'{pair(*both)}'" for both in pairwise(whole)] or [lexeme(whole[0], fields)]
            return " & ".join([*pairs, lexeme(forms[-1], fields, star="*")] if prefix else pairs)


def complete(expression: Expression) -> bool:
    """Whether the tsquery alone decides: phrases of more than two words, in one field, or with a prefix need a look."""
    match expression:
        case And(operands) | Or(operands):
            return all(complete(part) for part in operands)
        case Not(operand):
            return complete(operand)
        case Phrase(forms, prefix, fields):
            return len(forms) == 1 or (len(forms) == 2 and not prefix and fields is None)
    return True


def confirmed(expression: Expression, languages: Sequence[str]) -> ColumnElement[bool]:
    """The expression as a condition that is exact everywhere."""
    match expression:
        case And(operands):
            return and_(*(confirmed(part, languages) for part in operands))
        case Or(operands):
            return or_(*(confirmed(part, languages) for part in operands))
        case Not(operand):
            return not_(confirmed(operand, languages))
        case Phrase(forms, prefix, fields) if not complete(expression):
            text = f" {' '.join(forms)}" + ("" if prefix else " ")
            wanted = [number for number, field in enumerate(FIELDS, 1) if fields is None or field in fields]
            return or_(*(func.strpos(search_document.c.forms[number], text) > 0 for number in wanted))
    return search_document.c.words.bool_op("@@")(cast(literal(widened(expression, languages)), TSQUERY))


def stems(spelling: str, languages: Sequence[str]) -> list[str]:
    return [f"_{stem}" for stem in query_stems(spelling, languages)]


def lexeme(token: str, fields: frozenset[str] | None, star: str = "") -> str:
    """A token in some fields: by weight, and by its own lexeme where two fields share a weight."""
    if fields is None or fields >= set(FIELDS):
        return f"'{token}'" + (f":{star}" if star else "")
    weights = "".join(MARKS[field][1] for field in FIELDS if field in fields and field not in SHARED)
    own = [own_lexeme(field, token) for field in SHARED if field in fields]
    found = [f"'{name}'" + (f":{star}" if star else "") for name in own]
    return "(" + " | ".join([*found, f"'{token}':{star}{weights}"] if weights else found) + ")"


def any_of(tokens: Iterable[str]) -> str:
    return " | ".join(f"'{token}'" for token in tokens)
