"""The languages in whose stems a word is looked for, as they are at one head."""

from collections.abc import Sequence

from sqlalchemy import Connection

from newswire.search import index
from newswire.wire import Head


class Languages:
    """Those in the index, looked up anew for every head: an article in another one raises it before it is listed."""

    def __init__(self) -> None:
        self._known: tuple[Head, Sequence[str]] | None = None

    def at(self, connection: Connection, head: Head) -> Sequence[str]:
        """`head` is that of this transaction, or one that was seen before it."""
        if self._known is None or self._known[0] != head:
            self._known = (head, index.languages(connection))
        return self._known[1]
