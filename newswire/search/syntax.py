"""The query language of `q`: a parser from text to an expression.

Not here: tokens and punctuation (`tokens`), the expression itself (`expression`), matching in process (`matching`) and
the analysis of text (`analysis`).

Words side by side must all occur and bind closer than OR: `a b OR c` is (a and b) or c. A minus or NOT excludes the
word, phrase, field or group behind it; AND has no effect. A word of several forms (U.S., Israel's, 中国人) is a phrase.
What means nothing (an emoji, a dash, `Note:`, a star before a word) is left out and reported. A strict reading refuses
what is broken, and understands everything else in the same way.
"""

from typing import NamedTuple

import regex

from newswire.search.analysis import split_spellings
from newswire.search.expression import And, Expression, Not, Or
from newswire.search.name_fields import NAME_FIELDS, name_condition
from newswire.search.proximity import DISTANCE, MOST_NEAR, near_condition
from newswire.search.tokens import FIELD_NAMES, FIRST_GRAMMAR, GRAMMAR, QueryToken, read_tokens, sort_out_punctuation
from newswire.search.tokens import ExpressionError as ExpressionError
from newswire.search.variants import find_spellings

LONGEST_QUERY = 4_000  # characters
MOST_TERMS = 100  # words, prefixes and phrases, each counted as one
DEEPEST_NESTING = 20  # groups within groups
WITHIN_FIELD = "Leave out this field: it stands within another one."

# A name that is joined to its value, as in `foo:bar`; not the colon of 10:30, of http:// or of C:\path.
_UNKNOWN_FIELD = regex.compile(r"([\p{L}_][\p{L}\p{M}\p{N}_-]*)[:：](?=[\p{L}\p{N}])", regex.V1)
_NAME_WITHOUT_VALUE = regex.compile(r"[\p{L}_][\p{L}\p{M}\p{N}_-]*[:：]", regex.V1)
_MINUS_WITHOUT_WORD = regex.compile(r"[-\u2212\uff0d\ufe63]|\u2013.", regex.V1)
_STAR = regex.compile(r"[*＊]")
_STAR_BEHIND_QUOTES = regex.compile(r"[*＊]+\Z")


class NothingSought(ExpressionError):
    """A query without any letter or digit. `left_out` are its parts."""

    def __init__(self, left_out: tuple[str, ...]) -> None:
        super().__init__("Write what to look for: nothing here has a letter or digit.", 0)
        self.left_out = left_out


class ParsedQuery(NamedTuple):
    """A query as understood: its expression, the parts that mean nothing, and names that are no fields but words."""

    expression: Expression
    left_out: tuple[str, ...] = ()
    unknown_fields: tuple[str, ...] = ()


def parse_query(text: str, search_in: frozenset[str] | None = None) -> Expression:
    """Parses `q` into an expression, which is never a Not. Raises `ExpressionError`."""
    return understand_query(text, search_in).expression


def understand_query(
    text: str, search_in: frozenset[str] | None = None, *, strict: bool = False, grammar: int = GRAMMAR
) -> ParsedQuery:
    """Parses `q`, in `strict` reading or as people paste it. Raises `ExpressionError`, `NothingSought` among them."""
    if len(text) > LONGEST_QUERY:
        raise ExpressionError(f"Shorten the query to {LONGEST_QUERY:,} characters.", LONGEST_QUERY)
    parser = _Parser(text, search_in, strict, grammar)
    expression = parser.either(None, 0)
    left_out = tuple(part for _, part in sorted(parser.left_out))
    if expression is None:
        raise NothingSought(left_out)
    return ParsedQuery(expression, left_out, tuple(dict.fromkeys(parser.unknown_fields)))


