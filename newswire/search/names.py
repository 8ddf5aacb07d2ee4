"""The table `label`: how the names of sections, keywords and authors are written, and their order.

A term of the search index (`visibility.term`) is blind to case; the label is what a publisher wrote first. A label
does not say who may see it: before one is shown, the reader must be able to see an article that carries the term.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from newswire.search.analysis import word_forms
from newswire.store.statements import Statement, insert_or_ignore
from newswire.store.tables import label
from newswire.visibility import term_of

BATCH_SIZE = 1000
KNOWN_LABELS = "newswire.labels"
"""The key in a connection's `info` for the terms whose labels were found in the table."""
MAX_KNOWN = 50_000
LONGEST_ROW = 2600
"""Bytes of term and words together: a row of a PostgreSQL index holds 2,704."""

ADD = Statement(insert_or_ignore(label))


class Label(NamedTuple):
    """A name as it is shown; `kind` is section, keyword or author, `term` the filter that finds its articles."""

    term: str
    kind: str
    label: str


def labels_in(content: Mapping[str, Any]) -> Iterator[Label]:
    """The labels of an article as served; a tombstone has none."""
    if section := content.get("section"):
        yield Label(term_of("section", section), "section", section)
    for keyword in content.get("keywords", ()):
        yield Label(term_of("keyword", keyword), "keyword", keyword)
    for author in content.get("authors", ()):
        yield Label(term_of("author", author["id"]), "author", author["name"])


def find_labels(connection: Connection, terms: Iterable[str]) -> dict[str, str]:
    """Labels by term; terms of another kind, or of no article, are left out."""
    found: dict[str, str] = {}
    for some in split_batches(sorted(set(terms))):
        query = select(label.c.term, label.c.label).where(label.c.term.in_(some))
        found |= {row.term: row.label for row in connection.execute(query)}
    return found


def add_labels(connection: Connection, labels: Iterable[Label]) -> None:
    """Adds the labels that are not there yet; the first spelling stays. Call it once in a transaction.

    They are added in the order of their terms, so that two transactions with the same new labels do not deadlock.
    """
    wanted: dict[str, Label] = {}
    for each in labels:
        wanted.setdefault(each.term, each)
    known = connection.info.setdefault(KNOWN_LABELS, set())
    unknown = wanted.keys() - known
    # Rows are only added, so what was found once stays. What is added here may still be rolled back, so it is not
    # remembered before a later transaction has found it.
    found = find_labels(connection, unknown).keys()
    if len(known) > MAX_KNOWN:
        known.clear()
    known.update(found)
    if new := sorted(unknown - found):
        ADD.execute_many(connection, [{**wanted[name]._asdict(), "words": label_words(wanted[name])} for name in new])


def label_words(named: Label) -> str:
    """The sort key of a label: its folded words with a blank before, between and after, cut to what an index takes."""
    room = LONGEST_ROW - len(named.term.encode())
    return join_spaced(word_forms(named.label)).encode()[:room].decode("utf-8", "ignore")


def join_spaced(forms: Iterable[str]) -> str:
    return "".join(f" {form}" for form in forms) + " "


def split_batches(items: list[str]) -> Iterator[Collection[str]]:
    """Splits a list into parts that one statement takes as parameters on each database system."""
    return (items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE))
