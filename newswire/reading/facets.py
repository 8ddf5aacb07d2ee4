"""Facets: the matches of a query counted by publisher, section, language, keyword, subject and author.

The terms of the newest `COUNTED_TO` matches are counted, so the work is bounded; labels are looked up only for values
that are returned.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from newswire.language_tags import canonical_tag
from newswire.reading.lists import COUNTED_TO, Count, list_statement
from newswire.search.names import find_labels
from newswire.search.query import Query
from newswire.search.vocabulary import list_codes, name_concepts
from newswire.store.articles import CURRENT, short_terms
from newswire.store.tables import article, version
from newswire.visibility import AUTHOR_ID, Visibility, term_value

MOST_VALUES = 20
MOST_COUNTED = 100_000
"""Different terms that are counted; each takes about 200 bytes."""
LARGE_TERMS, TOGETHER, LARGE_TOGETHER = 2_000, 1_000, 20
"""Characters of terms that the statement for all articles leaves out, and articles whose terms are joined: 10,000 times
225 kB were possible, 700 bytes are usual."""
ALL_TERMS = select(version.c.terms).join_from(article, version, CURRENT)
TERMS = select(article.c.number, short_terms(version.c.terms, LARGE_TERMS)).join_from(article, version, CURRENT)


def count_facets(
    connection: Connection, query: Query, visibility: Visibility, now: int, kinds: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """For each kind the `MOST_VALUES` most frequent values among the matches of the whole query, ties by value.

    A value has the members `value`, `count` (a `Count`) and, for an author or a subject, `name`. A count is exact (eq)
    unless there are more than `COUNTED_TO` matches; then it covers the newest of them (gte).
    """
    query, _ = query.resume()
    newest = replace(query, order="published_at", descending=True)
    statement, values = list_statement(connection, TERMS, newest, visibility, now, None, COUNTED_TO + 1)
    rows = statement.execute(connection, values).fetchall()
    counts, is_whole = _count_terms(connection, rows[:COUNTED_TO], tuple(f"{kind}_" for kind in kinds))
    relation = "eq" if is_whole and len(rows) <= COUNTED_TO else "gte"
    return {kind: _facet_values(connection, kind, counts, relation) for kind in sorted(kinds)}


def _count_terms(
    connection: Connection, rows: Sequence[tuple[int, str]], wanted: tuple[str, ...]
) -> tuple[Counter[str], bool]:
    """The number of articles with each of the terms that begin as `wanted`, and whether none was left out.

    Of more than `MOST_COUNTED` terms those that only one article has so far are left out again and again: their counts
    may then be too low, never too high.
    """
    counts: Counter[str] = Counter()
    is_whole = True
    for terms in _term_texts(connection, rows):
        # A version carries a term at most once, so the count of a term is the number of articles.
        counts.update([name for name in terms.split() if name.startswith(wanted)])
        if len(counts) > MOST_COUNTED:
            counts, is_whole = Counter({name: number for name, number in counts.items() if number > 1}), False
    return counts, is_whole


def _term_texts(connection: Connection, rows: Sequence[tuple[int, str]]) -> Iterator[str]:
    """The terms of the rows of `TERMS`, those of some articles joined at a time."""
    for start in range(0, len(rows), TOGETHER):
        yield " ".join([terms for _, terms in rows[start : start + TOGETHER]])
    large = [number for number, terms in rows if not terms]
    for start in range(0, len(large), LARGE_TOGETHER):
        chunk = large[start : start + LARGE_TOGETHER]
        yield " ".join(connection.scalars(ALL_TERMS.where(article.c.number.in_(chunk))))


def _facet_values(connection: Connection, kind: str, counts: Mapping[str, int], relation: str) -> list[dict[str, Any]]:
    """The most frequent values of one facet."""
    terms = [name for name in counts if name.startswith(f"{kind}_")]
    terms.sort(key=lambda name: (-counts[name], name))
    match kind:
        case "author":
            # An article has terms for the name and for the id of an author; only the id identifies one.
            labelled = _labelled_terms(connection, [name for name in terms if AUTHOR_ID.fullmatch(name)])
            shown = ((name, {"value": term_value(name), "name": label}) for name, label in labelled)
        case "publisher":
            shown = ((name, {"value": term_value(name)}) for name in terms)
        case "language":
            # Of a tag every range that matches it is counted, so that each count is that of the filter.
            shown = ((name, {"value": canonical_tag(term_value(name))}) for name in terms)
        case "subject":
            # Names of subjects and other codes have terms of this kind too; only concepts are counted.
            known = list_codes(connection)
            codes = {name: code for name in terms if (code := term_value(name)) in known}
            codes = dict(islice(codes.items(), MOST_VALUES))
            names = name_concepts(connection, codes.values())
            shown = ((name, {"value": code, "name": names[code]}) for name, code in codes.items())
        case _:
            shown = ((name, {"value": label}) for name, label in _labelled_terms(connection, terms))
    return [{**value, "count": Count(counts[name], relation)._asdict()} for name, value in islice(shown, MOST_VALUES)]


def _labelled_terms(connection: Connection, terms: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Terms with their labels, looked up lazily in portions; terms without a label are left out."""
    for start in range(0, len(terms), 2 * MOST_VALUES):
        portion = terms[start : start + 2 * MOST_VALUES]
        labels = find_labels(connection, portion)
        yield from ((name, labels[name]) for name in portion if name in labels)
