"""The operator's dictionary of synonyms: its rules as text, and what they add to a query; pure.

A rule is a line: `car, automobile, motor car` (each finds the others) or `pm => prime minister` (the left finds the
right too, and not the other way round). Members are recognised as they are written but for case, accents and
punctuation: words, quoted phrases, and words side by side, the longest member first. What is typed is always searched
for as well. Not here: where the dictionary is stored (`newswire.search.dictionary`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import regex

from newswire.search.analysis import word_forms
from newswire.search.expression import And, Expression, Named, Near, Not, Or, Phrase, Prefix, Spellings, Term
from newswire.search.syntax import ExpressionError, parse_query

MOST_BYTES = 1_000_000
MOST_RULES = 10_000
MOST_MEMBERS = 50
"""Members of one rule."""
LONGEST_MEMBER, MOST_FORMS = 100, 10
"""Characters and words of a member."""
MOST_ALTERNATIVES = 100
"""Synonyms that are added to one query; words behind them are searched for as they are."""
_ARROW = "=>"
# What the query language reads as more than a word, so that such a member is quoted.
_MARKS = r"\"\u201c-\u201f\u2033\uff02\u301d-\u301f"
_SPECIAL = regex.compile(rf"[\s{_MARKS}*＊()（）:：«»「」『』｢｣]|\A[-\u2212\uff0d\ufe63\u2013]")
_QUOTES = regex.compile(rf"[{_MARKS}]")
# Of C# and #tag the sign is a part.
_COMMENT = regex.compile(r"\A\s*#.*|\s#(?:\s.*)?\Z")
_OPERATORS = ("AND", "OR", "NOT")


class RuleError(ValueError):
    """What is wrong with the lines of a dictionary: `faults` are sentences that begin with the line."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Rule(NamedTuple):
    """One line: whoever asks for one of `typed` finds `found` too. In a group both have all members."""

    typed: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def is_group(self) -> bool:
        return self.typed == self.found

    def __str__(self) -> str:
        right = ", ".join(self.found)
        return right if self.is_group else f"{', '.join(self.typed)} {_ARROW} {right}"


class Added(NamedTuple):
    """What the dictionary added to a query for one member that occurs in it."""

    member: str
    synonyms: tuple[str, ...]


class Expanded(NamedTuple):
    """A query with its synonyms, and what was added, from left to right."""

    expression: Expression
    added: tuple[Added, ...]


def parse_rules(text: str) -> list[Rule]:
    """The rules of a dictionary, one a line; empty lines and comments are left out. Raises `RuleError`."""
    rules: list[Rule] = []
    faults: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not (content := _COMMENT.sub("", line).strip()):
            continue
        try:
            rules.append(parse_rule(content))
        except ValueError as error:
            faults.append(f"Line {number}: {error}")
    if len(rules) > MOST_RULES:
        faults.append(f"There are {len(rules):,} rules; write at most {MOST_RULES:,}.")
    if faults:
        raise RuleError(faults)
    return rules


def parse_rule(line: str) -> Rule:
    """The rule of a line without comment. Raises `ValueError` with advice."""
    sides = line.split(_ARROW)
    if len(sides) > 2:
        raise ValueError(f"Write {_ARROW} only once.")
    typed, found = parse_members(sides[0]), parse_members(sides[-1])
    if len(sides) == 1 and len(typed) < 2:
        raise ValueError(f"Write two members or more, with commas between them, or `{typed[0]} {_ARROW} another`.")
    if len(typed) + (len(found) if len(sides) > 1 else 0) > MOST_MEMBERS:
        raise ValueError(f"Write at most {MOST_MEMBERS} members in a rule.")
    if len(sides) > 1 and {*map(member_forms, typed)} & {*map(member_forms, found)}:
        raise ValueError(f"The same member stands on both sides of {_ARROW}; write each once.")
    return Rule(typed, found)


def parse_members(side: str) -> tuple[str, ...]:
    """The members of one side of a rule. Raises `ValueError` for one that cannot be searched for or comes twice."""
    members = [" ".join(member.split()) for member in side.split(",")]
    known = set()
    for member in members:
        if not member:
            raise ValueError("Write a word or phrase on both sides of each comma and arrow.")
        if len(member) > LONGEST_MEMBER or len(forms := member_forms(member)) > MOST_FORMS:
            raise ValueError(
                f"{member[:40]!r} is too long; write at most {LONGEST_MEMBER} characters and {MOST_FORMS} words."
            )
        if not forms:
            raise ValueError(f"{member[:40]!r} has no letter or digit, so it cannot be searched for.")
        if forms in known:
            raise ValueError(f"{member[:40]!r} is in the rule twice; case, accents and punctuation make no difference.")
        known.add(forms)
    return tuple(members)


Forms = tuple[str, ...]


