"""Threads that call a server until they are told to stop."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.soaks.servers import Server


@contextmanager
def crew(server: Server, size: int) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """`size` threads and the event that tells them to stop; the block ends when all have.

    A failure in the block, Ctrl-C too, closes the server, so that nobody waits for an answer.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(size) as pool:
        try:
            yield pool, stop
        except BaseException:
            server.close()
            raise
        finally:
            stop.set()
