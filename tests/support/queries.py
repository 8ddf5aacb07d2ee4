"""Queries for property tests, composed of parts of the query language of `q`."""

from hypothesis import strategies as st


def compose_queries(leaf: st.SearchStrategy[str], max_leaves: int) -> st.SearchStrategy[str]:
    """Conjunctions, disjunctions and exclusions of leaves, and of one another."""
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(" ".join),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' OR '.join(parts)})"),
            st.tuples(inner, inner).map(lambda pair: f"{pair[0]} -({pair[1]})"),
        ),
        max_leaves=max_leaves,
    )
