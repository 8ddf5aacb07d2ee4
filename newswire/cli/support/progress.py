"""Progress of a long command on standard error: a bar on a terminal, else a line every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newswire.cli.support.output import print_notice

EVERY_SECONDS = 5.0
Show = Callable[[int, int], None]
"""Takes how many units are done, and how much of the total that is."""


@contextmanager
def show_progress(label: str, unit: str, total: int | None) -> Iterator[Show]:
    """Gives the function that shows the progress towards `total` (None: unknown), with the count in `unit`s."""
    if sys.stderr.isatty():
        with progress_bar(label, unit, total) as show:
            yield show
    else:
        yield progress_lines(label, unit)


@contextmanager
def progress_bar(label: str, unit: str, total: int | None) -> Iterator[Show]:
    # Imported here because only a terminal needs it, and every command would wait for it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    text = TextColumn("{task.fields[text]}")
    times = [TimeElapsedColumn(), *([] if total is None else [TimeRemainingColumn(elapsed_when_finished=True)])]
    began = time.monotonic()
    with Progress(TextColumn("{task.description}"), BarColumn(), text, *times, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, text="")
        yield lambda count, done: bar.update(task, completed=done, text=format_speed(count, unit, began))


def progress_lines(label: str, unit: str) -> Show:
    began = printed = time.monotonic()

    def show(count: int, done: int) -> None:
        nonlocal printed
        if time.monotonic() - printed >= EVERY_SECONDS:
            printed = time.monotonic()
            print_notice(f"{label}: {format_speed(count, unit, began)}")

    return show


def format_speed(count: int, unit: str, began: float) -> str:
    rate = count / max(time.monotonic() - began, 0.001)
    return f"{count:,} {unit}, {rate:,.0f} a second"
