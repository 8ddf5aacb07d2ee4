"""A vocabulary in the form of the IPTC's own file: sport four levels deep, politics, and a retired concept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BASE = "http://cv.iptc.org/newscodes/mediatopic/"
SPORT, DISCIPLINE, SOCCER, BEACH, CURLING, POLITICS = (
    "15000000", "20000822", "20001065", "20001394", "20000874", "11000000",
)  # fmt: skip
NAMES = {
    SPORT: "sport",
    DISCIPLINE: "competition discipline",
    SOCCER: "soccer",
    BEACH: "beach soccer",
    CURLING: "curling",
    POLITICS: "politics",
}
BROADER = ((DISCIPLINE, SPORT), (SOCCER, DISCIPLINE), (BEACH, SOCCER), (CURLING, DISCIPLINE))


def vocabulary_document(relations: Sequence[tuple[str, str]] = BROADER) -> dict[str, Any]:
    """The document; narrower concepts are QCodes and broader ones URIs, as in the IPTC's file."""
    concepts: list[dict[str, Any]] = []
    for code, name in NAMES.items():
        item: dict[str, Any] = {"uri": BASE + code, "qcode": f"medtop:{code}", "prefLabel": {"en-GB": name}}
        above = [BASE + broader for narrow, broader in relations if narrow == code]
        below = [f"medtop:{narrow}" for narrow, broader in relations if broader == code]
        item |= {"broader": above} if above else {}
        item |= {"narrower": below} if below else {}
        concepts.append(item)
    concepts[-2]["retired"] = "2021-09-30T12:00:00+00:00"
    return {"uri": BASE, "dateReleased": "2025-10-09T12:00:00+00:00", "conceptSet": concepts}


def write_vocabulary(folder: Path, relations: Sequence[tuple[str, str]] = BROADER) -> str:
    file = folder / "topics.json"
    file.write_text(json.dumps(vocabulary_document(relations)))
    return str(file)
