"""Ctrl-C ends a command that waits, whenever it comes, and never in the midst of what must be whole."""

import io
import signal
import socket
import threading
import time
from collections.abc import Callable

import pytest

from newswire.cli.support.interrupts import delay_interrupt, raise_interrupts

LONG_SECONDS = 20.0


class Tidied(io.IOBase):
    """Something that Python closes when nobody has it any more, like an answer of urllib3; Ctrl-C comes meanwhile."""

    def close(self) -> None:
        if not self.closed:
            signal.raise_signal(signal.SIGINT)
        super().close()


@raise_interrupts()
def forgotten_and_then(go_on: Callable[[], None]) -> None:
    # Nothing is heard of it here: what a finaliser raises is forgotten.
    Tidied()
    go_on()
    time.sleep(LONG_SECONDS)


@raise_interrupts()
def waiting_while(interrupt: Callable[[], None], connection: socket.socket) -> None:
    connection.settimeout(LONG_SECONDS)
    threading.Thread(target=interrupt).start()
    connection.recv(1)


@delay_interrupt()
def whole(done: list[str]) -> None:
    time.sleep(0.5)
    done.append("whole")


# Since Python 3.13 what a finaliser of `io` raises goes to sys.unraisablehook, which pytest makes a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_python_tidies_up_an_object_ends_the_command() -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        forgotten_and_then(lambda: None)
    assert time.monotonic() - began < LONG_SECONDS / 2


def test_ctrl_c_that_does_not_end_a_system_call_ends_the_command() -> None:
    def interrupt() -> None:
        time.sleep(0.1)
        # Taken by this thread, it leaves the call that the main thread waits in undisturbed.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    began = time.monotonic()
    here, there = socket.socketpair()
    with here, there, pytest.raises(KeyboardInterrupt):
        waiting_while(interrupt, here)
    assert time.monotonic() - began < LONG_SECONDS / 2


def test_ctrl_c_waits_for_what_must_be_whole() -> None:
    done: list[str] = []

    @raise_interrupts()
    def work() -> None:
        with delay_interrupt():
            signal.raise_signal(signal.SIGINT)
            whole(done)
        done.append("on")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]


# Since Python 3.13 what a finaliser of `io` raises goes to sys.unraisablehook, which pytest makes a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_was_forgotten_does_not_come_back_in_the_midst_of_what_must_be_whole() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        forgotten_and_then(lambda: whole(done))
    assert done == ["whole"]


def test_what_is_done_while_the_command_is_left_is_not_interrupted() -> None:
    done: list[str] = []

    @raise_interrupts()
    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            whole(done)
            time.sleep(0.5)
            done.append("left")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole", "left"]


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]
    with raise_interrupts(), delay_interrupt():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
