"""`newswire verify --remote`: whether a wire, or a copy of it, is complete and unaltered, from outside.

What the operator proves with the database at hand is in `wire.verify`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain as chained
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson

from newswire import wire
from newswire.client.changes import Withheld, pages, read
from newswire.client.session import Remote
from newswire.client.text import Show
from newswire.document import digest_of

Entry = Mapping[str, Any]


class Proof(NamedTuple):
    """What was found: `entries` that hold, `blank` ones among them, whose content is not served any more.

    `broken` is the first entry that does not hold, `reason` why; `chain` is the last value that holds.
    """

    wire: str
    head: int
    entries: int
    blank: int
    chain: str
    broken: int | None = None
    reason: str | None = None


def prove(remote: Remote, copy: Path | None, show: Show) -> Proof:
    """Holds every entry, of the wire or of its copy in a file, against the one before and against the wire's word."""
    if remote.get("/v1/me").get("entitlement"):
        raise click.ClickException(
            "This key sees a part of the wire only, and the chain holds over the whole: only a key that sees"
            " everything can prove that nothing is missing."
        )
    stands = remote.get("/v1/wire")
    found = walked(served(remote, stands) if copy is None else kept(copy), stands, show)
    if found.broken is not None or not found.entries:
        return found
    if copy is not None:
        # A copy may end before the wire does.
        told = read(remote, [("after", str(found.entries - 1)), ("limit", "1")]).entries
        same = bool(told) and told[0]["chain"] == found.chain
        return found if same else faulty(found, "the wire tells another one in its place, or none")
    if found.entries != stands["head"]:
        return faulty(found, f"the wire says that it stands at {stands['head']}", found.entries + 1)
    return found if found.chain == stands["chain"] else faulty(found, "the wire itself tells another chain value")


def faulty(found: Proof, reason: str, broken: int | None = None) -> Proof:
    return found._replace(broken=broken or found.entries, reason=reason)


def served(remote: Remote, stands: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of the wire up to where it stood at the beginning, page by page."""
    told = chained.from_iterable(page.entries for page in pages(remote, [], "0", stands["wire"]))
    # What is withheld is missing, which is for the caller to notice.
    with suppress(Withheld):
        yield from takewhile(lambda entry: entry["seq"] <= stands["head"], told)


def kept(copy: Path) -> Iterator[Entry]:
    """The entries in a file that `newswire pull --output` has written."""
    with copy.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield dict(orjson.loads(line))
            except (ValueError, TypeError):
                raise click.ClickException(f"{copy}, line {number}: this is no entry of a wire.") from None


def walked(entries: Iterable[Entry], stands: Mapping[str, Any], show: Callable[[int, int], None]) -> Proof:
    """Goes from entry to entry, in constant memory, to the end or to the first one that does not hold."""
    found = Proof(stands["wire"], stands["head"], 0, 0, wire.GENESIS)
    for entry in entries:
        reason = fault(entry, found.entries + 1, found.chain)
        if reason is not None:
            return found._replace(broken=found.entries + 1, reason=reason)
        blank = found.blank + (entry["article"] is None)
        found = found._replace(entries=entry["seq"], blank=blank, chain=entry["chain"])
        show(found.entries, found.entries)
    return found


def fault(entry: Entry, expected: int, chain: str) -> str | None:
    """Why an entry is not as it was written, or None. One that is served without its article has its digest only."""
    try:
        if entry["seq"] != expected:
            return f"entry {expected} is missing" if entry["seq"] > expected else "it comes twice"
        if entry["article"] is not None and digest_of(entry["article"]) != entry["digest"]:
            return "its content was altered"
        if wire.chain_value(chain, entry["seq"], entry["digest"]) != entry["chain"]:
            return "its chain value does not follow from the entry before it"
    except (KeyError, TypeError, ValueError, AttributeError):
        return "it is not as the wire tells its entries"
    return None
