"""The table `label`: the spelling and the sort order of the names of sections, keywords and authors.

A filter term (`newswire.visibility`) is case-insensitive; its label is the spelling that a publisher used first. A
label carries no access rule: show one only to a reader who may see an article with its term. The lists of names are
not here (`newswire.reading.directory`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from newswire.plain_text import plain_value
from newswire.search.analysis import word_forms
from newswire.store.statements import Statement, insert_or_ignore
from newswire.store.tables import label
from newswire.visibility import term_of

BATCH_SIZE = 1000
KNOWN_LABELS = "newswire.labels"
"""The key in a connection's `info` for the terms whose labels an earlier transaction found in the table."""
MAX_KNOWN = 50_000
"""Terms that a connection caches; at more the cache is emptied."""
LONGEST_ROW = 2600
"""Bytes of term and words together: an entry of a PostgreSQL B-tree index holds 2,704."""

ADD = Statement(insert_or_ignore(label))


class Label(NamedTuple):
    """A name as it is shown; `kind` is section, keyword or author, `term` the filter term of its articles."""

    term: str
    kind: str
    label: str


def labels_in(content: Mapping[str, Any]) -> Iterator[Label]:
    """The labels in the public JSON of an article; a tombstone has none."""
    if section := content.get("section"):
        yield Label(term_of("section", section), "section", plain_value(section))
    for keyword in content.get("keywords", ()):
        yield Label(term_of("keyword", keyword), "keyword", plain_value(keyword))
    for author in content.get("authors", ()):
        yield Label(term_of("author", author["id"]), "author", plain_value(author["name"]))


def find_labels(connection: Connection, terms: Iterable[str]) -> dict[str, str]:
    """The labels of terms, by term; terms without a label are left out."""
    found: dict[str, str] = {}
    for some in split_batches(sorted(set(terms))):
        query = select(label.c.term, label.c.label).where(label.c.term.in_(some))
        found |= {row.term: row.label for row in connection.execute(query)}
    return found


def add_labels(connection: Connection, labels: Iterable[Label]) -> None:
    """Adds the labels that are missing; of two spellings the first one stays. Call it at most once in a transaction.

    It inserts in the order of the terms, so that two transactions with the same new labels do not deadlock.
    """
    wanted: dict[str, Label] = {}
    for named in labels:
        wanted.setdefault(named.term, named)
    known = connection.info.setdefault(KNOWN_LABELS, set())
    unknown = wanted.keys() - known
    # Rows are only added, so a label that was found once can be cached for the life of the connection. Those added
    # here are not cached yet, because this transaction may still be rolled back.
    found = find_labels(connection, unknown).keys()
    if len(known) > MAX_KNOWN:
        known.clear()
    known.update(found)
    if new := sorted(unknown - found):
        ADD.execute_many(connection, [{**wanted[name]._asdict(), "words": label_words(wanted[name])} for name in new])


def label_words(named: Label) -> str:
    """The sort key of a label: its folded words with a blank before, between and after, cut to `LONGEST_ROW`."""
    room = LONGEST_ROW - len(named.term.encode())
    return join_spaced(word_forms(named.label)).encode()[:room].decode("utf-8", "ignore")


def join_spaced(forms: Iterable[str]) -> str:
    return "".join(f" {form}" for form in forms) + " "


def split_batches(items: list[str]) -> Iterator[Collection[str]]:
    """Splits a list into parts that are small enough for the parameters of one statement on each database system."""
    return (items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE))
