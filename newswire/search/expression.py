"""Expressions: the parsed form of `q`, as a tree of words, prefixes, phrases, names and operators; pure.

Not here: the parser (`syntax`), matching in process (`matching`), and engines (`sqlite`, `postgres`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True)
class Term:
    """A word. It matches by any of its stems, or by its form if it has none; `fields` None: those of `search_in`.

    `start` is the index of its first character in the query, which makes no difference between two words, nor does
    `capitals`: whether it is a short word in capitals (US), for which the order of relevance prefers such words; nor
    `written`: a compound or sign word, or a quotation with one, as it is shown to people: `c++`, `"the u.s. army"`.
    """

    form: str
    spelling: str
    fields: frozenset[str] | None = None
    start: int = field(default=0, compare=False)
    capitals: bool = field(default=False, compare=False)
    written: str = field(default="", compare=False)


@dataclass(frozen=True)
class Prefix:
    """A prefix, which matches every form that begins with it."""

    form: str
    fields: frozenset[str] | None = None
    start: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Phrase:
    """Consecutive forms in one field, unstemmed. With `prefix` there are at least two, and the last one is a prefix.

    `written` is that of a `Term`.
    """

    forms: tuple[str, ...]
    prefix: bool = False
    fields: frozenset[str] | None = None
    start: int = field(default=0, compare=False)
    written: str = field(default="", compare=False)


@dataclass(frozen=True)
class Near:
    """Two different forms or more in one field, unstemmed, with at most `distance` words between the outermost two."""

    forms: tuple[str, ...]
    distance: int
    fields: frozenset[str] | None = None
    start: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Named:
    """A condition on the name of an article's section or publisher (`kind`): it has all the words, and the prefix."""

    kind: str
    words: tuple[str, ...]
    prefix: str | None = None
    start: int = field(default=0, compare=False)


@dataclass(frozen=True)
class And:
    """A conjunction of two operands or more; none is an And, and at least one is not a Not."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True)
class Or:
    """A disjunction of two operands or more; none is an Or or a Not."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True)
class Spellings(Or):
    """The spellings of one word or phrase as alternatives: `US` and `U.S.`, or synonyms.

    They count as one word wherever words are counted, and in ranking. None is an And of a Not.
    """


@dataclass(frozen=True)
class Not:
    """An exclusion. It occurs only as an operand of an And, and its own operand is not a Not."""

    operand: "Expression"


Expression: TypeAlias = Term | Prefix | Phrase | Near | Named | And | Or | Not


def query_words(expression: Expression) -> Iterator[Term]:
    """The words of an expression, from left to right."""
    match expression:
        case Term():
            yield expression
        case And(operands) | Or(operands):
            for operand in operands:
                yield from query_words(operand)
        case Not(operand):
            yield from query_words(operand)


Leaf: TypeAlias = Term | Prefix | Phrase | Near


class SoughtLeaf(NamedTuple):
    """A leaf, and whether it is in every match: `always` is false below an OR."""

    leaf: Leaf
    always: bool


def find_leaves(expression: Expression, always: bool = True) -> Iterator[SoughtLeaf]:
    """The leaves of an expression that texts match, from left to right, without excluded ones."""
    match expression:
        case Not() | Named():
            return
        case And(operands):
            for operand in operands:
                yield from find_leaves(operand, always)
        case Or(operands):
            for operand in operands:
                yield from find_leaves(operand, always=False)
        case leaf:
            yield SoughtLeaf(leaf, always)
