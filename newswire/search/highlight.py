"""Where an article matches: its headline and fragments of its body, the matching words marked.

What matches is decided by the analysis of the search index: stems, phrases, prefixes and scripts
without spaces are marked as they are found. Everything but the marks is escaped for HTML.
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
"""Characters of a body in which is looked, up to the end of a word."""

MOST_FRAGMENTS = 3
LONGEST = 200
"""Characters of a fragment; of one in which a long phrase stands, twice as many."""
BEFORE = 60

_BLANK = re.compile(r"\s")
_LOOKED_AT = re.compile(rf"(?s:.){{0,{LOOKED_AT}}}\S{{0,100}}")


class Passage(NamedTuple):
    """A part of a text that matches, the end exclusive."""

    start: int
    end: int


def highlight_article(expression: Expression, article: Mapping[str, Any]) -> dict[str, list[str]]:
    """The whole headline where it matches, and up to `MOST_FRAGMENTS` of the body; a tombstone has neither."""
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
    """What matches in a text whose words have stems in `language`, in order; what overlaps or touches is one."""
    here = [leaf for leaf in sought if leaf.fields is None or field in leaf.fields]
    found = [*find_tokens(text)] if here else []
    matching = sorted(span for leaf in here for span in leaf_matches(found, leaf, language))
    joined: list[Passage] = []
    for start, end in matching:
        end = after_marks(text, end)
        if joined and start <= joined[-1].end:
            joined[-1] = Passage(joined[-1].start, max(end, joined[-1].end))
        else:
            joined.append(Passage(start, end))
    return joined


def leaf_matches(found: Sequence[Token], leaf: Leaf, language: str) -> Iterator[Passage]:
    """Where a leaf stands among the tokens of a text."""
    match leaf:
        case Term(form, spelling):
            stems = word_stems(spelling, language)
            spelled = {token.spelling for token in found if token.spelling is not None}
            alike = {each for each in spelled if not stems.isdisjoint(word_stems(each, language))}
            for token in found:
                if token.form == form or token.spelling in alike:
                    yield Passage(token.start, token.end)
        case Prefix(form):
            yield from (
                Passage(token.start, end_of_match(token, form)) for token in found if token.form.startswith(form)
            )
        case Phrase(forms, prefix):
            *before, last = forms
            for place in range(len(found) - len(before)):
                token = found[place + len(before)]
                if not (token.form.startswith(last) if prefix else token.form == last):
                    continue
                if all(found[place + number].form == form for number, form in enumerate(before)):
                    yield Passage(found[place].start, end_of_match(token, last))


def end_of_match(token: Token, form: str) -> int:
    """Where a match ends of which `token` is the last and `form` what was asked for: one letter of a run, or all."""
    return token.first if len(form) == 1 else token.end


def cut_fragments(text: str, matching: Sequence[Passage]) -> Iterator[Passage]:
    """Parts of a text around what matches, one behind the other, from one blank to another where there are any."""
    behind = 0
    for span in matching:
        if span.start >= behind:
            start = beginning_of(text, span.start, behind)
            behind = ending_of(text, start, span.end)
            yield Passage(start, behind)


def beginning_of(text: str, match: int, earliest: int) -> int:
    """A little before a match, at the beginning of a word."""
    start = max(earliest, match - BEFORE)
    if start > 0 and not text[start - 1].isspace() and (blank := _BLANK.search(text, start, match)):
        start = blank.end()
    while start < match and (text[start].isspace() or is_mark(text[start])):
        start += 1
    return start


def ending_of(text: str, start: int, match: int) -> int:
    """Where a fragment ends that begins at `start` and holds a match to the end of that, or to twice its length."""
    least = min(match, start + 2 * LONGEST)
    end = min(len(text), max(least, start + LONGEST))
    if end == len(text):
        return end
    at_blank = end
    while at_blank > least and not text[at_blank].isspace():
        at_blank -= 1
    return at_blank if at_blank > least or text[least].isspace() else after_marks(text, end)


def after_marks(text: str, place: int) -> int:
    """A letter is not parted from its marks."""
    while place < len(text) and is_mark(text[place]):
        place += 1
    return place


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")


def mark_fragment(text: str, matching: Sequence[Passage], part: Passage) -> str:
    """A fragment, with an ellipsis where the text goes on."""
    return (
        ("…" if part.start else "")
        + mark_passage(text, matching, part).rstrip()
        + ("…" if part.end < len(text) else "")
    )


def mark_passage(text: str, matching: Sequence[Passage], part: Passage) -> str:
    """A part of a text in HTML that marks what matches."""
    pieces, place = [], part.start
    for start, end in matching:
        if start < part.end and end > part.start:
            start, end = max(start, part.start), min(end, part.end)
            pieces += [escape(text[place:start]), "<mark>", escape(text[start:end]), "</mark>"]
            place = end
    return "".join([*pieces, escape(text[place : part.end])])
