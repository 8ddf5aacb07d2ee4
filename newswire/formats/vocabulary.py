"""Reader of a vocabulary: IPTC Media Topics as JSON, as the IPTC publishes it at cv.iptc.org.

The document has a `conceptSet`; each concept has a `qcode`, a `uri`, names by language in `prefLabel`, and relations in
`broader` and `narrower`, which name concepts by QCode or by URI. A retired concept keeps its place, because articles
that were published before have its code.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import orjson

from newswire.search.vocabulary import Concept
from newswire.subjects import concept_code

VOCABULARY_BYTES = 64 * 1024 * 1024
"""The largest file. In all fourteen languages the Media Topics of 2025 take about 10 MB."""
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[0-9T:.+Z-]{0,40}")
MOST_CONCEPTS = 20_000
MOST_BROADER = 50
"""The concepts that may be broader than one: each is a term of an article. The Media Topics have 5 levels."""
MOST_NAMES = 100
LONGEST_NAME = 500


class VocabularyError(Exception):
    """A file that cannot be loaded as a vocabulary; the text says where and why, in one sentence."""


def parse_vocabulary(text: bytes) -> tuple[list[Concept], str | None]:
    """The concepts of the document, by code, and the date of its release; raises `VocabularyError`."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        _refuse(f"It is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.")
    if not isinstance(document, dict) or not isinstance(document.get("conceptSet"), list):
        _refuse("It has no conceptSet; download the Media Topics as JSON from cv.iptc.org.")
    items = document["conceptSet"]
    if not 1 <= len(items) <= MOST_CONCEPTS:
        _refuse(f"conceptSet must have 1 to {MOST_CONCEPTS:,} concepts; it has {len(items):,}.")
    found: dict[str, Concept] = {}
    above: dict[str, set[str]] = {}
    for number, item in enumerate(items):
        where = f"conceptSet[{number}]"
        if not isinstance(item, dict):
            _refuse(f"{where} is no object.")
        code = _read_code(item.get("qcode") or item.get("uri"), where)
        if code in found:
            _refuse(f"{where}: the concept {code} stands there twice.")
        found[code] = Concept(code, _read_names(item, where), frozenset(), bool(item.get("retired")))
        for broader in _read_codes(item, "broader", where):
            above.setdefault(code, set()).add(broader)
        for narrower in _read_codes(item, "narrower", where):
            above.setdefault(narrower, set()).add(code)
    _check_relations(found, above)
    concepts = [found[code]._replace(broader=frozenset(above.get(code, ()))) for code in sorted(found)]
    released = document.get("dateReleased")
    return concepts, released if isinstance(released, str) and DATE.fullmatch(released) else None


def _read_code(value: Any, where: str) -> str:
    code = concept_code(value) if isinstance(value, str) else None
    if code is None:
        _refuse(f"{where}: {str(value)[:100]!r} is no code of the Media Topics, such as medtop:15000000.")
    return code


def _read_codes(item: Mapping[str, Any], member: str, where: str) -> Iterator[str]:
    """The codes in one relation of a concept; some tools write a single one without its array."""
    values = item.get(member) or []
    for value in values if isinstance(values, list) else [values]:
        yield _read_code(value, f"{where}.{member}")


def _read_names(item: Mapping[str, Any], where: str) -> dict[str, str]:
    names = item.get("prefLabel") or {}
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        _refuse(f'{where}.prefLabel must be names by language, such as {{"en-GB": "sport"}}.')
    if len(names) > MOST_NAMES or any(len(name) > LONGEST_NAME for name in (*names, *names.values())):
        _refuse(f"{where}.prefLabel must have at most {MOST_NAMES} names of at most {LONGEST_NAME} characters.")
    return names


def _check_relations(found: Mapping[str, Concept], above: Mapping[str, set[str]]) -> None:
    """Raises `VocabularyError` for a relation to a concept that is not there, for a circle, and for a depth that would
    make the terms of an article many."""
    for code, broader in above.items():
        for name in (code, *sorted(broader)):
            if name not in found:
                _refuse(f"A relation of {code} names {name}, which is not in the file.")
    # From the top downwards, each concept comes once all that are broader have come; those in a circle never do.
    below: dict[str, set[str]] = {}
    for code, broader in above.items():
        for name in broader:
            below.setdefault(name, set()).add(code)
    left = {code: set(broader) for code, broader in above.items() if broader}
    reached: dict[str, frozenset[str]] = {}
    open_codes = [code for code in found if code not in left]
    while open_codes:
        code = open_codes.pop()
        direct = above.get(code, set())
        reached[code] = frozenset(direct).union(*(reached[name] for name in direct))
        if len(reached[code]) > MOST_BROADER:
            _refuse(f"More than {MOST_BROADER} concepts are broader than {code}.")
        for narrower in below.get(code, ()):
            left[narrower].discard(code)
            if not left[narrower]:
                open_codes.append(narrower)
    if len(reached) < len(found):
        _refuse(f"The concept {min(found.keys() - reached)} is broader than itself, or below one that is.")


def _refuse(reason: str) -> NoReturn:
    raise VocabularyError(reason)
