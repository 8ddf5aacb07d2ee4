"""The loop that follows a wire: `GET /v1/changes`, page after page, and then long polling for more.

Storing the entries and the position is for the caller.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from newswire.client import ClientError
from newswire.client.session import RemoteWire, RequestRefused

Parameters = Sequence[tuple[str, str]]
PAGE_LIMIT = 500
WAIT_SECONDS = 30
# A wire answers a long poll after WAIT_SECONDS. A proxy that answers at once must not make this a busy loop.
MIN_POLL_SECONDS = 1.0

LOST_MESSAGES = {
    "wire_changed": "The wire was restored from a backup: what you have read after that backup was made may not be on"
    " it any more, and its numbers are given out again.",
    "cursor_ahead": "The wire ends before your position: it was restored from a backup, or it is not the one that you"
    " have read.",
    "cursor_expired": "The wire keeps no history as old as your position.",
}


class PositionLost(ClientError):
    """The wire cannot continue from the reader's position; the reader has to begin again."""


class EntriesWithheld(ClientError):
    """The wire says that there is more, and does not send it."""


class FetchedPage(NamedTuple):
    """A page of entries as served. `next_after` is the position after it, on the wire `wire`, whose head is `head`."""

    entries: list[dict[str, Any]]
    next_after: int
    has_more: bool
    head: int
    wire: str


def iterate_pages(
    remote: RemoteWire, parameters: Parameters, start: str, wire: str | None = None, *, follow: bool = False
) -> Iterator[FetchedPage]:
    """The pages from `start` (a sequence number, `oldest`, `now`, a time) to the head; with `follow`, without an end.

    `wire` is the id of the wire that `start` belongs to. Raises `PositionLost`, `EntriesWithheld` and what
    `RemoteWire.send` raises.
    """
    # The first request does not wait: its answer gives the position that `now` or a time stands for.
    waiting: list[tuple[str, str]] = []
    while True:
        began = time.monotonic()
        page = fetch_page(
            remote, [*parameters, *position_parameters(start, wire), ("limit", str(PAGE_LIMIT)), *waiting]
        )
        # The next request would be the same again, without an end.
        if page.has_more and str(page.next_after) == start:
            raise EntriesWithheld(f"The wire at {remote.url} has more after {start} and does not send it.")
        start, wire = str(page.next_after), page.wire
        yield page
        if page.has_more:
            continue
        if not follow:
            return
        if waiting and not page.entries:
            time.sleep(max(0.0, began + MIN_POLL_SECONDS - time.monotonic()))
        waiting = [("wait", str(WAIT_SECONDS))]


def position_parameters(start: str, wire: str | None) -> list[tuple[str, str]]:
    found = [("after" if start.isascii() and start.isdigit() else "start", start)]
    return found if wire is None else [*found, ("wire", wire)]


def fetch_page(remote: RemoteWire, parameters: Parameters) -> FetchedPage:
    """Fetches one page, and checks that its entries are in order."""
    try:
        content = remote.get("/v1/changes", parameters)
    except RequestRefused as error:
        if error.code in LOST_MESSAGES:
            raise PositionLost(LOST_MESSAGES[error.code]) from error
        raise
    try:
        page = content["page"]
        found = FetchedPage(content["data"], page["next_after"], page["has_more"], content["head"], content["wire"])
        numbers = [entry["seq"] for entry in found.entries]
    except (KeyError, TypeError):
        raise ClientError(f"At {remote.url} there is no Newswire: its pages are not those of a wire.") from None
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > found.next_after):
        raise ClientError(f"The wire at {remote.url} sends its entries out of order.")
    return found
