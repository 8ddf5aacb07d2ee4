"""Highlighting: the headline of a match and fragments of its body, with `<mark>` around the matching words.

The analysis of the search index decides what matches, so stems, phrases, prefixes and scripts without spaces are marked
as the search finds them. Everything but the marks is escaped for HTML. Not here: the offsets of words in a text
(`newswire.search.offsets`).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import islice
from typing import Any, NamedTuple

from newswire.search.analysis import stemming_language, word_stems
from newswire.search.offsets import Token, find_tokens
from newswire.search.syntax import Expression, Leaf, Phrase, Prefix, Term, find_leaves

LOOKED_AT = 100_000
"""Characters of a body that are searched for matches, and as many more as end the last word."""

MOST_FRAGMENTS = 3
LONGEST = 200
"""Characters of a fragment; twice as many where a long phrase needs them."""
BEFORE = 60
"""Characters of a fragment before its first match."""

_BLANK = re.compile(r"\s")
_LOOKED_AT = re.compile(rf"(?s:.){{0,{LOOKED_AT}}}\S{{0,100}}")


class Passage(NamedTuple):
    """A part of a text, by character offsets; the end is exclusive."""

    start: int
    end: int


def highlight_article(expression: Expression, article: Mapping[str, Any]) -> dict[str, list[str]]:
    """The marked headline, if it matches, and up to `MOST_FRAGMENTS` of the body; a tombstone has neither."""
    language = stemming_language(article.get("language"))
    sought = [leaf for leaf, _ in find_leaves(expression)]
    headline, body = article.get("headline") or "", article.get("body_text") or ""
    in_headline = find_matches(headline, "headline", sought, language)
    beginning = _LOOKED_AT.match(body)
    assert beginning is not None
    in_body = find_matches(beginning[0], "body", sought, language)
    return {
        "headline": [mark_passage(headline, in_headline, Passage(0, len(headline)))] if in_headline else [],
        "body": [
            mark_fragment(body, in_body, fragment) for fragment in islice(cut_fragments(body, in_body), MOST_FRAGMENTS)
        ],
    }


def find_matches(text: str, field: str, sought: Iterable[Leaf], language: str) -> list[Passage]:
    """The matches in a text whose words are stemmed in `language`, in order; adjacent ones are joined."""
    leaves = [leaf for leaf in sought if leaf.fields is None or field in leaf.fields]
    tokens = [*find_tokens(text)] if leaves else []
    matching = sorted(span for leaf in leaves for span in leaf_matches(tokens, leaf, language))
    joined: list[Passage] = []
    for start, end in matching:
        end = after_marks(text, end)
        if joined and start <= joined[-1].end:
            joined[-1] = Passage(joined[-1].start, max(end, joined[-1].end))
        else:
            joined.append(Passage(start, end))
    return joined


def leaf_matches(tokens: Sequence[Token], leaf: Leaf, language: str) -> Iterator[Passage]:
    """The matches of a leaf among the tokens of a text."""
    match leaf:
        case Term(form, spelling):
            stems = word_stems(spelling, language)
            # Each distinct spelling is stemmed once, however often it occurs.
            spellings = {token.spelling for token in tokens if token.spelling is not None}
            alike = {word for word in spellings if not stems.isdisjoint(word_stems(word, language))}
            for token in tokens:
                if token.form == form or token.spelling in alike:
                    yield Passage(token.start, token.end)
        case Prefix(form):
            yield from (
                Passage(token.start, end_of_match(token, form)) for token in tokens if token.form.startswith(form)
            )
        case Phrase(forms, prefix):
            *before, last = forms
            for first in range(len(tokens) - len(before)):
                token = tokens[first + len(before)]
                if not (token.form.startswith(last) if prefix else token.form == last):
                    continue
                if all(tokens[first + number].form == form for number, form in enumerate(before)):
                    yield Passage(tokens[first].start, end_of_match(token, last))


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
