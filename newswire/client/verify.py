"""Verification over HTTP that a wire, or a pulled copy of it, is complete and unaltered.

`wire.verify_log` does the same for the operator, in the database. There the content is always present; here an entry
may be served without its article, and may lack any member. So the two have separate checks of one entry.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain as chain_iterables
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from newswire import wire
from newswire.client import ClientError
from newswire.client.changes import EntriesWithheld, fetch_page, iterate_pages
from newswire.client.session import RemoteWire
from newswire.document import digest_of

Entry = Mapping[str, Any]
ShowProgress = Callable[[int, int], None]


class Proof(NamedTuple):
    """The result: the number of valid `entries`; `blank` of them are served without content (killed, expired).

    `broken` is the first invalid entry and `reason` its fault; `chain` is the last valid chain value.
    """

    wire: str
    head: int
    entries: int
    blank: int
    chain: str
    broken: int | None = None
    reason: str | None = None


def prove_wire(remote: RemoteWire, copy: Path | None, show: ShowProgress) -> Proof:
    """Verifies the whole wire, or a copy of it in a file, entry by entry and against the head of the wire.

    Raises `ClientError` for a key with an entitlement.
    """
    if remote.get("/v1/me").get("entitlement"):
        raise ClientError(
            "This key sees a part of the wire only, and the chain holds over the whole: only a key that sees"
            " everything can prove that nothing is missing."
        )
    # Read before the entries: what is appended during the walk is left out of it.
    head = remote.get("/v1/wire")
    found = check_entries(served_entries(remote, head) if copy is None else copied_entries(copy), head, show)
    if found.broken is not None or not found.entries:
        return found
    if copy is not None:
        # A copy may end before the wire does, so its last entry is compared instead of the head.
        last = fetch_page(remote, [("after", str(found.entries - 1)), ("limit", "1")]).entries
        same = bool(last) and last[0]["chain"] == found.chain
        return found if same else broken_proof(found, "the wire has another entry at this position, or none")
    if found.entries != head["head"]:
        return broken_proof(found, f"the wire says that it stands at {head['head']}", found.entries + 1)
    return found if found.chain == head["chain"] else broken_proof(found, "the head has another chain value")


def broken_proof(found: Proof, reason: str, broken: int | None = None) -> Proof:
    return found._replace(broken=broken or found.entries, reason=reason)


def served_entries(remote: RemoteWire, head: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of the wire up to `head`, fetched page by page."""
    entries = chain_iterables.from_iterable(page.entries for page in iterate_pages(remote, [], "0", head["wire"]))
    # The walk ends before the first withheld entry; `prove_wire` then finds that it ends below the head.
    with suppress(EntriesWithheld):
        yield from takewhile(lambda entry: entry["seq"] <= head["head"], entries)


def copied_entries(copy: Path) -> Iterator[Entry]:
    """The entries in a file written by `newswire pull --output`; raises `ClientError` with the number of a bad line."""
    with copy.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield dict(orjson.loads(line))
            except (ValueError, TypeError):
                raise ClientError(f"{copy}, line {number}: this is no entry of a wire.") from None


def check_entries(entries: Iterable[Entry], head: Mapping[str, Any], show: ShowProgress) -> Proof:
    """Checks entry by entry, in constant memory, up to the end or the first invalid one."""
    found = Proof(head["wire"], head["head"], 0, 0, wire.GENESIS)
    for entry in entries:
        reason = find_fault(entry, found.entries + 1, found.chain)
        if reason is not None:
            return broken_proof(found, reason, found.entries + 1)
        blank = found.blank + (entry["article"] is None)
        found = found._replace(entries=entry["seq"], blank=blank, chain=entry["chain"])
        show(found.entries, found.entries)
    return found


def find_fault(entry: Entry, expected: int, chain: str) -> str | None:
    """The reason why an entry is invalid, or None; `chain` is the chain value of the entry before it."""
    try:
        if entry["seq"] != expected:
            return f"entry {expected} is missing" if entry["seq"] > expected else "it comes twice"
        # Without the article its digest cannot be recomputed, but the chain still covers the digest.
        if entry["article"] is not None and digest_of(entry["article"]) != entry["digest"]:
            return "its content was altered"
        if wire.chain_value(chain, entry["seq"], entry["digest"]) != entry["chain"]:
            return "its chain value does not follow from the entry before it"
    except (KeyError, TypeError, ValueError, AttributeError):
        return "it has not the form of an entry"
    return None
