"""Subjects: the codes of IPTC Media Topics in any spelling, and the subject map of a publisher. Pure.

A subject map adds subject terms to the terms of an article: for what its publisher sends (a section, a keyword, another
subject) the subjects that the operator mapped it to, and for each concept of the vocabulary all broader ones. So a
filter by a subject is one term, however many concepts are narrower (decision 0041). Terms are made in `visibility`;
the vocabulary and the maps are stored by `search.vocabulary` and `accounts.subject_maps`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from newswire.caches import cache_short

CONCEPT = re.compile(r"(?:https?://cv\.iptc\.org/newscodes/mediatopic/|medtop:)([0-9]{8})", re.IGNORECASE)

Implied = Mapping[str, frozenset[str]]
"""The subject terms that a term of an article brings with it."""
NOTHING_IMPLIED: Implied = MappingProxyType({})


@cache_short(10_000)
def concept_code(code: str, scheme: str = "") -> str | None:
    """The QCode of a Media Topic, such as `medtop:15000000`; None for what is none.

    It is written as the QCode, as the URI of the concept, or in two parts as the scheme (its alias, or its URI) and
    eight digits. Eight digits alone are not taken for one: the IPTC's older Subject Codes look the same.
    """
    written = (code, f"{scheme}{code}", f"{scheme}/{code}", f"{scheme}:{code}") if scheme else (code,)
    for text in written:
        if found := CONCEPT.fullmatch(text.strip()):
            return f"medtop:{found[1]}"
    return None


class SubjectMap(NamedTuple):
    """What the terms of a publisher's articles imply: by the publisher's own map, and by the vocabulary."""

    own: Implied = NOTHING_IMPLIED
    broader: Implied = NOTHING_IMPLIED

    def implied_terms(self, terms: frozenset[str]) -> frozenset[str]:
        """The subject terms that are added to these terms."""
        mapped = _implied(self.own, terms)
        return mapped | _implied(self.broader, terms | mapped)


def _implied(implied: Implied, terms: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(implied[term] for term in terms if term in implied)) if implied else frozenset()


NO_SUBJECTS = SubjectMap()
