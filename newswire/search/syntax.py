"""The query language of `q`: a parser from text to an expression.

Not here: the expression itself (`expression`), matching in process (`matching`) and the analysis of text (`analysis`).

Words side by side must all occur and bind closer than OR: `a b OR c` is (a and b) or c. A minus or NOT excludes the
word, phrase, field or group behind it; AND has no effect. A word of several forms (U.S., Israel's, 中国人) is a phrase.
Text without a letter or digit (an emoji) is ignored.
"""

from collections.abc import Iterator
from typing import NamedTuple

import regex

from newswire.search.analysis import FIELDS, query_forms, split_spellings
from newswire.search.expression import And, Expression, Not, Or, Phrase, Prefix, Term

LONGEST_QUERY = 4_000  # characters
MOST_TERMS = 100  # words, prefixes and phrases, each counted as one
DEEPEST_NESTING = 20  # parentheses within parentheses


class ExpressionError(ValueError):
    """A syntax error in a query: `detail` advises the reader, `position` is the index of the character."""

    def __init__(self, detail: str, position: int) -> None:
        super().__init__(detail, position)
        self.detail = detail
        self.position = position


def parse_query(text: str, search_in: frozenset[str] | None = None) -> Expression:
    """Parses `q` into an expression, which is never a Not. Raises `ExpressionError`."""
    if len(text) > LONGEST_QUERY:
        raise ExpressionError(f"Shorten the query to {LONGEST_QUERY:,} characters.", LONGEST_QUERY)
    parser = _Parser(text, search_in)
    expression = parser.either(None, 0)
    if parser.ahead("close"):
        raise ExpressionError("Open this parenthesis, or leave it out.", parser.rest[-1].start)
    if expression is None:
        raise ExpressionError("Write what to look for: nothing here has a letter or digit.", 0)
    return expression


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


# Any mark of a family closes a quotation that another mark of it opened: „…“ “…” ”…” "…" «…» »…«.
_DOUBLE = '"\u201c\u201d\u201e\u201f\u2033\uff02\u301d\u301e\u301f'
_QUOTES = _DOUBLE + "«»「」『』｢｣"
# Invisible marks of writing direction, which come with text copied from right-to-left pages.
_TURN = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_TOKEN = regex.compile(
    rf"""(?xV1)
      (?P<blank>[\s{_TURN}]+)
    | (?P<open>[(（])
    | (?P<close>[)）])
    | (?P<quoted>(?:[{_DOUBLE}][^{_DOUBLE}]*[{_DOUBLE}]|[«»][^«»]*[«»]|「[^」]*」|『[^』]*』|｢[^｣]*｣)[*＊]*)
    | (?P<unclosed>[{_QUOTES}])
    | (?P<minus>[-\u2212\uff0d\ufe63]|\u2013(?!\s|\Z))[{_TURN}]*
    | (?P<field>(?i:{"|".join(FIELDS)})[:：])[{_TURN}]*
    | (?P<word>[^\s()（）{_QUOTES}]+)
    """
)
_OPERATORS = {"OR": "or", "AND": "and", "NOT": "not"}
# In Hebrew a quotation mark within a word marks an abbreviation, and opens no quotation: צה"ל.
_GERSHAYIM = regex.compile(rf"(?<=\p{{Hebrew}})[{_DOUBLE}](?=\p{{Hebrew}})", regex.V1)
_STAR = regex.compile(r"[*＊]")
_STAR_BEHIND_QUOTES = regex.compile(r"[*＊]+\Z")


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(_GERSHAYIM.sub("\u05f4", text)):
        kind = found.lastgroup
        if kind == "unclosed":
            raise ExpressionError(f"Close the quotation that {found[0]} begins, or leave it out.", found.start())
        if kind != "blank":
            yield _Token(_OPERATORS.get(found[0], kind), found[kind], found.start(), found.end())
    yield _Token("end", "", len(text), len(text))


