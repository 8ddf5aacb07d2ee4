"""When each article of a corpus was received and published, its section, and the words planted in it.

Planted words stand in a known share of the articles, counted by rank: the place of an article
in order of publication, the oldest first. So it is known how many articles every search must find.
"""

import random
from array import array
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache

from newswire.timestamps import parse_instant

SEED = 1865
BEGIN, END = parse_instant("2018-01-01T00:00:00Z"), parse_instant("2026-01-01T00:00:00Z")
LAST_YEAR = parse_instant("2025-01-01T00:00:00Z")
MINUTE, DAY = 60_000, 86_400_000
LONGEST_DELAY = 5 * 365 * DAY
# The wire grows: half of its articles come in the last third of the time.
GROWTH = 0.625
LATE = 0.2

SECTIONS = {
    "world": 18, "politics": 14, "business": 13, "sport": 10, "culture": 9, "science": 8, "technology": 7,
    "health": 6, "travel": 5, "education": 4, "opinion": 4, "weather": 2,
}  # fmt: skip

COMMON, OTHER = "qualder", "quimbot"
MEDIUM, RARE, OLD = "querrick", "quovand", "quenthol"
FIRST, SECOND = "quarrim", "quostel"
PREFIX = "qiv"
BEGINNING_SO = ("qivad", "qivelom", "qivikur", "qivont", "qivrabel", "qivtin", "qivusk", "qivzerd")
TWENTY = 20


def spread(rank: int, size: int, times: int) -> bool:
    """True for so many ranks below `size`, evenly spread."""
    return ((rank + 1) * times + size // 2) // size != (rank * times + size // 2) // size


def meeting(rank: int, size: int) -> bool:
    """Where `COMMON` meets `OTHER`: twenty times."""
    return rank % 10 == 3 and spread(rank // 10, size // 10, TWENTY)


HOLDS: Mapping[str, Callable[[int, int], bool]] = {
    COMMON: lambda rank, size: rank % 10 == 3,
    OTHER: lambda rank, size: rank % 10 == 7 or meeting(rank, size),
    MEDIUM: lambda rank, size: rank % 1000 == 500,
    RARE: lambda rank, size: spread(rank, size, TWENTY),
    OLD: lambda rank, size: rank * 10 < size and rank % 10 == 5,
    FIRST: lambda rank, size: rank % 10 == 1,
    SECOND: lambda rank, size: rank % 20 in (4, 11),
    f"{COMMON} {OTHER}": meeting,
    f"{COMMON} OR {OTHER}": lambda rank, size: HOLDS[COMMON](rank, size) or HOLDS[OTHER](rank, size),
    f'"{FIRST} {SECOND}"': lambda rank, size: rank % 200 == 11,
    f"{PREFIX}*": lambda rank, size: rank % 20 == 18,
}
"""What a search (`q`) must find: whether the article of this rank, of a corpus of this size, matches."""


def planted(rank: int, size: int) -> list[str]:
    """The words to put into an article; `FIRST SECOND` is a phrase, else the two are kept apart."""
    phrase = HOLDS[f'"{FIRST} {SECOND}"'](rank, size)
    found = [f"{FIRST} {SECOND}"] if phrase else [word for word in (FIRST, SECOND) if HOLDS[word](rank, size)]
    found += [word for word in (COMMON, OTHER, MEDIUM, RARE, OLD) if HOLDS[word](rank, size)]
    if HOLDS[f"{PREFIX}*"](rank, size):
        found.append(BEGINNING_SO[rank // 20 % len(BEGINNING_SO)])
    return found


@dataclass(frozen=True)
class Plan:
    """A corpus of `size` articles by their index, the order of reception; times in milliseconds since 1970.

    `order` holds the indexes in order of publication, the oldest first; `rank` is the other way round.
    """

    size: int
    received: "array[int]"
    published: "array[int]"
    order: "array[int]"
    rank: "array[int]"
    sections: list[str]

    def found(
        self, text: str | None = None, *, sections: Collection[str] = tuple(SECTIONS), since: int = BEGIN
    ) -> list[int]:
        """The indexes of the articles that a search must find, the newest first; `text` is a key of `HOLDS`."""
        holds = HOLDS[text] if text is not None else lambda rank, size: True
        ranks = (rank for rank in range(self.size - 1, -1, -1) if holds(rank, self.size))
        found = (self.order[rank] for rank in ranks)
        return [index for index in found if self.sections[index] in sections and self.published[index] >= since]


@cache
def plan(size: int) -> Plan:
    """The plan of a corpus. Four of five articles come within minutes, the others up to five years late."""
    chance = random.Random(SEED)
    received = array("q", (BEGIN + int((END - BEGIN) * ((i + 1) / size) ** GROWTH) for i in range(size)))
    published = array("q", (moment - delay(chance, moment) for moment in received))
    published = array("q", (moment // 1000 * 1000 for moment in published))
    order = array("q", sorted(range(size), key=published.__getitem__))
    ranks = array("q", bytes(8 * size))
    for rank, index in enumerate(order):
        ranks[index] = rank
    sections = chance.choices(list(SECTIONS), list(SECTIONS.values()), k=size)
    return Plan(size, received, published, order, ranks, sections)


def delay(chance: random.Random, received: int) -> int:
    """Between publication and reception, in milliseconds; nothing is older than the wire's beginning."""
    if chance.random() >= LATE:
        return int(chance.random() * 10 * MINUTE)
    return min(int(DAY * (LONGEST_DELAY / DAY) ** chance.random()), int(chance.random() * (received - BEGIN)))