class _Parser:
    """A recursive descent parser. Its methods return None for what is left out.

    `rest` is a stack of the tokens that are left, the next one last. `fields` is None outside of a field.
    """

    def __init__(self, text: str, search_in: frozenset[str] | None, strict: bool, grammar: int) -> None:
        tokens, punctuation = sort_out_punctuation(text, [*read_tokens(text, grammar)], strict)
        self.rest = [*tokens, QueryToken("end", "", len(text), len(text))][::-1]
        self.left_out = [(token.start, token.text) for token in punctuation]
        self.unknown_fields: list[str] = []
        self.search_in, self.strict, self.grammar = search_in, strict, grammar
        self.terms = self.nears = 0

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
                raise ExpressionError(
                    "Write what to look for on both sides of OR, or write or in small letters.", operator.start
                )
            side = _all_of([item for item in items if item], start)
            sides += side.operands if type(side) is Or else [side] if side else []
            if not behind:
                return Or(tuple(sides)) if len(sides) > 1 else sides[0] if sides else None
            before = behind

    def items(self, fields: frozenset[str] | None, depth: int) -> list[Expression | None]:
        """Parses the items of one side of an OR, up to an OR, a closing parenthesis or the end."""
        items: list[Expression | None] = []
        while not self.ahead("or", "close", "end"):
            token = self.rest.pop()
            if token.kind != "and":
                items.append(self.item(token, fields, depth))
            elif not items or self.ahead("or", "and", "close", "end"):
                self.refuse("Write what to look for on both sides of AND.", token.start)
                self.leave_out(token)
        return items

    def item(self, token: QueryToken, fields: frozenset[str] | None, depth: int) -> Expression | None:
        if token.kind in ("minus", "not"):
            operand = self.operand(token)
            if operand is None:
                # A NOT without an operand is a word in capitals; a minus is a dash.
                return self.leaf(token, fields)
            excluded = self.item(operand, fields, depth)
            return Not(excluded) if excluded else None
        if token.kind == "field":
            if fields is not None:
                self.refuse(WITHIN_FIELD, token.start)
            operand = None if fields else self.operand(token)
            if operand is None:
                return self.leaf(token, fields)
            return self.item(operand, frozenset({FIELD_NAMES[token.text[:-1].casefold()]}), depth)
        return self.group(token, fields, depth + 1) if token.kind == "open" else self.leaf(token, fields)

    def operand(self, sign: QueryToken) -> QueryToken | None:
        """Takes the operand of a minus, NOT or field; None: there is none.

        It follows directly; behind NOT a blank is allowed, and what could be an operator is then one.
        """
        parted = sign.end != self.rest[-1].start and (sign.kind != "not" or self.ahead("or", "and"))
        if parted or self.ahead("close", "end", "minus", "not"):
            self.refuse(f"Write a word directly behind {sign.text}, or leave it out.", sign.start)
            return None
        return self.rest.pop()

    def group(self, opening: QueryToken, fields: frozenset[str] | None, depth: int) -> Expression | None:
        if depth > DEEPEST_NESTING:
            raise ExpressionError(f"Nest at most {DEEPEST_NESTING} parentheses.", opening.start)
        expression = self.either(fields, depth)
        self.rest.pop()
        return expression

    def leaf(self, token: QueryToken, fields: frozenset[str] | None) -> Expression | None:
        quoted, text = token.kind == "quoted", token.text
        if token.kind == "word":
            self.check_word(token)
        star = (_STAR_BEHIND_QUOTES if quoted else _STAR).search(text)
        if star and (not split_spellings(text[: star.start()]) or self.follows_colon(text, star.start())):
            self.refuse("Put the * behind the beginning of a word: intern*.", token.start + star.start())
            star = None
        open_ended = bool(star and not split_spellings(text[star.start() :]))
        if fields and fields <= NAME_FIELDS:
            return self.name(token, *fields, open_ended=open_ended)
        if quoted and self.grammar != FIRST_GRAMMAR and DISTANCE.search(text):
            return self.near(token, fields or self.search_in)
        found = find_spellings(
            text, fields or self.search_in, token.start,
            quoted=quoted, open_ended=open_ended, leaves_before=self.terms,
        )  # fmt: skip
        if found is None:
            self.leave_out(token)
        else:
            self.count_term(token)
        return found

    def name(self, token: QueryToken, kind: str, *, open_ended: bool) -> Expression | None:
        text = token.text
        if token.kind == "quoted" and (distance := DISTANCE.search(text)):
            advice = f"Leave {distance[0]} out: the words of a name may stand in any order."
            self.refuse(advice, token.start + distance.start())
            text = text[: distance.start()]
        found = name_condition(kind, text, token.start, open_ended=open_ended)
        if found is None:
            self.leave_out(token)
        else:
            self.count_term(token)
        return found

    def near(self, token: QueryToken, fields: frozenset[str] | None) -> Expression:
        self.count_term(token)
        self.nears += 1
        if self.nears > MOST_NEAR:
            raise ExpressionError(f"Write at most {MOST_NEAR} quotations with a distance.", token.start)
        return near_condition(token, fields)

    def follows_colon(self, text: str, place: int) -> bool:
        """Whether what stands at `place` is the value of a field, and does not belong to the name: `headline:*`."""
        return self.grammar != FIRST_GRAMMAR and text[place - 1] in ":："

    def count_term(self, token: QueryToken) -> None:
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise ExpressionError(f"Look for at most {MOST_TERMS} words and phrases.", token.start)

    def check_word(self, token: QueryToken) -> None:
        """Reports a name that is no field, and refuses it and other broken syntax in a word where that is wanted."""
        following = self.rest[-1]
        joined = following.start == token.end and following.kind in ("quoted", "open")
        unknown = _UNKNOWN_FIELD.match(token.text)
        if unknown or (joined and _NAME_WITHOUT_VALUE.fullmatch(token.text)):
            name = unknown[1] if unknown else token.text[:-1]
            self.unknown_fields.append(name)
            if name.casefold() in FIELD_NAMES:
                self.refuse(WITHIN_FIELD, token.start)
            known = ", ".join(FIELD_NAMES)
            self.refuse(f"There is no field {name[:50]}; quote it if it is text. The fields are {known}.", token.start)
        elif _NAME_WITHOUT_VALUE.fullmatch(token.text):
            self.refuse("Write a value directly behind the colon, or leave the colon out.", token.end - 1)
        elif minus := _MINUS_WITHOUT_WORD.match(token.text):
            advice = "Write a word directly behind - to exclude it, or quote what begins with it, or leave it out."
            self.refuse(advice, token.start + minus.start())

    def refuse(self, detail: str, position: int) -> None:
        """Raises `ExpressionError` if the reading is strict; else what is broken is understood as punctuation."""
        if self.strict:
            raise ExpressionError(detail, position)

    def leave_out(self, token: QueryToken) -> None:
        self.left_out.append((token.start, token.text))


def _all_of(items: list[Expression], position: int) -> Expression | None:
    """The conjunction of the items of one side of an OR. Raises `ExpressionError` if all of them are exclusions.

    To find all articles that lack a word, an engine would have to read the whole wire.
    """
    if items and all(isinstance(item, Not) for item in items):
        raise ExpressionError("Write also what to look for: here things are only excluded.", position)
    operands = [part for item in items for part in (item.operands if isinstance(item, And) else (item,))]
    return And(tuple(operands)) if len(operands) > 1 else operands[0] if operands else None
