"""Highlighting: the headline of a match and fragments of its body, with `<mark>` around the matching words.

The analysis of the search index decides what matches, so stems, phrases, prefixes and scripts without spaces are marked
as the search finds them. Everything but the marks is escaped for HTML. Not here: the offsets of words in a text
(`newswire.search.offsets`).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import chain, islice, takewhile
from typing import Any, NamedTuple

from newswire.search.compounds import Span
from newswire.search.expression import (
    And,
    Expression,
    Leaf,
    Named,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Spellings,
    Term,
    find_leaves,
)
from newswire.search.offsets import Token, find_tokens, find_variant_tokens
from newswire.search.proximity import near_indices
from newswire.search.stemming import stemming_language, word_stems

LOOKED_AT = 100_000
"""Characters of a body that are searched for matches, and as many more as end the last word."""
LOOKED_AT_TOGETHER = 2_000_000
"""The same for all bodies of a page: 100 long ones would take four seconds."""

MOST_FRAGMENTS = 3
LONGEST = 200
"""Characters of a fragment; twice as many where a long phrase needs them."""
BEFORE = 60
"""Characters of a fragment before its first match."""

_BLANK = re.compile(r"\s")
_REST_OF_WORD = re.compile(r"\S{0,100}")


class Passage(NamedTuple):
    """A part of a text, by character offsets; the end is exclusive."""

    start: int
    end: int


def highlight_article(
    expression: Expression, article: Mapping[str, Any], looked_at: int = LOOKED_AT
) -> dict[str, list[str]]:
    """The marked headline, if it matches, and up to `MOST_FRAGMENTS` of the first `looked_at` characters of the body.

    A tombstone has neither.
    """
    language = stemming_language(article.get("language"))
    # A relaxed expression holds a leaf several times.
    sought = [*dict.fromkeys(map(tuple, find_alternatives(expression)))]
    headline, body = article.get("headline") or "", article.get("body_text") or ""
    in_headline = find_matches(headline, "headline", sought, language)
    rest_of_word = _REST_OF_WORD.match(body, looked_at)
    in_body = find_matches(body[: rest_of_word.end() if rest_of_word else looked_at], "body", sought, language)
    return {
        "headline": [mark_passage(headline, in_headline, Passage(0, len(headline)))] if in_headline else [],
        "body": [
            mark_fragment(body, in_body, fragment) for fragment in islice(cut_fragments(body, in_body), MOST_FRAGMENTS)
        ],
    }


def find_alternatives(expression: Expression) -> Iterator[Sequence[Leaf]]:
    """The leaves of an expression, without excluded ones; those that are one spelling of a phrase together."""
    match expression:
        case Not() | Named():
            return
        case Spellings(operands):
            for operand in operands:
                yield [leaf for leaf, _ in find_leaves(operand)]
        case And(operands) | Or(operands):
            for operand in operands:
                yield from find_alternatives(operand)
        case leaf:
            yield [leaf]


def find_matches(text: str, field: str, sought: Iterable[Sequence[Leaf]], language: str) -> list[Passage]:
    """The matches in a text whose words are stemmed in `language`, in order; adjacent ones are joined.

    Leaves that are sought together are marked only if all of them are in the text.
    """
    groups = [leaves for leaves in sought if all(leaf.fields is None or field in leaf.fields for leaf in leaves)]
    if not groups:
        return []
    tokens, variants = [*find_tokens(text)], [*find_variant_tokens(text)]
    matching = leaf_matches(tokens, variants, [leaves[0] for leaves in groups if len(leaves) == 1], language)
    for leaves in groups:
        # The tokens of compounds come first: nearly all texts lack them.
        if len(leaves) > 1:
            found = (leaf_matches(tokens, variants, [leaf], language) for leaf in sorted(leaves, key=is_phrase))
            parts = [*takewhile(bool, found)]
            matching += chain.from_iterable(parts) if len(parts) == len(leaves) else ()
    joined: list[Passage] = []
    for start, end in sorted(matching):
        end = after_marks(text, end)
        if joined and start <= joined[-1].end:
            joined[-1] = Passage(joined[-1].start, max(end, joined[-1].end))
        else:
            joined.append(Passage(start, end))
    return joined


def is_phrase(leaf: Leaf) -> bool:
    return isinstance(leaf, Phrase)


def leaf_matches(
    tokens: Sequence[Token], variants: Sequence[Span], leaves: Sequence[Leaf], language: str
) -> list[Passage]:
    """The matches of any of these leaves.

    The tokens are looked at once for all words and once for all prefixes: 100 words in 100 articles took 0.8 s when
    each was looked for by itself.
    """
    matching: list[Passage] = []
    if words := [leaf for leaf in leaves if isinstance(leaf, Term)]:
        matching += word_matches(tokens, variants, words, language)
    if prefixes := [leaf.form for leaf in leaves if isinstance(leaf, Prefix)]:
        matching += prefix_matches(tokens, prefixes)
    if phrases := [leaf for leaf in leaves if isinstance(leaf, Phrase)]:
        matching += phrase_matches(tokens, phrases)
    for near in (leaf for leaf in leaves if isinstance(leaf, Near)):
        found = {*near_indices(near, [token.form for token in tokens])}
        matching += (Passage(tokens[index].start, tokens[index].end) for index in found)
    return matching


def word_matches(
    tokens: Sequence[Token], variants: Sequence[Span], words: Sequence[Term], language: str
) -> Iterator[Passage]:
    """The matches of words, by their forms or by their stems in the language of the text; sign words by these."""
    forms = {word.form for word in words if "_" not in word.spelling}
    stems = frozenset[str]().union(*(word_stems(word.spelling, language) for word in words))
    # Each distinct spelling is stemmed once, however often it occurs.
    spellings = {token.spelling for token in tokens if token.spelling is not None} | {span.token for span in variants}
    alike = {spelling for spelling in spellings if not stems.isdisjoint(word_stems(spelling, language))}
    for token in tokens:
        if token.form in forms or token.spelling in alike:
            yield Passage(token.start, token.end)
    for span in variants:
        if span.token in alike:
            yield Passage(span.start, span.end)


def prefix_matches(tokens: Sequence[Token], prefixes: Sequence[str]) -> Iterator[Passage]:
    """The matches of prefixes. The longest one decides where a match ends."""
    longer, letters = (tuple(form for form in prefixes if (len(form) > 1) is long) for long in (True, False))
    for token in tokens:
        if longer and token.form.startswith(longer):
            yield Passage(token.start, token.end)
        elif letters and token.form.startswith(letters):
            yield Passage(token.start, token.first)


def phrase_matches(tokens: Sequence[Token], phrases: Sequence[Phrase]) -> Iterator[Passage]:
    """The matches of phrases, which are looked for at the places of their first forms only."""
    places: dict[str, list[int]] = {}
    for index, token in enumerate(tokens):
        places.setdefault(token.form, []).append(index)
    for forms, prefix in ((phrase.forms, phrase.prefix) for phrase in phrases):
        *before, last = forms
        # A phrase of one form is no prefix, so that its first form is found as it is.
        for first in places.get(forms[0], ()):
            following = tokens[first : first + len(forms)]
            if len(following) < len(forms) or any(
                token.form != form for token, form in zip(following, before, strict=False)
            ):
                continue
            token = following[-1]
            if token.form.startswith(last) if prefix else token.form == last:
                yield Passage(following[0].start, end_of_match(token, last))


def end_of_match(token: Token, form: str) -> int:
    """The end of a match: after the first letter of its last token if `form` is one letter, else the token's end."""
    return token.first if len(form) == 1 else token.end


