"""Fixed windows of requests, counted in memory that all web processes of a server share.

`newswire serve` makes the table before it forks its web processes, so that a count is exact over all of them, and
outlives each: a process that is started again goes on in the same table. Under another WSGI server each process has a
table of its own, unless the application is loaded before the fork.
"""

import errno
import fcntl
import hashlib
import mmap
import os
import tempfile
import threading
import time
import weakref
from functools import lru_cache
from typing import NamedTuple

from newswire.quotas import Quota

KEYS, ADDRESSES = "key", "address"
"""The two parts of the table. Addresses are as many as an attacker likes, so they must not use up the room of keys."""
ROWS = {KEYS: 16_384, ADDRESSES: 16_384}
PROBED_ROWS = 32
"""Rows from the hash of a name on in which its window may be; when all are taken, the one that ends first is lost."""
ROW_WORDS = 4
WORD_BYTES = 8
NAME, ENDS_AT, COUNT = 0, 1, 2
LOCK_SECONDS = 0.25
"""A process that was stopped while it held the lock must not stop the others: then one goes on without the lock."""


class QuotaWindow(NamedTuple):
    """The window of a name after a request: requests counted in it, and its end in seconds of the monotonic clock."""

    used: int
    ends_at: float


class WindowTable:
    """A hash table of windows in shared memory, 4 words of 8 bytes a row: hash of the name, end in ms, count, unused.

    The clock is `time.monotonic`, which all processes of a machine share. A window begins with its first request.
    """

    def __init__(self) -> None:
        size = sum(ROWS.values()) * ROW_WORDS * WORD_BYTES
        file = anonymous_file(size)
        weakref.finalize(self, os.close, file)
        # A word is stored in one instruction, so a process that is killed leaves no word half written.
        self._words = memoryview(mmap.mmap(file, size)).cast("Q")
        self._lock = TableLock(file)

    def count(self, part: str, name: str, quota: Quota, now: float) -> QuotaWindow:
        """Counts a request, unless `quota` is used up; then `used` is one more than it allows."""
        words, hashed = self._words, hash_name(name)
        with self._lock:
            row = self._find_row(part, hashed, now)
            if words[row + NAME] != hashed or words[row + ENDS_AT] <= now * 1000:
                words[row + COUNT] = 0
                words[row + ENDS_AT] = int((now + quota.seconds) * 1000)
                words[row + NAME] = hashed
            count, ends_at = words[row + COUNT] + 1, words[row + ENDS_AT] / 1000
            if count <= quota.requests:
                words[row + COUNT] = count
        return QuotaWindow(count, ends_at)

    def give_back(self, part: str, name: str, window: QuotaWindow, now: float) -> None:
        """Takes a request back from the window in which it was counted, if that has not ended."""
        words, hashed = self._words, hash_name(name)
        with self._lock:
            row = self._find_row(part, hashed, now)
            is_same = words[row + NAME] == hashed and words[row + ENDS_AT] / 1000 == window.ends_at
            if is_same and words[row + COUNT]:
                words[row + COUNT] -= 1

    def look(self, part: str, name: str, now: float) -> QuotaWindow | None:
        """The window of a name, None when there is none at this time; counts nothing."""
        words, hashed = self._words, hash_name(name)
        with self._lock:
            row = self._find_row(part, hashed, now)
            if words[row + NAME] != hashed or words[row + ENDS_AT] <= now * 1000:
                return None
            return QuotaWindow(words[row + COUNT], words[row + ENDS_AT] / 1000)

    def _find_row(self, part: str, hashed: int, now: float) -> int:
        """The first word of the row of a name; without one, of the row among those probed that ends first."""
        words, rows, moment = self._words, ROWS[part], now * 1000
        first = 0 if part == KEYS else ROWS[KEYS]
        best, best_end = -1, 0
        for step in range(PROBED_ROWS):
            row = (first + (hashed + step) % rows) * ROW_WORDS
            ends_at = words[row + ENDS_AT]
            if ends_at > moment and words[row + NAME] == hashed:
                return row
            if best < 0 or ends_at < best_end:
                best, best_end = row, ends_at
            # A row that was never used ends every search, because the first of them is taken before any other row.
            if not ends_at:
                break
        return best


class TableLock:
    """A lock between the threads and the processes that share a table; the kernel releases that of a killed process."""

    def __init__(self, file: int) -> None:
        self._file = file
        # Threads need a lock of their own, because the lock of a file belongs to the whole process.
        self._threads = threading.Lock()
        self._is_locked = False

    def __enter__(self) -> None:
        self._threads.acquire()
        self._is_locked = lock_file(self._file)

    def __exit__(self, *error: object) -> None:
        if self._is_locked:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1)
        self._threads.release()


def anonymous_file(size: int) -> int:
    """The descriptor of a file without a name: in memory where the system has that, else in the temporary folder."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("newswire-windows")
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.ftruncate(file, size)
    return file


@lru_cache(4096)
def hash_name(name: str) -> int:
    """A number of 64 bits for a name, never 0."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=WORD_BYTES).digest(), "big") | 1


def lock_file(file: int) -> bool:
    """Locks the first byte of a file against other processes; False when that takes `LOCK_SECONDS`."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
            return True
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0001)
