"""The write buffer of a publishing transaction: versions, search index rows and names, not yet written.

They are collected so that a batch needs few statements. The log is not buffered here, see `receive`.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from newswire.document import Version, pack_source
from newswire.search import index, names
from newswire.search.backend import Document
from newswire.search.languages import register_language
from newswire.store import articles

MOST_BYTES = 1 << 19
"""Bytes of versions at which the buffer is flushed: it bounds the memory and the time of the last flush."""
MANY_LABELS = 1000
"""Labels after which a batch should commit: new ones take about 20 µs each at the end of the transaction."""


class WriteBuffer:
    """A buffer of versions of locked articles, with their index rows, and of the names in them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._versions: list[dict[str, Any]] = []
        self._documents: list[Document] = []
        self._numbers: set[int] = set()
        self._bytes = 0
        self._languages: set[str] = set()
        self._labels: list[names.Label] = []

    def add_version(self, document: Document, version: Version, source: bytes, now: int) -> None:
        """Adds the newest version of an article; `source` is the article as sent.

        The index row of the version before must be deleted already.
        """
        held, packed = document.held, pack_source(source, version.rendered, version.body)
        self._versions.append({
            "number": held.number, "version": held.version, "digest": version.digest,
            "terms": " ".join(sorted(document.terms)), "source": packed, "rendered": version.rendered,
            "body": version.body, "form": version.form, "created_at": now,
        })  # fmt: skip
        self._documents.append(document)
        self._numbers.add(held.number)
        self._languages |= document.analysed.spoken
        self._bytes += len(packed) + len(version.rendered) + len(version.body)
        if self._bytes > MOST_BYTES:
            self.flush_versions()

    def add_names(self, content: Mapping[str, Any]) -> None:
        """Adds the labels (sections, keywords, authors) of an article as served."""
        self._labels.extend(names.labels_in(content))

    def has_many_names(self) -> bool:
        """Whether so many names are buffered that their flush will take long."""
        return len(self._labels) > MANY_LABELS

    def flush_article(self, number: int) -> None:
        """Flushes the versions if one belongs to this article. Call it before the article is read or replaced."""
        if number in self._numbers:
            self.flush_versions()

    def flush_versions(self) -> None:
        """Writes versions and index rows. No lock is awaited: this transaction has locked their articles."""
        if self._versions:
            articles.add_versions(self.connection, self._versions)
            index.search_backend(self.connection).index_documents(self.connection, self._documents)
        self._versions, self._documents, self._bytes = [], [], 0
        self._numbers.clear()

    def flush_names(self) -> None:
        """Writes languages and labels, which all articles share. Call it once, after all articles are locked."""
        # Sorted: two transactions that insert the same new rows wait for each other's unique keys, and would deadlock
        # if their orders differed. `add_labels` sorts too.
        for language in sorted(self._languages):
            register_language(self.connection, language)
        self._languages.clear()
        names.add_labels(self.connection, self._labels)
        self._labels.clear()
