"""Near-duplicates: the terms by which copies of a story find each other in the index, and the comparison of two texts.

A copy is the same report under another headline, with a changed or an added paragraph, or cut from the end. The index
only proposes candidates: articles that share one of four hashed windows of eight words, which begin at the words of
least checksum. Whether they are near is decided by their words, which the index holds. Both are pure functions of an
article's own words, so no other article has a part in it (decision 0040). Not here: who sees which candidate
(`reading.neighbours`).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from newswire.search.analysis import FIELDS, Analysed

SKETCHED = 128
"""Forms at the beginning of a text from which its windows are taken: copies are cut from the end. They take 0.03 ms."""
WINDOW_FORMS, KEPT_WINDOWS = 8, 4
"""Eight words are long enough to be rare: of 14,293 stories at most 21 share a window; of four words it were 265."""
COMPARED = 600
"""Forms of a text that are compared. Some sites begin each page with the same two hundred characters."""
COMPARED_CHARACTERS = 6_000
"""Characters of a text that contain them in nearly any language; both texts are cut there."""
SHINGLE_FORMS = 4

LEAST_BODY = 40
"""Forms of a body that is compared alone; a shorter one is compared with its headline and summary."""
SHORT, BRIEF = 30, 60
"""Shingles below which only the same words are a copy, and below which nearly all of them must be shared."""
SHARED, BRIEF_SHARED = 0.75, 0.85
"""The part of the shorter text's shingles that the other one has."""
TABLE_NUMBERS, TABLE_SHARE = 0.035, 0.15
"""Two texts of one template differ in their numbers: in so many for each form, and in so few other words."""
DIGIT = re.compile(r"\d")


class StoryText(NamedTuple):
    """The beginning of a text for comparison: its forms in order, and the hashes of each four neighbours among them.

    The hashes are those of this process, and are never stored.
    """

    forms: tuple[str, ...]
    shingles: frozenset[int]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "StoryText":
        """From the texts of an article by `FIELDS`, as `index.read_texts` gives them."""
        by_field = dict(zip(FIELDS, (text.split() for text in texts), strict=True))
        forms = tuple(story_forms(by_field["headline"], by_field["summary"], by_field["body"])[:COMPARED])
        shingles = zip(*(forms[start:] for start in range(SHINGLE_FORMS)), strict=False)
        return cls(forms, frozenset(map(hash, shingles)))


def story_forms(headline: list[str], summary: list[str], body: list[str]) -> list[str]:
    """The forms that tell the story: the body, because copies have headlines and summaries of their own."""
    return body if len(body) >= LEAST_BODY else headline + summary + body


def story_terms(analysed: Analysed) -> frozenset[str]:
    """The terms of an article for its copies: hashes of the windows at the words of least checksum; none for a flash.

    No parameter and no entitlement can ask for a term of this kind.
    """
    forms = analysed.forms
    words = story_forms(forms["headline"], forms["summary"], forms["body"])[:SKETCHED]
    if len(words) < WINDOW_FORMS:
        return frozenset()
    encoded = " ".join(words).encode().split(b" ")
    chosen = sorted({*encoded[: 1 - WINDOW_FORMS]}, key=crc32)[:KEPT_WINDOWS]
    starts = map(encoded.index, chosen)
    return frozenset([f"story_{crc32(b' '.join(encoded[start : start + WINDOW_FORMS])):08x}" for start in starts])


def is_story_term(name: str) -> bool:
    return name.startswith("story_")


def are_near(first: StoryText, second: StoryText) -> bool:
    """Whether two texts are copies of one story."""
    shorter = min(len(first.shingles), len(second.shingles))
    if shorter < SHORT:
        return first.forms == second.forms
    needed = BRIEF_SHARED if shorter < BRIEF else SHARED
    if len(first.shingles & second.shingles) < needed * shorter:
        return False
    differing = {*first.forms} ^ {*second.forms}
    numbers = sum(1 for form in differing if DIGIT.search(form))
    few = numbers < TABLE_NUMBERS * min(len(first.forms), len(second.forms))
    return few or numbers < TABLE_SHARE * len(differing)
