"""The tokens of `q`: words, quotations, parentheses and signs, and what of a pasted text is only punctuation; pure.

A person pastes `5'10" player`, `Rates rise :)` or `Summary: what we know`. A quotation mark that opens nothing, a
parenthesis without its counterpart and an emoticon are punctuation, and are left out. Where an operator shows that a
group or a quotation was meant, they are faults. Not here: operators and operands (`syntax`).

Each text is read once from left to right, so that 4,000 quotation marks or parentheses cost no more than 4,000 letters.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import regex

from newswire.search.analysis import FIELDS
from newswire.search.normal_form import UNSPACED, separate_thousands

FIRST_GRAMMAR, GRAMMAR = 1, 2
"""The grammar of feeds that were saved before there was a second one, and today's.

In the first one only `FIELDS` are fields, a minus excludes whatever follows it, a quotation may begin within a word, an
emoticon has a parenthesis, and there is no proximity.
"""
FIELD_NAMES = {field: field for field in FIELDS} | {
    "title": "headline", "author": "byline", "section": "section", "publisher": "publisher",
}  # fmt: skip
"""The names of fields in a query, with the field that each stands for: names of authors are part of the byline."""


class ExpressionError(ValueError):
    """A syntax error in a query: `detail` advises the reader, `position` is the index of the character."""

    def __init__(self, detail: str, position: int) -> None:
        super().__init__(detail, position)
        self.detail = detail
        self.position = position


class QueryToken(NamedTuple):
    """A part of a query, `end` exclusive. The text of a quotation includes the marks and a * or ~5 behind them."""

    kind: str
    text: str
    start: int
    end: int


# Any mark of a family closes a quotation that another mark of it opened: „…“ “…” ”…” "…" «…» »…«.
_DOUBLE = '"\u201c\u201d\u201e\u201f\u2033\uff02\u301d\u301e\u301f'
_FAMILIES = (_DOUBLE, "«»")
_BRACKETS = {"「": "」", "『": "』", "｢": "｣"}
_QUOTES = _DOUBLE + "«»「」『』｢｣"
_CLOSING = {mark: regex.compile(f"[{family}]") for family in _FAMILIES for mark in family} | {
    mark: regex.compile(closing) for mark, closing in _BRACKETS.items()
}
# Invisible marks of writing direction, which come with text copied from right-to-left pages.
_TURN = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_MINUS = r"-\u2212\uff0d\ufe63"


def _token_pattern(minus: str, field: str) -> Any:
    return regex.compile(
        rf"""(?xV1)
          (?P<blank>[\s{_TURN}]+)
        | {minus}
        | (?P<open>[(（])
        | (?P<close>[)）])
        | (?P<mark>[{_QUOTES}])
        | {field}[{_TURN}]*
        | (?P<word>[^\s()（）{_QUOTES}]+)
        """
    )


# A minus excludes at the beginning of a word, and before a letter, a quotation or a group only: not in -5°C, not in
# `Oil - Reuters`. The value of a field is joined to it. `:)`, `;-)` and `=(` are no parentheses.
_PATTERNS = {
    FIRST_GRAMMAR: _token_pattern(
        rf"(?P<minus>[{_MINUS}]|\u2013(?!\s|\Z))[{_TURN}]*", rf"(?P<field>(?i:{'|'.join(FIELDS)})[:：])"
    ),
    GRAMMAR: _token_pattern(
        rf"""(?<![^\s(（{_TURN}])(?P<minus>[{_MINUS}\u2013])[{_TURN}]*(?=[\p{{L}}(（{_DOUBLE}«»「『｢])
        | (?<![^\s(（])(?P<face>[:;=]['’]?-?[()（）])(?=[\s)）]|\Z)""",
        rf"(?<![:：][{_TURN}]*)(?P<field>(?i:{'|'.join(FIELD_NAMES)})[:：])(?=[{_TURN}]*+(?:[(（{_QUOTES}]|[^\s)）]\S*?[\p{{L}}\p{{N}}]"
        rf"|[\p{{L}}\p{{N}}]))",
    ),
}
_OPERATORS = {"OR": "or", "AND": "and", "NOT": "not"}
_BEHIND_QUOTATION = {
    FIRST_GRAMMAR: regex.compile("[*＊]*"),
    GRAMMAR: regex.compile(r"[*＊]+|[~～][0-9]+(?![\w])|"),
}
# In Hebrew a quotation mark within a word marks an abbreviation, and opens no quotation: צה"ל.
_GERSHAYIM = regex.compile(rf"(?<=\p{{Hebrew}})[{_DOUBLE}](?=\p{{Hebrew}})", regex.V1)
# Behind a letter or digit it closes, or stands for inches. Scripts without spaces quote without spaces as well.
_WITHIN_WORD = regex.compile(rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}]", regex.V1)


def read_tokens(text: str, grammar: int) -> Iterator[QueryToken]:
    """The tokens of a query; a quotation mark that opens nothing is a `mark`."""
    text = _GERSHAYIM.sub("\u05f4", text)
    if grammar != FIRST_GRAMMAR:
        text = separate_thousands(text)
    # Marks of which none follows any more. They are not looked for again.
    absent: set[Any] = set()
    place = 0
    while place < len(text):
        found = _PATTERNS[grammar].match(text, place)
        kind, end = found.lastgroup, found.end()
        if kind == "mark" and (quoted := _quotation_end(text, place, grammar, absent)):
            yield QueryToken("quoted", text[place:quoted], place, quoted)
            place = quoted
            continue
        if kind != "blank":
            yield QueryToken(_OPERATORS.get(found[0], kind), found[kind], place, end)
        place = end


def _quotation_end(text: str, start: int, grammar: int, absent: set[Any]) -> int | None:
    """The end of the quotation that a mark opens, with a star or distance behind it; None: it opens none."""
    closing = _CLOSING.get(text[start])
    if closing is None or closing in absent:
        return None
    if grammar != FIRST_GRAMMAR and text[start] not in _BRACKETS and start and _WITHIN_WORD.match(text[start - 1]):
        return None
    found = closing.search(text, start + 1)
    if found is None:
        absent.add(closing)
        return None
    end: int = _BEHIND_QUOTATION[grammar].match(text, found.end()).end()
    return end


class Group(NamedTuple):
    """A pair of parentheses by the indices of their tokens; `has_or`: an OR stands directly in it."""

    opening: int
    closing: int
    has_or: bool


def pair_parentheses(tokens: Sequence[QueryToken]) -> tuple[list[Group], list[int]]:
    """The pairs of parentheses, and the indices of those without a counterpart, in order."""
    groups: list[Group] = []
    stray: list[int] = []
    opened: list[tuple[int, bool]] = []
    for index, token in enumerate(tokens):
        if token.kind == "open":
            opened.append((index, False))
        elif token.kind == "or" and opened:
            opened[-1] = (opened[-1][0], True)
        elif token.kind == "close" and opened:
            opening, has_or = opened.pop()
            groups.append(Group(opening, index, has_or))
        elif token.kind == "close":
            stray.append(index)
    return groups, sorted([*stray, *(index for index, _ in opened)])


def sort_out_punctuation(
    text: str, tokens: Sequence[QueryToken], strict: bool
) -> tuple[list[QueryToken], list[QueryToken]]:
    """The tokens that mean something, and those that are left out as punctuation.

    Parentheses around what has no OR and no sign before it make no difference, and go without being mentioned. Raises
    `ExpressionError` for a stray mark or parenthesis if `strict`, or where an operator shows that it was meant.
    """
    groups, stray = pair_parentheses(tokens)
    punctuation = {index for index, token in enumerate(tokens) if token.kind in ("mark", "face")} | {*stray}
    beside = _beside_operators(tokens, stray)
    for index in sorted(punctuation):
        if strict or index in beside or _has_sign(tokens, index, text):
            raise stray_error(tokens[index])
    plain: set[int] = set()
    for opening, closing, has_or in groups:
        if opening + 1 == closing:
            if strict:
                raise ExpressionError(
                    "Write something within the parentheses, or leave them out.", tokens[opening].start
                )
            punctuation |= {opening, closing}
        elif not has_or and not (opening and tokens[opening - 1].kind in ("minus", "not", "field")):
            plain |= {opening, closing}
    kept = [token for index, token in enumerate(tokens) if index not in punctuation and index not in plain]
    return kept, [tokens[index] for index in sorted(punctuation)]


def _beside_operators(tokens: Sequence[QueryToken], stray: Sequence[int]) -> set[int]:
    """The stray parentheses that would hold an operator: one that opens all to the end, one that closes all before."""
    operators = [index for index, token in enumerate(tokens) if token.kind in ("or", "and", "not")]
    if not operators:
        return set()
    found = set()
    after = -1
    for index in stray:
        if tokens[index].kind == "open":
            if index < operators[-1]:
                found.add(index)
        else:
            following = bisect_right(operators, after)
            if following < len(operators) and operators[following] < index:
                found.add(index)
            after = index
    return found


def _has_sign(tokens: Sequence[QueryToken], index: int, text: str) -> bool:
    """Whether a mark or parenthesis stands between a minus or a field and what follows: something is to be grouped."""
    token = tokens[index]
    before = tokens[index - 1] if index else None
    is_joined = before is not None and before.kind in ("minus", "field") and before.end == token.start
    return is_joined and token.end < len(text) and not text[token.end].isspace()


def stray_error(token: QueryToken) -> ExpressionError:
    """The fault of a quotation mark or parenthesis without its counterpart."""
    if token.kind == "mark":
        return ExpressionError(f"Close the quotation that {token.text} begins, or leave it out.", token.start)
    what = "Close" if token.kind == "open" else "Open"
    start = token.end - 1 if token.kind == "face" else token.start
    return ExpressionError(f"{what} this parenthesis, or leave it out.", start)