class _Parser:
    """A recursive descent parser. Its methods return None for text without a letter or digit.

    `rest` is a stack of the tokens that are left, the next one last. `fields` is None outside of a field.
    """

    def __init__(self, text: str, search_in: frozenset[str] | None) -> None:
        self.rest = list(_tokens(text))[::-1]
        self.search_in = search_in
        self.terms = 0

    def ahead(self, *kinds: str) -> bool:
        return self.rest[-1].kind in kinds

    def either(self, fields: frozenset[str] | None, depth: int) -> Expression | None:
        """Parses operands of OR, up to a closing parenthesis or the end."""
        sides: list[Expression] = []
        before = None
        while True:
            start = self.rest[-1].start
            items = self.items(fields, depth)
            behind = self.rest.pop() if self.ahead("or") else None
            operator = before or behind
            if operator and not items:
                raise ExpressionError("Write what to look for on both sides of OR.", operator.start)
            side = _all_of([item for item in items if item], start)
            sides += side.operands if type(side) is Or else [side] if side else []
            if not behind:
                return Or(tuple(sides)) if len(sides) > 1 else sides[0] if sides else None
            before = behind

    def items(self, fields: frozenset[str] | None, depth: int) -> list[Expression | None]:
        """Parses the items of one side of an OR, up to an OR, a closing parenthesis or the end."""
        items = []
        while not self.ahead("or", "close", "end"):
            token = self.rest.pop()
            if token.kind != "and":
                items.append(self.item(token, fields, depth))
        return items

    def item(self, token: _Token, fields: frozenset[str] | None, depth: int) -> Expression | None:
        if token.kind in ("minus", "not"):
            operand = self.item(self.behind(token), fields, depth)
            return Not(operand) if operand else None
        if token.kind == "field":
            if fields is not None:
                raise ExpressionError("Leave out this field: it stands within another one.", token.start)
            return self.item(self.behind(token), frozenset({token.text[:-1].casefold()}), depth)
        return self.group(token, fields, depth + 1) if token.kind == "open" else self.leaf(token, fields)

    def behind(self, sign: _Token) -> _Token:
        """Takes the operand of a minus, NOT or field, which must follow directly; behind NOT a blank is allowed."""
        parted = sign.end != self.rest[-1].start and (sign.kind != "not" or self.ahead("or", "and"))
        if parted or self.ahead("close", "end", "minus", "not"):
            raise ExpressionError(f"Write a word directly behind {sign.text}, or leave it out.", sign.start)
        return self.rest.pop()

    def group(self, opening: _Token, fields: frozenset[str] | None, depth: int) -> Expression | None:
        if depth > DEEPEST_NESTING:
            raise ExpressionError(f"Nest at most {DEEPEST_NESTING} parentheses.", opening.start)
        if self.ahead("close"):
            raise ExpressionError("Write something within the parentheses, or leave them out.", opening.start)
        expression = self.either(fields, depth)
        if not self.ahead("close"):
            raise ExpressionError("Close this parenthesis, or leave it out.", opening.start)
        self.rest.pop()
        return expression

    def leaf(self, token: _Token, fields: frozenset[str] | None) -> Expression | None:
        quoted, text = token.kind == "quoted", token.text
        star = (_STAR_BEHIND_QUOTES if quoted else _STAR).search(text)
        if star and not split_spellings(text[: star.start()]):
            raise ExpressionError("Put the * behind the beginning of a word: intern*.", token.start + star.start())
        forms, prefix = query_forms(text, open_ended=bool(star and not split_spellings(text[star.start() :])))
        if not forms:
            return None
        fields = fields or self.search_in
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise ExpressionError(f"Look for at most {MOST_TERMS} words and phrases.", token.start)
        if len(forms) == 1 and (prefix or not quoted):
            if prefix:
                return Prefix(forms[0], fields, token.start)
            return Term(forms[0], split_spellings(text)[0], fields, token.start)
        return Phrase(forms, prefix, fields, token.start)


def _all_of(items: list[Expression], position: int) -> Expression | None:
    """The conjunction of the items of one side of an OR. Raises `ExpressionError` if all of them are exclusions.

    To find all articles that lack a word, an engine would have to read the whole wire.
    """
    if items and all(isinstance(item, Not) for item in items):
        raise ExpressionError("Write also what to look for: here things are only excluded.", position)
    operands = [part for item in items for part in (item.operands if isinstance(item, And) else (item,))]
    return And(tuple(operands)) if len(operands) > 1 else operands[0] if operands else None
