"""Search: text analysis, the query language of `q`, the index of each engine, ranking, highlighting, cursors of lists.

Not here: which articles a reader may see (`newswire.visibility`) and the rendering of results (`newswire.reading`).
"""
