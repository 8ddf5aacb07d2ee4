"""Ctrl-C, heard where nothing is left half done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C has to wait until the block is over, so that what is said to be stored is what is stored."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