@dataclass(frozen=True)
class Synonyms:
    """The rules in the form in which queries are looked up: for the forms of a member its synonyms, as written."""

    found: Mapping[Forms, tuple[str, ...]] = field(default_factory=dict)
    longest: int = 0

    def expand(self, expression: Expression) -> Expanded:
        """The expression with the synonyms of the members in it, `MOST_ALTERNATIVES` at most."""
        if not self.found:
            return Expanded(expression, ())
        expansion = _Expansion(self)
        return Expanded(expansion.expand(expression), tuple(expansion.added))


NO_SYNONYMS = Synonyms()


@lru_cache(2)
def compile_rules(text: str) -> Synonyms:
    """The synonyms of a dictionary without faults. An edit of anything else than the dictionary finds them cached."""
    found: dict[Forms, dict[str, None]] = {}
    for rule in parse_rules(text):
        for member in rule.typed:
            others = found.setdefault(member_forms(member), {})
            others.update((each, None) for each in rule.found if each != member)
    return Synonyms({forms: tuple(others) for forms, others in found.items()}, max(map(len, found), default=0))


class _Expansion:
    """One walk through an expression; `left` synonyms may still be added."""

    def __init__(self, synonyms: Synonyms) -> None:
        self.synonyms = synonyms
        self.left = MOST_ALTERNATIVES
        self.added: list[Added] = []

    def expand(self, expression: Expression) -> Expression:
        match expression:
            case Spellings():
                return self.with_synonyms([expression]) or expression
            case And(operands):
                expanded = tuple(self.expand_all(operands))
                return And(expanded) if len(expanded) > 1 else expanded[0]
            case Or(operands):
                return Or(tuple(map(self.expand, operands)))
            case Not(operand):
                return Not(self.expand(operand))
            case Term() | Phrase():
                return self.with_synonyms([expression]) or expression
        return expression

    def expand_all(self, operands: Sequence[Expression]) -> Iterator[Expression]:
        """The operands of a conjunction. Words side by side that are one member become one operand."""
        start = 0
        while start < len(operands):
            for end in range(min(len(operands), start + self.synonyms.longest), start + 1, -1):
                if joined := self.with_synonyms(operands[start:end]):
                    yield joined
                    start = end
                    break
            else:
                yield self.expand(operands[start])
                start += 1

    def with_synonyms(self, operands: Sequence[Expression]) -> Spellings | None:
        """What is typed, and its synonyms in the same fields; None if it is no member."""
        parts = [own_forms(operand) for operand in operands]
        fields = {fields_of(operand) for operand in operands}
        if None in parts or len(fields) > 1:
            return None
        others = self.synonyms.found.get(tuple(form for part in parts if part for form in part), ())[: self.left]
        if not others:
            return None
        self.left -= len(others)
        typed = operands[0] if len(operands) == 1 else And(tuple(operands))
        self.added.append(Added(" ".join(form for part in parts if part for form in part), others))
        sought = [parse_member(other, *fields) for other in others]
        start = start_of(operands[0])
        flat = [each for part in (typed, *(place_at(part, start) for part in sought)) for each in alternatives_of(part)]
        return Spellings(tuple(dict.fromkeys(flat)))


def own_forms(expression: Expression) -> Forms | None:
    """The forms of a word or whole phrase as it is typed; None for what is neither."""
    match expression:
        case Term(form):
            return (form,)
        case Phrase(forms, prefix):
            return None if prefix else forms
        case Spellings(operands):
            return own_forms(operands[0])
    return None


def fields_of(expression: Expression) -> frozenset[str] | None:
    match expression:
        case Term() | Phrase() | Prefix() | Near():
            return expression.fields
        case And(operands) | Or(operands):
            return fields_of(operands[0])
        case Not(operand):
            return fields_of(operand)
        case Named():
            return None


def start_of(expression: Expression) -> int:
    match expression:
        case Term() | Phrase() | Prefix() | Near() | Named():
            return expression.start
        case And(operands) | Or(operands):
            return start_of(operands[0])
        case Not(operand):
            return start_of(operand)


def place_at(expression: Expression, start: int) -> Expression:
    """The expression as if all of it stood at one place of the query: where the member is that it was added for."""
    match expression:
        case And(operands) | Or(operands):
            return replace(expression, operands=tuple(place_at(operand, start) for operand in operands))
        case Not(operand):
            return Not(place_at(operand, start))
        case leaf:
            return replace(leaf, start=start)


def alternatives_of(expression: Expression) -> Iterable[Expression]:
    return expression.operands if isinstance(expression, Or) else (expression,)


@lru_cache(10_000)
def member_forms(member: str) -> Forms:
    """The forms by which a member is recognised in a query: as the parser of queries reads it."""
    return own_forms(parse_member(member, None)) or tuple(word_forms(member))


@lru_cache(1000)
def parse_member(member: str, fields: frozenset[str] | None) -> Expression:
    """A member as it would be typed: a word by its stems, more as a phrase."""
    is_word = not _SPECIAL.search(member) and member not in _OPERATORS
    try:
        return parse_query(member if is_word else f'"{_QUOTES.sub(" ", member)}"', fields)
    except ExpressionError:
        return Phrase(tuple(word_forms(member)), fields=fields)
