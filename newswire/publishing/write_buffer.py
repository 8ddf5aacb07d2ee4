"""What a publishing transaction has still to write of versions, index and labels: collected, so that a batch needs few
statements. The log, which is written last, is not here.
"""

from typing import Any

import orjson
from sqlalchemy import Connection

from newswire.document import Version
from newswire.search import index, names
from newswire.search.backend import Document
from newswire.search.languages import register_language
from newswire.store import articles

MOST_BYTES = 1 << 20
"""Of versions that wait: a batch of large articles must not lie in memory several times."""


class Unwritten:
    """Versions of locked articles, each with its terms and texts as they are indexed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._versions: list[dict[str, Any]] = []
        self._documents: list[Document] = []
        self._numbers: set[int] = set()
        self._bytes = 0
        self._spoken: set[str] = set()
        self._labels: list[names.Label] = []

    def add(self, document: Document, version: Version, source: Any, now: int) -> None:
        """The version that the row of the article says; the version before it must not be in the index any more."""
        held, sent = document.held, orjson.dumps(source)
        self._versions.append({
            "number": held.number, "version": held.version, "digest": version.digest,
            "terms": " ".join(sorted(document.terms)), "source": sent, "rendered": version.rendered,
            "body": version.body, "form": version.form, "created_at": now,
        })  # fmt: skip
        self._documents.append(document)
        self._numbers.add(held.number)
        self._spoken |= document.analysed.spoken
        self._bytes += len(sent) + len(version.rendered) + len(version.body)
        if self._bytes > MOST_BYTES:
            self.write()

    def learn(self, content: Any) -> None:
        """The labels of an article as served."""
        self._labels.extend(names.labels_in(content))

    def settle(self, number: int) -> None:
        """Writes what waits if some of it is of this article: somebody is going to read or replace it."""
        if number in self._numbers:
            self.write()

    def write(self) -> None:
        """Writes the versions and the index."""
        if self._versions:
            articles.add_versions(self.connection, self._versions)
            index.index_documents(self.connection, self._documents)
        self._versions, self._documents, self._bytes = [], [], 0
        self._numbers.clear()

    def close(self) -> None:
        """Writes everything; new names sorted, so that no two transactions with the same ones block each other."""
        self.write()
        for language in sorted(self._spoken):
            register_language(self.connection, language)
        self._spoken.clear()
        names.add_labels(self.connection, self._labels)
        self._labels.clear()
