"""Tiers of coverage: which share of the query is in an article, for `match=most` and `any` by relevance; pure.

A window of the newest matches would be full of articles that have one common word of the query, and hold none of the
older ones that have all of it. So the matches are divided into tiers, by the share that is there of what the items of
the query weigh together, and windows take one tier after the other, the one with the whole query first (decision 0037).

Not here: windows and ranking (`relevance`).
"""

from collections.abc import Collection

from newswire.search.bm25 import Measures, item_weights
from newswire.search.expression import Expression, Not
from newswire.search.query import Query
from newswire.search.relaxation import all_of, exclusions, join_neighbours, needed_groups, some_of

LAST_TIER = 4
"""Tier 0 has the whole query, tier n at least the share 1 - n / 4 of its weight."""


class CoverageTiers:
    """The tiers of a query, whose units have the weights of `measures`."""

    def __init__(self, query: Query, measures: Measures) -> None:
        assert query.expression is not None
        self.excluded = exclusions(query.expression)
        self.groups = join_neighbours(query.items)
        self.needed = needed_groups(self.groups, query.match)
        self.weights = item_weights(self.groups, measures)

    def tier_of(self, found: Collection[int]) -> int:
        """The tier of an article in which these groups are found, by their indexes."""
        if len(found) == len(self.groups):
            return 0
        share = sum(self.weights[index] for index in found) / max(1, sum(self.weights))
        return max(1, LAST_TIER - int(LAST_TIER * share))

    def matches_of(self, tier: int) -> Expression | None:
        """What all articles of a tier match, and no others; None for a tier that no article can be in."""
        inside, better = self.matches_up_to(tier), self.matches_up_to(tier - 1)
        if inside is None or inside == better:
            return None
        return all_of([inside, *([] if better is None else [Not(better)]), *self.excluded])

    def matches_up_to(self, tier: int) -> Expression | None:
        """What the articles of this tier and of the better ones match; None if there are none such."""
        return some_of(self.groups, lambda found: len(found) >= self.needed and self.tier_of(found) <= tier)
