"""What commands print: columns for people, JSON for programs."""

import os
from collections.abc import Sequence
from typing import Any

import click
import orjson
from rich.cells import cell_len

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def tell(sentence: str, value: Any, as_json: bool) -> None:
    """Says on standard output what was done: in words, or as JSON."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if as_json else sentence)


def columns(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in aligned columns, never cut; `-` stands for nothing."""
    cells = [list(titles), *([("-" if cell in (None, "") else str(cell)) for cell in row] for row in rows)]
    widths = [max(cell_len(row[number]) for row in cells) for number in range(len(titles))]
    lines = (
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def coloured() -> bool | None:
    """False where NO_COLOR is set (no-color.org); None leaves it to click, which colours terminals only."""
    return False if os.environ.get("NO_COLOR") else None
