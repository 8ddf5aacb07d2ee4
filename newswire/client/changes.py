"""The one loop of all clients that follow a wire: `GET /v1/changes`, page after page, then waiting for more.

What becomes of a page, and where the place is kept, is with the commands.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from newswire.client.session import Refused, Remote, RemoteError

LIMIT = 500
WAIT_SECONDS = 30
# A wire that waits is asked once in WAIT_SECONDS; one that does not, because of what stands before it, not more often.
LEAST_SECONDS = 1.0

LOST = {
    "wire_changed": "The wire was restored from a backup: what you have read after that backup was made may not be on"
    " it any more, and its numbers are given out again.",
    "cursor_ahead": "The wire ends before your place: it was restored from a backup, or it is not the one that you"
    " have read.",
    "cursor_expired": "The wire keeps no history as old as your place.",
}


class PlaceLost(RemoteError):
    """The wire cannot go on from where the reader is; the reader has to begin again."""


class Withheld(RemoteError):
    """The wire says that there is more, and does not tell it."""


class Page(NamedTuple):
    """Entries as served; `next_after` is where to go on, on the wire with the id `wire`, which ends at `head`."""

    entries: list[dict[str, Any]]
    next_after: int
    has_more: bool
    head: int
    wire: str


def pages(
    remote: Remote, parameters: Sequence[tuple[str, str]], start: str, wire: str | None = None, *, follow: bool = False
) -> Iterator[Page]:
    """The wire from `start` (a sequence number, `oldest`, `now`, a time) to its head; with `follow`, and on from there.

    `wire` is the id of the wire that `start` is a place on. Raises `PlaceLost` and what `Remote` raises.
    """
    # The first page says at once where the reader is, also when `now` is all that it asked for.
    waiting: list[tuple[str, str]] = []
    while True:
        began = time.monotonic()
        page = read(remote, [*parameters, *place(start, wire), ("limit", str(LIMIT)), *waiting])
        if page.has_more and str(page.next_after) == start:
            raise Withheld(f"The wire at {remote.url} has more behind {start} and does not tell it.")
        start, wire = str(page.next_after), page.wire
        yield page
        if page.has_more:
            continue
        if not follow:
            return
        if waiting and not page.entries:
            time.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
        waiting = [("wait", str(WAIT_SECONDS))]


def place(start: str, wire: str | None) -> list[tuple[str, str]]:
    found = [("after" if start.isascii() and start.isdigit() else "start", start)]
    return found if wire is None else [*found, ("wire", wire)]


def read(remote: Remote, parameters: Sequence[tuple[str, str]]) -> Page:
    """One page."""
    try:
        content = remote.get("/v1/changes", parameters)
    except Refused as error:
        if error.code in LOST:
            raise PlaceLost(LOST[error.code]) from error
        raise
    try:
        page = content["page"]
        found = Page(content["data"], page["next_after"], page["has_more"], content["head"], content["wire"])
        numbers = [entry["seq"] for entry in found.entries]
    except (KeyError, TypeError):
        raise RemoteError(f"At {remote.url} there is no Newswire: its pages are not those of a wire.") from None
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > found.next_after):
        raise RemoteError(f"The wire at {remote.url} tells its entries out of order.")
    return found
