"""The version of the search index: by which analysis and by which release of the stemmer a row was written.

Each row of the index names its version, and a wire may hold rows of several while it is rebuilt
(`newswire.search.rebuild`). Rows of the same analysis hold the same folded forms and filter terms, so a query
finds them alike; their stems can be compared only where the release of the stemmer is the same.
"""

from functools import cache
from typing import NamedTuple

import Stemmer
from sqlalchemy import Table, func, select

from newswire.store.statements import Statement

ANALYSIS_VERSION = 1
"""Raise it with every change of what stands in the index of the same article: word breaking, folding, the budget
(`newswire.search.analysis`), the texts (`newswire.search.analysis`), filter terms (`newswire.visibility`), rows."""

INDEX_VERSION = f"{ANALYSIS_VERSION}/{Stemmer.version()}"
"""The version of the rows that this process writes, such as `1/3.1.0`: analysis, and release of PyStemmer, which
comes with the Snowball stemmers of that time."""


def analysis_of(index_version: str) -> str:
    """The part of an index version that names the analysis; empty for a row that holds no words yet."""
    return index_version.partition("/")[0]


class VersionRange(NamedTuple):
    """The lowest and the highest index version of the rows in an index; None where there is no row.

    What lies between two versions of one analysis, in the order of their characters, is of that analysis too.
    """

    lowest: str | None
    highest: str | None

    def is_current(self) -> bool:
        return all(bound in (None, INDEX_VERSION) for bound in self)

    def fits_analysis(self) -> bool:
        return all(bound is None or analysis_of(bound) == str(ANALYSIS_VERSION) for bound in self)


@cache
def version_range(rows: Table) -> Statement:
    """A statement for the `VersionRange` of an index: one look-up at each end of the index over its versions."""
    lowest, highest = (select(bound(rows.c.index_version)).scalar_subquery() for bound in (func.min, func.max))
    return Statement(select(lowest.label("lowest"), highest.label("highest")))