def cut_fragments(text: str, matching: Sequence[Passage]) -> Iterator[Passage]:
    """Cuts fragments around the matches, in order and without overlap, from blank to blank where there are blanks."""
    end = 0
    for span in matching:
        if span.start >= end:
            start = beginning_of(text, span.start, end)
            end = ending_of(text, start, span.end)
            yield Passage(start, end)


def beginning_of(text: str, match: int, earliest: int) -> int:
    """The start of a fragment: at most `BEFORE` characters before its match, at the beginning of a word."""
    start = max(earliest, match - BEFORE)
    if start > 0 and not text[start - 1].isspace() and (blank := _BLANK.search(text, start, match)):
        start = blank.end()
    while start < match and (text[start].isspace() or is_mark(text[start])):
        start += 1
    return start


def ending_of(text: str, start: int, match: int) -> int:
    """The end of a fragment from `start`: at the end of a word, and behind its match unless that is overlong."""
    least = min(match, start + 2 * LONGEST)
    end = min(len(text), max(least, start + LONGEST))
    if end == len(text):
        return end
    at_blank = end
    while at_blank > least and not text[at_blank].isspace():
        at_blank -= 1
    return at_blank if at_blank > least or text[least].isspace() else after_marks(text, end)


def after_marks(text: str, place: int) -> int:
    """The offset behind the combining marks at `place`, so that no letter is separated from its marks."""
    while place < len(text) and is_mark(text[place]):
        place += 1
    return place


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")


def mark_fragment(text: str, matching: Sequence[Passage], part: Passage) -> str:
    """Marks a fragment, and adds an ellipsis at each end where the text continues."""
    return (
        ("…" if part.start else "")
        + mark_passage(text, matching, part).rstrip()
        + ("…" if part.end < len(text) else "")
    )


def mark_passage(text: str, matching: Sequence[Passage], part: Passage) -> str:
    """A part of a text as HTML, its matches marked."""
    pieces, place = [], part.start
    for start, end in matching:
        if start < part.end and end > part.start:
            start, end = max(start, part.start), min(end, part.end)
            pieces += [escape(text[place:start]), "<mark>", escape(text[start:end]), "</mark>"]
            place = end
    return "".join([*pieces, escape(text[place : part.end])])
