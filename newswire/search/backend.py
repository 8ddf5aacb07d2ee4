"""The interface of a search engine, which `search.sqlite` and `search.postgres` implement.

Both find the same articles for the same query; a property test compares them. Neither analyses text: documents and
queries reach them as the tokens of `analysis`. `newswire.search.index` chooses between the two.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, Select, Table

from newswire.article import ArticleState
from newswire.search.analysis import Analysed
from newswire.search.query import Position, Query
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.visibility import Filter, TimeRules


class Document(NamedTuple):
    """The current version of an article for indexing: its state, its filter terms and the tokens of its texts."""

    held: ArticleState
    terms: frozenset[str]
    analysed: Analysed


class SearchBackend(ABC):
    """The search index on one database system. The functions of `newswire.search.index` document the arguments."""

    rows: ClassVar[Table]
    """The table with a row for each indexed article: its `number`, and the `index_version` of its words."""

    @abstractmethod
    def index_documents(self, connection: Connection, documents: Sequence[Document]) -> None: ...

    @abstractmethod
    def remove_document(self, connection: Connection, number: int) -> None: ...

    @abstractmethod
    def open_document(self, connection: Connection, number: int) -> None: ...

    @abstractmethod
    def search_statement(
        self, connection: Connection, columns: Select[Any], query: Query, wanted: Filter, languages: Sequence[str],
        start: Position | None, limit: int, rules: TimeRules,
    ) -> tuple[Statement, Mapping[str, Any]]:  # fmt: skip
        """`languages` are those in which the words of the query are stemmed."""

    @abstractmethod
    def count_matches(
        self, connection: Connection, query: Query, wanted: Filter, languages: Sequence[str], most: int,
        rules: TimeRules,
    ) -> int: ...  # fmt: skip

    @abstractmethod
    def read_texts(self, connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Sequence[str]]: ...

    @abstractmethod
    def numbers_with_stem(self, connection: Connection, numbers: Sequence[int], stem: str) -> set[int]: ...

    @abstractmethod
    def count_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules, most: int
    ) -> dict[str, int]: ...

    @abstractmethod
    def count_by_phrase(
        self, connection: Connection, phrases: Collection[str], wanted: Filter, rules: TimeRules, most: int
    ) -> dict[str, int]: ...

    @abstractmethod
    def find_forms(self, connection: Connection, phrases: Collection[str]) -> set[str]: ...

    @abstractmethod
    def newest_by_term(
        self, connection: Connection, terms: Collection[str], wanted: Filter, rules: TimeRules
    ) -> dict[str, int]: ...

    @abstractmethod
    def tend_index(self, database: Database, seconds: float) -> None: ...
