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
"""Items that `match=most` counts. Of more, neighbours are joined by OR, so that an expression stays at most four times
as long as the query: three of six groups need each of them 3.7 times, four of eight would need each six times."""


class Relaxed(NamedTuple):
    """An expression, and for `match=most` what it counts: `groups`, of which the most relevant match has all."""

    expression: Expression
    groups: tuple[Expression, ...] = ()


def relax_expression(expression: Expression, match: str) -> Relaxed:
    """What a query matches with `match`, one of `MATCHES`. Whatever `all` finds, `most` finds, and `any` finds too.

    `any` matches by one item that is more than a function word (the, of), or by any if there are no others. `most`
    matches by half of these items, rounded down, and at least one.
    """
    items = counted_items(expression)
    if match == ALL or len(items) < 2:
        return Relaxed(expression)
    excluded = [part for part in conjuncts(expression) if isinstance(part, Not)]
    if match == ANY:
        return Relaxed(all_of([any_of(items), *excluded]))
    groups = join_neighbours(items)
    return Relaxed(all_of([at_least(max(1, len(groups) // 2), groups), *excluded]), groups)


def counted_items(expression: Expression) -> list[Expression]:
    """The different items of the outermost conjunction without exclusions, and without function words if it can be."""
    items: list[Expression] = [part for part in dict.fromkeys(conjuncts(expression)) if not isinstance(part, Not)]
    return [item for item in items if not (isinstance(item, Term) and item.spelling in FUNCTION_WORDS)] or items


def conjuncts(expression: Expression) -> Sequence[Expression]:
    return expression.operands if isinstance(expression, And) else (expression,)


def join_neighbours(items: Sequence[Expression]) -> tuple[Expression, ...]:
    """The items as at most `MOST_GROUPS` groups, each as large as the others or by one item larger."""
    number = min(len(items), MOST_GROUPS)
    ends = [len(items) * group // number for group in range(number + 1)]
    return tuple(any_of(items[start:end]) for start, end in pairwise(ends))


def at_least(number: int, groups: Sequence[Expression]) -> Expression:
    """Matches where so many of the groups do, 1 or more and not more than there are.

    Each half of the groups contributes so many, the other half the rest: three of six take 22 leaves, and 60 where each
    choice of three is written out.
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
