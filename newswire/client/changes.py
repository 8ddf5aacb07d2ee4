"""The loop that follows a wire: `GET /v1/changes`, page after page, and then long polling for more.

Storing the entries and the position is for the caller.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from newswire import wire as log
from newswire.client import ClientError
from newswire.client.session import RemoteWire, RequestRefused

Parameters = Sequence[tuple[str, str]]
PAGE_LIMIT = 500
WAIT_SECONDS = 30
# A wire answers a long poll after WAIT_SECONDS. A proxy that answers at once must not make this a busy loop.
MIN_POLL_SECONDS = 1.0

LOST_MESSAGES = {
    "wire_changed": "The wire was restored from a backup, or has lost entries, and has another id now: what you have"
    " read last may not be on it any more, and its numbers are given out again.",
    "wire_forked": "The wire has lost entries that you have read: its database went back to an earlier state, as at a"
    " failover, and other entries have their numbers now. No correction and no kill will reach those that you hold.",
    "cursor_ahead": "The wire ends before your position: it was restored from a backup, has lost entries at a failover,"
    " or is not the one that you have read.",
    "cursor_expired": "The wire keeps no history as old as your position.",
}


class PositionLost(ClientError):
    """The wire cannot continue from the reader's position; the reader has to begin again."""


class EntriesWithheld(ClientError):
    """The wire says that there is more, and does not send it."""


class FetchedPage(NamedTuple):
    """A page of entries as served. `next_after` is the position after it, on the wire `wire`, whose head is `head`.

    `next_chain` is the chain value of entry `next_after`; None from a wire of an earlier release.
    """

    entries: list[dict[str, Any]]
    next_after: int
    has_more: bool
    head: int
    wire: str
    next_chain: str | None


def iterate_pages(
    remote: RemoteWire, parameters: Parameters, start: str, wire: str | None = None, chain: str | None = None, *,
    follow: bool = False,
) -> Iterator[FetchedPage]:  # fmt: skip
    """The pages from `start` (a sequence number, `oldest`, `now`, a time) to the head; with `follow`, without an end.

    `wire` is the id of the wire that `start` belongs to, `chain` the chain value of that entry. Raises `PositionLost`,
    `EntriesWithheld` and what `RemoteWire.send` raises.
    """
    # The first request does not wait: its answer gives the position that `now` or a time stands for.
    waiting: list[tuple[str, str]] = []
    while True:
        began = time.monotonic()
        position = position_parameters(start, wire, chain)
        page = fetch_page(remote, [*parameters, *position, ("limit", str(PAGE_LIMIT)), *waiting])
        # The next request would be the same again, without an end.
        if page.has_more and str(page.next_after) == start:
            raise EntriesWithheld(f"The wire at {remote.url} has more after {start} and does not send it.")
        start, wire, chain = str(page.next_after), page.wire, page.next_chain
        yield page
        if page.has_more:
            continue
        if not follow:
            return
        if waiting and not page.entries:
            time.sleep(max(0.0, began + MIN_POLL_SECONDS - time.monotonic()))
        waiting = [("wait", str(WAIT_SECONDS))]


def iterate_verified_pages(
    remote: RemoteWire, parameters: Parameters, start: str, wire: str | None = None, chain: str | None = None, *,
    follow: bool = False,
) -> Iterator[FetchedPage]:  # fmt: skip
    """As `iterate_pages`; raises `PositionLost` also where an entry does not follow from what was read before it."""
    after = int(start) if chain is not None else 0
    for page in iterate_pages(remote, parameters, start, wire, chain, follow=follow):
        verify_chain(page, after, chain)
        after, chain = page.next_after, page.next_chain
        yield page


def position_parameters(start: str, wire: str | None, chain: str | None) -> list[tuple[str, str]]:
    found = [("after" if start.isascii() and start.isdigit() else "start", start)]
    return [*found, *((name, value) for name, value in (("wire", wire), ("chain", chain)) if value is not None)]


def verify_chain(page: FetchedPage, after: int, chain: str | None) -> None:
    """Raises `PositionLost` if an entry does not follow from the one before, where that one was sent too.

    `chain` is the chain value of entry `after`, None if it is not known. A filter leaves gaps, which prove nothing.
    """
    for entry in page.entries:
        seq = entry["seq"]
        if chain is not None and seq == after + 1 and log.chain_value(chain, seq, entry["digest"]) != entry["chain"]:
            raise PositionLost(f"Entry {seq} of the wire does not follow from entry {after} as you have read it.")
        after, chain = seq, entry["chain"]


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
        found = FetchedPage(
            content["data"], page["next_after"], page["has_more"], content["head"], content["wire"],
            page.get("next_chain"),
        )  # fmt: skip
        numbers = [entry["seq"] for entry in found.entries]
        for entry in found.entries:
            f"{entry['digest']} {entry['chain']}".encode("ascii")
    except (KeyError, TypeError, UnicodeEncodeError):
        raise ClientError(f"At {remote.url} there is no Newswire: its pages are not those of a wire.") from None
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > found.next_after):
        raise ClientError(f"The wire at {remote.url} sends its entries out of order.")
    return found
