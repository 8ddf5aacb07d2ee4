"""Plots in SVG, legible on light and dark pages: lines over a quantity, and dots on rows; all axes are logarithmic.

What is plotted is decided in `compare_table` and `growth`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEADING, LINE = 780, 34, 15
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}.grid{stroke:#999;opacity:.35}"
    "path{fill:none;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)
# Of middling lightness: they stand out from white and from black.
COLOURS = (
    "#2f7ed8", "#e07b1a", "#2e9e5b", "#b35bd0", "#d0453e", "#8c8c3a", "#12a0a8", "#8a6d5a", "#d65a9b", "#7486a8",
    "#5fae1f", "#a08bdc", "#c99a2e",
)  # fmt: skip
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """Where the values from `low` to `high`, both above 0, are between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        # Over many powers of ten there is no room for more.
        marks = (1, 2, 5) if len(powers) < 4 else (1,)
        found = [mark * 10.0**power for power in powers for mark in marks]
        return [tick for tick in found if self.low <= tick <= self.high]


def axis(values: Sequence[float], start: float, end: float) -> Axis:
    """With a little room on both sides."""
    return Axis(min(values) / 1.3, max(values) * 1.3, start, end)


def lines(title: str, panels: Mapping[str, Mapping[str, Points]]) -> str:
    """For each panel the lines by their names, each named at its end."""
    height = 320
    parts: list[str] = []
    for number, (name, named) in enumerate(panels.items()):
        top = HEADING + number * height
        points = [point for line in named.values() for point in line]
        across = axis([x for x, _ in points], 60, 470)
        up = axis([y for _, y in points], top + height - 40, top + 30)
        parts += [text(10, top + 15, name, "title"), *grid_across(across, top + 30, top + height - 40)]
        for tick in up.ticks():
            parts += [grid(60, up.at(tick), 470, up.at(tick)), text(52, up.at(tick) + 4, f"{tick:g}", anchor="end")]
        ends = apart({each: up.at(line[-1][1]) for each, line in named.items()})
        for colour, (each, line) in zip(COLOURS, named.items(), strict=False):
            places = " L".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in line)
            parts.append(f'<path d="M{places}" stroke="{colour}"/>')
            parts += [dot(across.at(x), up.at(y), 3, colour, f"{each}: {y:.2f}") for x, y in line]
            parts.append(text(480, ends[each] + 4, f"{each} {line[-1][1]:.1f}", colour=colour))
    return document(title, HEADING + len(panels) * height, parts)


def dots(title: str, panels: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """For each panel the rows by their names, on each a dot for every series."""
    series = list(dict.fromkeys(each for rows in panels.values() for row in rows.values() for each in row))
    colours = dict(zip(series, COLOURS, strict=False))
    parts = []
    for number, each in enumerate(series):
        parts += [dot(110 + 95 * number, 42, 4, colours[each], each), text(118 + 95 * number, 46, each)]
    top = HEADING + 30
    for name, rows in panels.items():
        bottom = top + 24 + 20 * len(rows)
        across = axis([value for row in rows.values() for value in row.values()], 300, WIDTH - 20)
        parts += [text(10, top + 10, name, "title"), *grid_across(across, top + 14, bottom)]
        for number, (row, values) in enumerate(rows.items()):
            y = top + 30 + 20 * number
            parts += [text(290, y + 4, row, anchor="end"), grid(300, y, WIDTH - 20, y)]
            # The first is drawn last, above the others.
            for each, value in reversed(list(values.items())):
                size = 6 if each == series[0] else 4
                parts.append(dot(across.at(value), y, size, colours[each], f"{each}: {value:,.0f}"))
        top = bottom + 40
    return document(title, top, parts)


def apart(wanted: Mapping[str, float]) -> dict[str, float]:
    """Places for labels near the wanted ones, a line apart."""
    found: dict[str, float] = {}
    lowest = -math.inf
    for name, place in sorted(wanted.items(), key=lambda item: item[1]):
        found[name] = lowest = max(place, lowest + LINE)
    return found


def grid_across(across: Axis, top: float, bottom: float) -> Iterator[str]:
    for tick in across.ticks():
        yield grid(across.at(tick), top, across.at(tick), bottom)
        yield text(across.at(tick), bottom + 16, f"{tick:,.10g}", anchor="middle")


def grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def dot(x: float, y: float, size: int, colour: str, told: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"><title>{escape(told)}</title></circle>'


def text(x: float, y: float, content: str, kind: str = "", *, anchor: str = "start", colour: str = "") -> str:
    look = f'class="{kind}"' if kind else f'text-anchor="{anchor}"' + (f' style="fill:{colour}"' if colour else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(content)}</text>'


def document(title: str, height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{STYLE}</style>'
    return "\n".join([head, text(10, 20, title, "title"), *parts, "</svg>\n"])
