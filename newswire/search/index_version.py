"""The version of the search index: the analysis and the release of the stemmer with which a row was written.

Each row names its version, and during a rebuild (`newswire.search.rebuild`) the index has rows of several. Rows of
one analysis have the same folded forms and filter terms, so a query finds all of them. Their stems agree only if the
release of the stemmer is the same too.
"""

from functools import cache
from typing import NamedTuple

import Stemmer
from sqlalchemy import Table, func, select

from newswire.store.statements import Statement

ANALYSIS_VERSION = 2
"""Raise it with every change of the index row of an unchanged article: in word breaking, folding, the budget or the
texts (`newswire.search.analysis`), in filter terms (`newswire.visibility`), or in the columns."""

INDEX_VERSION = f"{ANALYSIS_VERSION}/{Stemmer.version()}"
"""The version of the rows that this process writes, such as `1/3.1.0`: the analysis, and the release of PyStemmer,
which contains the Snowball stemmers."""


def analysis_of(index_version: str) -> str:
    """The part of an index version that names the analysis; empty for a row that has not been indexed yet."""
    return index_version.partition("/")[0]


class VersionRange(NamedTuple):
    """The lowest and the highest index version of all rows, in the order of their characters; None without rows.

    If both are of one analysis, so are all rows, because a version begins with its analysis.
    """

    lowest: str | None
    highest: str | None

    def is_current(self) -> bool:
        return all(bound in (None, INDEX_VERSION) for bound in self)

    def fits_analysis(self) -> bool:
        return all(bound is None or analysis_of(bound) == str(ANALYSIS_VERSION) for bound in self)


@cache
def version_range(rows: Table) -> Statement:
    """The statement that reads a `VersionRange`: one look-up at each end of the database index on the versions."""
    lowest, highest = (select(bound(rows.c.index_version)).scalar_subquery() for bound in (func.min, func.max))
    return Statement(select(lowest.label("lowest"), highest.label("highest")))
