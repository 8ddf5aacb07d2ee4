"""Proximity: `"a b"~5` finds words of one field near each other, in any order; pure.

Words are near if at most `distance` words stand between the first and the last of them, whichever these are, as FTS5
defines NEAR. Other searched words between them count as well. The forms of a field are looked at once from left to
right, with the last place of each word, so that the cost grows with the text and not with the distance: a body of 2 MiB
takes 0.25 s at worst. Not here: the SQL for it (`sqlite.match`, `postgres.proximity`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import regex

from newswire.search.analysis import split_spellings, word_forms
from newswire.search.expression import Near
from newswire.search.normal_form import is_run
from newswire.search.tokens import ExpressionError, QueryToken

MOST_DISTANCE, MOST_WORDS = 100, 8
MOST_NEAR = 5
"""Conditions of this kind in a query: `GET /v1/changes` looks at each article for each of them."""

DISTANCE = regex.compile(r"[~～]([0-9]+)\Z")


def near_condition(token: QueryToken, fields: frozenset[str] | None) -> Near:
    """The condition of a quotation with a distance. Raises `ExpressionError`."""
    asked = DISTANCE.search(token.text)
    distance = int(asked[1][:4])
    if distance > MOST_DISTANCE or len(asked[1]) > 4:
        raise ExpressionError(f"Write a distance of at most {MOST_DISTANCE} words.", token.start + asked.start())
    spellings = split_spellings(token.text[: asked.start()])
    if any(is_run(spelling) and len(spelling) == 1 for spelling in spellings):
        raise ExpressionError("Write at least two characters of each word of a quotation with a distance.", token.start)
    # A longer run is the pairs of its characters. Its last character alone is no word of it in a text.
    forms = dict.fromkeys(
        form
        for spelling in spellings
        for form in (word_forms(spelling)[:-1] if is_run(spelling) else word_forms(spelling))
    )
    if not 2 <= len(forms) <= MOST_WORDS:
        advice = f"Write 2 to {MOST_WORDS} different words in a quotation with a distance, or leave {asked[0]} out."
        raise ExpressionError(advice, token.start)
    return Near(tuple(forms), distance, fields, token.start)


def has_near(near: Near, text: str) -> bool:
    """Whether the words are near each other in a text: its forms with a blank before, between and after them."""
    return next(_near_places(near, text), None) is not None


def count_near(near: Near, text: str) -> int:
    """How often they are, without overlap."""
    return sum(1 for _ in _near_places(near, text))


def near_indices(near: Near, forms: Sequence[str]) -> Iterator[int]:
    """The indices of the words that are near each other in a list of forms; one may come more than once."""
    wanted = {*near.forms}
    for last in find_near(near, ((index, form) for index, form in enumerate(forms) if form in wanted)):
        yield from last.values()


def find_near(near: Near, places: Iterable[tuple[int, str]]) -> Iterator[dict[str, int]]:
    """Walks over the places of the words in order; each time all are near, their places, which then count no more."""
    last: dict[str, int] = {}
    for place, form in places:
        last[form] = place
        if len(last) == len(near.forms) and place - min(last.values()) <= near.distance + 1:
            yield last
            last = {}


def _near_places(near: Near, text: str) -> Iterator[dict[str, int]]:
    if all(f" {form} " in text for form in near.forms):
        yield from find_near(near, _word_places(_word_pattern(near.forms), text))


def _word_places(pattern: Any, text: str) -> Iterator[tuple[int, str]]:
    """The places of words in a text, as numbers of words before them. The blanks between two of them are counted."""
    place = before = 0
    for found in pattern.finditer(text):
        start = found.start()
        place += text.count(" ", before, start)
        before = start
        yield place, found[1]


@lru_cache(100)
def _word_pattern(forms: tuple[str, ...]) -> Any:
    return re.compile(f" ({'|'.join(map(re.escape, forms))})(?= )")
