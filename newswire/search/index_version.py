"""The version of the search index: the analysis and the release of the stemmer with which a row was written.

Each row names its version, and during a rebuild (`newswire.search.rebuild`) the index has rows of several. Rows of
one analysis have the same folded forms and filter terms, so a query finds all of them, and in rows of an older analysis
that is still searched it finds all that it found before. Their stems agree only if the release of the stemmer is the
same too.
"""

from functools import cache
from typing import NamedTuple

import Stemmer
from sqlalchemy import Table, func, select

from newswire.store.statements import Statement

ANALYSIS_VERSION = 4
"""Raise it with every change of the index row of an unchanged article: in word breaking, folding, the budget or the
texts (`newswire.search.analysis`), in filter terms (`newswire.visibility`), or in the columns."""

SEARCHED_ANALYSES = (2, 3, ANALYSIS_VERSION)
"""The analyses whose rows a query can be answered from, in ascending order. Version 3 only adds tokens to what version
2 has, and a query looks for traditional Chinese characters in both ways (`newswire.search.variants`). Version 4 has the
words of version 3; on PostgreSQL it leaves out pairs of adjacent words, and has a filter of these, which older rows
lack."""

INDEX_VERSION = f"{ANALYSIS_VERSION}/{Stemmer.version()}"
"""The version of the rows that this process writes, such as `4/3.1.0`: the analysis, and the release of PyStemmer,
which contains the Snowball stemmers."""


SEARCHED_VERSIONS = tuple(f"{analysis}/{Stemmer.version()}" for analysis in SEARCHED_ANALYSES)
"""The index versions whose stems are those of this process."""


def analysis_of(index_version: str) -> str:
    """The part of an index version that names the analysis; empty for a row that has not been indexed yet."""
    return index_version.partition("/")[0]


class VersionRange(NamedTuple):
    """The lowest and the highest index version of all rows, in the order of their characters; None without rows.

    A version begins with its analysis, so that those of all rows lie between those of these two.
    """

    lowest: str | None
    highest: str | None

    def is_current(self) -> bool:
        return all(bound in (None, INDEX_VERSION) for bound in self)

    def fits_analysis(self) -> bool:
        """Whether all rows are of an analysis that is searched."""
        return all(bound is None or analysis_of(bound) in map(str, SEARCHED_ANALYSES) for bound in self)

    def is_of_this_analysis(self) -> bool:
        return all(bound is None or analysis_of(bound) == str(ANALYSIS_VERSION) for bound in self)


@cache
def version_range(rows: Table) -> Statement:
    """The statement that reads a `VersionRange`: one look-up at each end of the database index on the versions."""
    lowest, highest = (select(bound(rows.c.index_version)).scalar_subquery() for bound in (func.min, func.max))
    return Statement(select(lowest.label("lowest"), highest.label("highest")))
