"""The write buffer of a publishing transaction: versions, search index rows and names that are still to be written.

They are collected so that a batch needs few statements. The log, which is written last of all, is not here.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from newswire.document import Version
from newswire.search import index, names
from newswire.search.backend import Document
from newswire.search.languages import register_language
from newswire.store import articles

MOST_BYTES = 1 << 20
"""Bytes of versions that may wait: a batch of large articles must not lie in memory several times."""


class WriteBuffer:
    """Versions of locked articles, each with its terms and texts as they are indexed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._versions: list[dict[str, Any]] = []
        self._documents: list[Document] = []
        self._numbers: set[int] = set()
        self._bytes = 0
        self._languages: set[str] = set()
        self._labels: list[names.Label] = []

    def add_version(self, document: Document, version: Version, source: Any, now: int) -> None:
        """Adds the newest version of an article; the version before it must have left the index."""
        held, sent = document.held, orjson.dumps(source)
        self._versions.append({
            "number": held.number, "version": held.version, "digest": version.digest,
            "terms": " ".join(sorted(document.terms)), "source": sent, "rendered": version.rendered,
            "body": version.body, "form": version.form, "created_at": now,
        })  # fmt: skip
        self._documents.append(document)
        self._numbers.add(held.number)
        self._languages |= document.analysed.spoken
        self._bytes += len(sent) + len(version.rendered) + len(version.body)
        if self._bytes > MOST_BYTES:
            self.flush_versions()

    def add_names(self, content: Mapping[str, Any]) -> None:
        """Adds the names of sections, keywords and authors of an article as served."""
        self._labels.extend(names.labels_in(content))

    def flush_article(self, number: int) -> None:
        """Writes the buffer if it holds a version of this article. Call it before that article is read or replaced."""
        if number in self._numbers:
            self.flush_versions()

    def flush_versions(self) -> None:
        """Writes versions and index rows. They belong to articles that this transaction has locked."""
        if self._versions:
            articles.add_versions(self.connection, self._versions)
            index.search_backend(self.connection).index_documents(self.connection, self._documents)
        self._versions, self._documents, self._bytes = [], [], 0
        self._numbers.clear()

    def flush_names(self) -> None:
        """Writes languages and names, which belong to no article. Call it once, after all articles are locked.

        They are sorted: two transactions that add the same new names must take these locks in the same order, or they
        would wait for each other.
        """
        for language in sorted(self._languages):
            register_language(self.connection, language)
        self._languages.clear()
        names.add_labels(self.connection, self._labels)
        self._labels.clear()
