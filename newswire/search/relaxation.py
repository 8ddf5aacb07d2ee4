"""Relaxation: what of a query must be there, for `match=most` and `match=any`; Expression to Expression, pure.

The items of the outermost conjunction are counted: a word, a phrase, a field, a group in parentheses and an OR are one
each. Exclusions always hold. A query that is no conjunction is one item, and stays as it is.

The result is an ordinary expression, so engines, counts and matching in process need to know nothing of it. Not here:
the order of relevance (`newswire.reading.relevance`).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from newswire.search.expression import And, Expression, Not, Or, Term
from newswire.search.function_words import FUNCTION_WORDS

ALL, MOST, ANY = "all", "most", "any"
MATCHES = (ALL, MOST, ANY)

MOST_GROUPS = 6
"""Groups that are counted. Of more items, neighbours are joined by OR, so that an expression stays at most three times
as long as the query."""


class Relaxed(NamedTuple):
    """An expression, and with `most` and `any` the items of which it wants some: the best match has all of them."""

    expression: Expression
    items: tuple[Expression, ...] = ()


def relax_expression(expression: Expression, match: str) -> Relaxed:
    """What a query matches with `match`, one of `MATCHES`. Whatever `all` finds, `most` finds, and `any` finds too.

    `any` matches by one item that is more than a function word (the, of), or by any if there are no others. `most`
    matches by `needed_groups` of these items.
    """
    items = counted_items(expression)
    if match == ALL or len(items) < 2:
        return Relaxed(expression)
    groups = join_neighbours(items)
    some = at_least(needed_groups(groups, match), groups)
    return Relaxed(all_of([some, *exclusions(expression)]), tuple(items))


def needed_groups(groups: Sequence[Expression], match: str) -> int:
    """How many of the groups an article must have: with `most` two, but one where there are three at most."""
    return 2 if match == MOST and len(groups) > 3 else 1


def counted_items(expression: Expression) -> list[Expression]:
    """The different items of the outermost conjunction without exclusions, and without function words if it can be."""
    items: list[Expression] = [part for part in dict.fromkeys(conjuncts(expression)) if not isinstance(part, Not)]
    return [item for item in items if not (isinstance(item, Term) and item.spelling in FUNCTION_WORDS)] or items


def exclusions(expression: Expression) -> list[Expression]:
    """What the outermost conjunction excludes; the same of a relaxed expression."""
    return [part for part in conjuncts(expression) if isinstance(part, Not)]


def conjuncts(expression: Expression) -> Sequence[Expression]:
    return expression.operands if isinstance(expression, And) else (expression,)


def join_neighbours(items: Sequence[Expression]) -> tuple[Expression, ...]:
    """The items as at most `MOST_GROUPS` groups, each as large as the others or by one item larger."""
    number = min(len(items), MOST_GROUPS)
    ends = [len(items) * group // number for group in range(number + 1)]
    return tuple(any_of(items[start:end]) for start, end in pairwise(ends))


def at_least(number: int, groups: Sequence[Expression]) -> Expression:
    """Matches where so many of the groups do, 1 or more and not more than there are.

    Each half of the groups contributes so many, the other half the rest: two of six take 16 leaves, and 30 where each
    choice of two is written out.
    """
    if number == len(groups):
        return all_of(groups)
    if number == 1:
        return any_of(groups)
    left, right = groups[: len(groups) // 2], groups[len(groups) // 2 :]
    sides = []
    for of_left in range(max(0, number - len(right)), min(number, len(left)) + 1):
        parts = [at_least(some, half) for some, half in ((of_left, left), (number - of_left, right)) if some]
        sides.append(all_of(parts))
    return any_of(sides)


def some_of(groups: Sequence[Expression], is_enough: Callable[[frozenset[int]], bool]) -> Expression | None:
    """Matches where the groups that match, by their indexes, are enough; None if all of them are not.

    Whatever holds a set that is enough must be enough too. No group at all is never enough.
    """

    def beyond(index: int, found: frozenset[int]) -> Expression | bool:
        """What must match of the groups from `index` on where `found` do; a bool where that is decided."""
        if found and is_enough(found):
            return True
        if not is_enough(found | {*range(index, len(groups))}):
            return False
        chosen = beyond(index + 1, found | {index})
        passed = beyond(index + 1, found)
        if chosen == passed:
            return chosen
        parts = [groups[index]] if chosen is True else [groups[index], chosen]
        return any_of([all_of([part for part in parts if not isinstance(part, bool)]),
                       *([] if isinstance(passed, bool) else [passed])])  # fmt: skip

    made = beyond(0, frozenset())
    return None if isinstance(made, bool) else made


def all_of(parts: Sequence[Expression]) -> Expression:
    """The conjunction of one part or more."""
    flat = [operand for part in parts for operand in conjuncts(part)]
    return And(tuple(flat)) if len(flat) > 1 else flat[0]


def any_of(parts: Sequence[Expression]) -> Expression:
    """The disjunction of one part or more. The spellings of one word stay together."""
    flat = [operand for part in parts for operand in (part.operands if type(part) is Or else (part,))]
    return Or(tuple(flat)) if len(flat) > 1 else flat[0]
