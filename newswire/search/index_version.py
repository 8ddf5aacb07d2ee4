"""The version of the search index: by which analysis and by which release of the stemmer a row was written.

Each row of the index names its version, and a wire may hold rows of several while it is rebuilt
(`newswire.search.rebuild`). Rows of the same analysis hold the same folded forms and filter terms, so a query
finds them alike; their stems can be compared only where the release of the stemmer is the same.
"""

import Stemmer

ANALYSIS_VERSION = 1
"""Raise it with every change of what stands in the index of the same article: word breaking, folding, the budget
(`newswire.search.analysis`), the texts (`newswire.search.texts`), filter terms (`newswire.visibility`), rows."""

INDEX_VERSION = f"{ANALYSIS_VERSION}/{Stemmer.version()}"
"""The version of the rows that this process writes, such as `1/3.1.0`: analysis, and release of PyStemmer, which
comes with the Snowball stemmers of that time."""

NOT_INDEXED = ""
"""The version of a row that holds no words yet."""


def analysis_of(index_version: str) -> str:
    """The part of an index version that names the analysis."""
    return index_version.partition("/")[0]
