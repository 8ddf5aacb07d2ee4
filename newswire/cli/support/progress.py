"""How far a long command is, on standard error: a bar on a terminal, else a line every few seconds."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from newswire.client.text import Show

EVERY_SECONDS = 5.0


@contextmanager
def show_progress(label: str, unit: str, total: int | None) -> Iterator[Show]:
    """Gives a function that shows how many `unit` are done, and how much of `total` (None: unknown) that is."""
    if sys.stderr.isatty():
        with progress_bar(label, unit, total) as show:
            yield show
    else:
        yield progress_lines(label, unit)


@contextmanager
def progress_bar(label: str, unit: str, total: int | None) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    text = TextColumn("{task.fields[said]}")
    times = (
        (TimeElapsedColumn(),)
        if total is None
        else (TimeElapsedColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    )
    began = time.monotonic()
    with Progress(TextColumn("{task.description}"), BarColumn(), text, *times, console=Console(stderr=True)) as drawn:
        task = drawn.add_task(label, total=total, said="")

        def show(count: int, done: int) -> None:
            drawn.update(task, completed=done, said=format_speed(count, unit, began))

        yield show


def progress_lines(label: str, unit: str) -> Show:
    began = said = time.monotonic()

    def show(count: int, done: int) -> None:
        nonlocal said
        if time.monotonic() - said >= EVERY_SECONDS:
            said = time.monotonic()
            click.echo(f"{label}: {format_speed(count, unit, began)}", err=True)

    return show


def format_speed(count: int, unit: str, began: float) -> str:
    rate = count / max(time.monotonic() - began, 0.001)
    return f"{count:,} {unit}, {rate:,.0f} a second"
