"""Draws docs/architecture.svg: the rooms of newswire/ on their floors, and what each imports.

    .venv/bin/python docs/draw_architecture.py

Floors come from the import-linter contract in pyproject.toml, sentences from the first line of each room's
docstring, and what stands behind each arrow from the imports in the code; all of them point downward.
`tests/habits/test_documentation.py` fails when the file is not what this would draw.
"""

import ast
import tomllib
from collections.abc import Sequence
from html import escape
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURE = REPOSITORY / "docs" / "architecture.svg"
WIDTH, ROW, BOX, MARGIN, GAP = 960, 64, 54, 24, 16
LETTER = 5.6
PAPER = 'fill="#fff" stroke="#7f9bbd"'
STYLE = 'font-family="system-ui, sans-serif" font-size="13"'


def floors() -> list[list[str]]:
    """The rooms of each floor, top down."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers: Sequence[str] = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.strip() for room in layer.split("|")] for layer in layers if layer != "__main__"]


def modules_of(room: str) -> list[Path]:
    """The files of a room: a package or one module."""
    folder = REPOSITORY / "newswire" / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def sentence_of(room: str) -> str:
    """The first sentence of a room's docstring."""
    folder = REPOSITORY / "newswire" / room
    source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    first = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    sentence = " ".join(first.split()).partition(". ")[0].rstrip(".").replace("`", "")
    return sentence


def imports(rooms: Sequence[str]) -> dict[str, set[str]]:
    """The other rooms that each room imports directly."""
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for room in rooms:
        for path in modules_of(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "newswire":
                    parts = (node.module or "").split(".")
                    named = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                    found[room].update(name for name in named if name in found and name != room)
    return found


def draw() -> str:
    """The picture as SVG."""
    rows = floors()
    imported = imports([room for rooms in rows for room in rooms])
    height = 2 * MARGIN + ROW * (len(rows) - 1) + BOX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {STYLE}>',
        "  <title>The rooms of Newswire on their floors; each imports only from those below it</title>",
        f'  <rect width="{WIDTH}" height="{height}" fill="#fbfaf7"/>',
    ]
    for number, rooms in enumerate(rows):
        width = (WIDTH - 2 * MARGIN - GAP * (len(rooms) - 1)) / len(rooms)
        for position, room in enumerate(rooms):
            # In the order of the floors, so that the nearest comes first.
            below = [other for floor in rows for other in floor if other in imported[room]]
            lines += box(room, below, MARGIN + position * (width + GAP), MARGIN + number * ROW, width)
    return "\n".join([*lines, "</svg>", ""])


def box(room: str, below: Sequence[str], left: float, top: float, width: float) -> list[str]:
    """A room: its name, its sentence, and the rooms that it imports."""
    name = f"{room}/" if (REPOSITORY / "newswire" / room).is_dir() else room
    narrow = width < WIDTH / 2
    sentence = shortened(sentence_of(room), width - 20 if narrow else width * 0.62)
    imported = shortened("↓ " + " ".join(below), width - 20 if narrow else width * 0.62) if below else ""
    right = f'x="{left + width - 10:.0f}" y="{top + 17:.0f}" text-anchor="end"'
    under = f'x="{left + 10:.0f}" y="{top + 46:.0f}"'
    return [
        f'  <rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{BOX}" rx="7" {PAPER}/>',
        f'  <text x="{left + 10:.0f}" y="{top + 17:.0f}" font-weight="600" fill="#1f2933">{escape(name)}</text>',
        f'  <text x="{left + 10:.0f}" y="{top + 33:.0f}" font-size="11" fill="#52606d">{escape(sentence)}</text>',
        f'  <text {under if narrow else right} font-size="11" fill="#8a6d00">{escape(imported)}</text>',
    ]


def shortened(text: str, width: float) -> str:
    """As many words as fit into a width, at about six units a character."""
    room_for = int(width / LETTER)
    return text if len(text) <= room_for else text[: room_for - 1].rsplit(" ", 1)[0] + " …"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
