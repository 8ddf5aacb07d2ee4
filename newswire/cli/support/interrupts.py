"""Ctrl-C: raised wherever a command waits, and delayed while something must be completed."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended: 128 + SIGINT, as in a shell."""
REPEAT_SECONDS = 0.2


@contextmanager
def raise_interrupts() -> Iterator[None]:
    """Ends the block with `KeyboardInterrupt` on Ctrl-C, and raises that again until the block is being left.

    Once is not enough for a command that waits for a wire: Python drops an exception that is raised inside of a
    finalizer (urllib3's responses have one), and a signal just before a system call does not end that call.
    """
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    def repeat(number: int, frame: FrameType | None) -> None:
        # While the first one unwinds the stack, another would interrupt the clean-up.
        if interrupted and not isinstance(sys.exception(), KeyboardInterrupt):
            raise KeyboardInterrupt

    with signal_handler(signal.SIGALRM, repeat), signal_handler(signal.SIGINT, interrupt):
        signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS, REPEAT_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def delay_interrupt() -> Iterator[None]:
    """Delays Ctrl-C to the end of the block, so that what is written and what is noted of it agree."""
    received: list[int] = []
    with (
        signal_handler(signal.SIGALRM, lambda number, frame: None),
        signal_handler(signal.SIGINT, lambda number, frame: received.append(number)),
    ):
        yield
    if received:
        raise KeyboardInterrupt


@contextmanager
def signal_handler(signal_number: int, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handles a signal by `handler` in the block, and by the previous handler after it."""
    before = signal.signal(signal_number, handler)
    try:
        yield
    finally:
        signal.signal(signal_number, before)
