"""What a soak found: figures, and faults, of which there must be none."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

SHOWN = 5
Thing = TypeVar("Thing", bound=Hashable)


@dataclass
class Report:
    """The outcome of one soak on one engine."""

    soak: str
    engine: str
    figures: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def none(self, fault: str, found: Collection[object]) -> None:
        """Notes `fault` unless nothing was found of it."""
        if found:
            first = ", ".join(str(item) for item in list(found)[:SHOWN])
            self.faults.append(f"{fault}: {len(found):,}, such as {first}")

    def equal(self, what: str, found: object, expected: object) -> None:
        """Notes a fault unless the two are equal."""
        if found != expected:
            self.faults.append(f"{what}: {str(found)[:300]}, expected {str(expected)[:300]}")

    @property
    def line(self) -> str:
        """Its figures on one line, and its notes below."""
        told = ", ".join(f"{shown(value)} {name}" for name, value in self.figures.items())
        return "\n  ".join([f"{self.soak} on {self.engine}: {told}; {self.seconds:.1f} s", *self.notes])

    @property
    def result(self) -> str:
        if not self.faults:
            return "nothing lost, nothing twice, all in order"
        return f"{len(self.faults)} FAULT{'S' if len(self.faults) > 1 else ''}"


def shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def doubled(items: Iterable[Thing]) -> list[Thing]:
    """What occurs more than once."""
    return [item for item, count in Counter(items).items() if count > 1]


def slowest(seconds: Collection[float]) -> float:
    """The time within which 99 % were answered, in milliseconds."""
    return 1000 * sorted(seconds)[len(seconds) * 99 // 100] if seconds else 0.0
