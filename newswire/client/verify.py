"""Verification of a wire over HTTP, or of a pulled copy of it: is it complete and unaltered?

`wire.verify` does the same for the operator, in the database.
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
    """The result: `entries` that hold; `blank` of them are served without their content (killed, expired).

    `broken` is the first entry that does not hold, `reason` why not; `chain` is the last chain value that holds.
    """

    wire: str
    head: int
    entries: int
    blank: int
    chain: str
    broken: int | None = None
    reason: str | None = None


def prove_wire(remote: RemoteWire, copy: Path | None, show: ShowProgress) -> Proof:
    """Verifies the whole wire, or a copy of it in a file, entry by entry and against the head of the wire."""
    if remote.get("/v1/me").get("entitlement"):
        raise ClientError(
            "This key sees a part of the wire only, and the chain holds over the whole: only a key that sees"
            " everything can prove that nothing is missing."
        )
    head = remote.get("/v1/wire")
    found = check_entries(served_entries(remote, head) if copy is None else copied_entries(copy), head, show)
    if found.broken is not None or not found.entries:
        return found
    if copy is not None:
        # A copy may end before the wire does, so its last entry is compared, not the head.
        last = fetch_page(remote, [("after", str(found.entries - 1)), ("limit", "1")]).entries
        same = bool(last) and last[0]["chain"] == found.chain
        return found if same else broken_proof(found, "the wire has another entry at this position, or none")
    if found.entries != head["head"]:
        return broken_proof(found, f"the wire says that it stands at {head['head']}", found.entries + 1)
    return found if found.chain == head["chain"] else broken_proof(found, "the head has another chain value")


def broken_proof(found: Proof, reason: str, broken: int | None = None) -> Proof:
    return found._replace(broken=broken or found.entries, reason=reason)


def served_entries(remote: RemoteWire, head: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of the wire up to the head that it had at the beginning, page by page."""
    entries = chain_iterables.from_iterable(page.entries for page in iterate_pages(remote, [], "0", head["wire"]))
    # Entries that are withheld are missing, which `check_entries` finds.
    with suppress(EntriesWithheld):
        yield from takewhile(lambda entry: entry["seq"] <= head["head"], entries)


def copied_entries(copy: Path) -> Iterator[Entry]:
    """The entries in a file that `newswire pull --output` has written."""
    with copy.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield dict(orjson.loads(line))
            except (ValueError, TypeError):
                raise ClientError(f"{copy}, line {number}: this is no entry of a wire.") from None


def check_entries(entries: Iterable[Entry], head: Mapping[str, Any], show: ShowProgress) -> Proof:
    """Checks entry after entry, in constant memory, to the end or to the first one that does not hold."""
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
    """Why an entry is not as it was written, or None; `chain` is the chain value of the entry before it."""
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
