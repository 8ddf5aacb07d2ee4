"""The leaves of an expression: the words, prefixes and phrases that an article is found by."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from newswire.search.syntax import And, Expression, Not, Or, Phrase, Prefix, Term

Leaf: TypeAlias = Term | Prefix | Phrase


class Sought(NamedTuple):
    """A leaf; `always`: it stands in every article that is found, for no OR leaves a choice."""

    leaf: Leaf
    always: bool


def leaves(expression: Expression, always: bool = True) -> Iterator[Sought]:
    """From left to right, without what a Not excludes."""
    match expression:
        case Not():
            return
        case And(operands):
            for operand in operands:
                yield from leaves(operand, always)
        case Or(operands):
            for operand in operands:
                yield from leaves(operand, always=False)
        case leaf:
            yield Sought(leaf, always)
