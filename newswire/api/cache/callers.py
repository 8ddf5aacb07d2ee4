"""Who a key is, remembered for as long as nothing was configured: an edit of any key or entitlement ends it at once."""

import hashlib
import threading
import time
from typing import NamedTuple

from newswire.accounts.callers import Caller
from newswire.accounts.keys import USE_NOTED_EVERY
from newswire.wire import Head

MOST = 10_000
KNOWN = "newswire.known"
"""Where the WSGI environment of a request holds whose it is, if that was known at its beginning."""


class Known(NamedTuple):
    """A caller as it was at a revision of the configuration; `asked_at` is on the monotonic clock, in seconds."""

    caller: Caller
    visibility: str
    wire: str
    revision: int
    asked_at: float


class Callers:
    """Authorization headers, by their hashes, and whose they are."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}
        self._lock = threading.Lock()

    def known(self, header: str, head: Head | None, now: int) -> Known | None:
        """Whose header this is, if that is known; the use of a key is to be noted now and then, so not for ever."""
        found = self._known.get(hashed(header))
        if head is None or found is None or (found.wire, found.revision) != (head.wire, head.revision):
            return None
        if time.monotonic() - found.asked_at > USE_NOTED_EVERY / 1000:
            return None
        expires_at = found.caller.expires_at
        return found if expires_at is None or expires_at > now else None

    def learn(self, header: str, caller: Caller, head: Head) -> Known:
        """`caller` and `head` are of one snapshot."""
        known = Known(caller, caller.visibility.fingerprint, head.wire, head.revision, time.monotonic())
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[hashed(header)] = known
        return known


def hashed(header: str) -> bytes:
    return hashlib.blake2b(header.encode("utf-8", "surrogatepass"), digest_size=32).digest()
