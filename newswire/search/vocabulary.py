"""The vocabulary: the stored concepts of IPTC Media Topics, and what they and the publishers' maps add to an index row.

An article is indexed under every concept that is broader than one of its own, so that a search for a concept is one
look-up. Asked for as alternatives, the 355 concepts of sport take 24 to 64 times as long (decision 0041). Reading the
file that the IPTC publishes is in `formats.vocabulary`, the change of a publisher's map in `accounts.subject_maps`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import orjson
from sqlalchemy import Connection, Select, delete, insert, select, update

from newswire import wire
from newswire.store.tables import broader_concept, concept, publisher, subject_map, vocabulary
from newswire.subjects import Implied, SubjectMap, concept_code
from newswire.visibility import term_of

MapRow: TypeAlias = Sequence[str]
"""A row of a subject map: kind (section, keyword or subject), value, and the code of the subject."""


class Concept(NamedTuple):
    """A concept by its QCode, with its names by language tag, and the codes of the next broader concepts."""

    code: str
    names: Mapping[str, str]
    broader: frozenset[str]
    is_retired: bool

    @property
    def name(self) -> str:
        """Its name in British English, in which the IPTC writes first, else in the first language there is."""
        return self.names.get("en-GB") or next(iter(self.names.values()), self.code)


class BroaderTerms(NamedTuple):
    """For the term of each concept the terms of all broader ones; `digest` identifies the relations."""

    digest: str
    terms: Implied


_cached = BroaderTerms("", {})
"""The relations that this process read last. By their digest they are known to be those of a database."""


def select_publishers() -> Select[Any]:
    """The columns of a `Publisher`, but for its subjects; then its subject map, and the digest of the vocabulary."""
    newest = (
        select(subject_map.c.map)
        .where(subject_map.c.publisher_id == publisher.c.id)
        .order_by(subject_map.c.id.desc())
        .limit(1)
        .correlate(publisher)
    )
    return select(
        publisher.c.id, publisher.c.slug, publisher.c.name, publisher.c.url, publisher.c.language, publisher.c.mapping,
        newest.scalar_subquery().label("map"), select(vocabulary.c.digest).scalar_subquery().label("digest"),
    )  # fmt: skip


def subject_map_of(connection: Connection, rows: Iterable[MapRow] | None, digest: str | None) -> SubjectMap:
    """The subject map of a publisher, from the last two columns of `select_publishers`."""
    own: dict[str, frozenset[str]] = {}
    for kind, value, code in rows or ():
        source = source_term(kind, value)
        own[source] = own.get(source, frozenset()) | {term_of("subject", code)}
    return SubjectMap(own, read_broader_terms(connection, digest) if digest else {})


def source_term(kind: str, value: str) -> str:
    """The term from which a row of a map starts."""
    return term_of(kind, concept_code(value) or value if kind == "subject" else value)


def read_broader_terms(connection: Connection, digest: str) -> Implied:
    """For the term of each concept the terms of all broader ones, cached in the process."""
    global _cached
    cached = _cached
    if cached.digest != digest:
        relations = {(row.code, row.broader) for row in connection.execute(select(broader_concept))}
        # By the digest of what was read: another process may have loaded a vocabulary since `digest` was read.
        _cached = cached = BroaderTerms(digest_relations(relations), close_relations(relations))
    return cached.terms


def close_relations(relations: Iterable[tuple[str, str]]) -> Implied:
    """For the term of each concept the terms of all broader ones, at any distance."""
    above: dict[str, set[str]] = {}
    for code, broader in relations:
        above.setdefault(code, set()).add(broader)
    found: dict[str, frozenset[str]] = {}
    for code in above:
        reached, open_codes = set[str](), [code]
        while open_codes:
            new = above.get(open_codes.pop(), set()) - reached
            reached |= new
            open_codes += new
        found[term_of("subject", code)] = frozenset(term_of("subject", each) for each in reached)
    return found


def digest_relations(relations: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(orjson.dumps(sorted(relations))).hexdigest()


def replace_vocabulary(connection: Connection, concepts: Sequence[Concept], released: str | None, now: int) -> bool:
    """Replaces the vocabulary by these concepts; returns whether any relation has changed.

    Then the articles of every publisher must be mapped again (`search.remapping`).
    """
    # The bump locks the head row, so of two loads the second waits.
    wire.bump_revision(connection)
    relations = {(item.code, broader) for item in concepts for broader in item.broader}
    digest = digest_relations(relations)
    before = connection.scalar(select(vocabulary.c.digest))
    for table in (broader_concept, concept, vocabulary):
        connection.execute(delete(table))
    rows = [{"code": item.code, "names": dict(item.names), "retired": item.is_retired} for item in concepts]
    connection.execute(insert(concept), rows)
    if relations:
        connection.execute(insert(broader_concept), [{"code": code, "broader": above} for code, above in relations])
    connection.execute(insert(vocabulary).values(id=1, digest=digest, released=released, loaded_at=now))
    if digest != before:
        connection.execute(update(publisher).values(mapping=publisher.c.mapping + 1))
    return digest != before


def find_concept(connection: Connection, code: str) -> Concept | None:
    """The concept with this QCode, or None."""
    row = connection.execute(select(concept).where(concept.c.code == code)).one_or_none()
    if row is None:
        return None
    above = select(broader_concept.c.broader).where(broader_concept.c.code == code)
    return Concept(row.code, row.names, frozenset(connection.execute(above).scalars()), row.retired)


def list_narrower(connection: Connection, code: str) -> list[str]:
    """The QCodes of the next narrower concepts, in order."""
    below = select(broader_concept.c.code).where(broader_concept.c.broader == code)
    return sorted(connection.execute(below).scalars())


def list_codes(connection: Connection) -> set[str]:
    """The QCodes of all concepts."""
    return set(connection.execute(select(concept.c.code)).scalars())


def name_concepts(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """The names of concepts by QCode."""
    rows = connection.execute(select(concept.c.code, concept.c.names).where(concept.c.code.in_(codes)))
    return {row.code: Concept(row.code, row.names, frozenset(), False).name for row in rows}


def has_vocabulary(connection: Connection) -> bool:
    return connection.scalar(select(vocabulary.c.digest)) is not None
