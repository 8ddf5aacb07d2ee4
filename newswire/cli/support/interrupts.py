"""Ctrl-C, heard wherever a command is, and acted on where nothing is left half done."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
REPEAT_SECONDS = 0.2


@contextmanager
def raise_interrupts() -> Iterator[None]:
    """Ctrl-C ends the block with `KeyboardInterrupt`, which is raised until it arrives.

    Once is not enough where a command waits for a wire: Python forgets what is raised while it tidies up an
    object (urllib3's answers are such), and a signal that comes just before a system call does not end it. It is
    not raised again while the block is being left because of it.
    """
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        raise KeyboardInterrupt

    def repeat(number: int, frame: FrameType | None) -> None:
        if heard and not isinstance(sys.exception(), KeyboardInterrupt):
            raise KeyboardInterrupt

    with signal_handler(signal.SIGALRM, repeat), signal_handler(signal.SIGINT, hear):
        signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS, REPEAT_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def delay_interrupt() -> Iterator[None]:
    """Ctrl-C has to wait until the block is over, so that what is said to be stored is what is stored."""
    heard: list[int] = []
    with (
        signal_handler(signal.SIGALRM, lambda number, frame: None),
        signal_handler(signal.SIGINT, lambda number, frame: heard.append(number)),
    ):
        yield
    if heard:
        raise KeyboardInterrupt


@contextmanager
def signal_handler(signal_number: int, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = signal.signal(signal_number, handler)
    try:
        yield
    finally:
        signal.signal(signal_number, before)
