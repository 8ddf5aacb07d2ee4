"""`newswire verify`."""

import click

from newswire import wire
from newswire.cli.opening import opened_database
from newswire.cli.output import json_option, tell
from newswire.cli.progress import progress


@click.command()
@json_option
def verify(as_json: bool) -> None:
    """Walk the whole wire and prove that no entry was dropped, changed or put in later.

    Holds the numbers, the chain of hashes and the stored content of every version against each other, and
    names the first entry that is not as it was written. Exit status 1 when there is one.
    """
    with opened_database() as database, database.read() as connection:
        head = wire.position(connection)
        with progress("Verifying", "entries", head.seq) as show:
            found = wire.verify(connection, lambda seq: show(seq, seq))
    whole = found.broken is None
    sentence = (
        f"The wire is whole: {found.entries:,} entries, chain {head.chain}."
        if whole
        else f"The wire is broken at entry {found.broken}: {found.reason}."
    )
    tell(sentence, {
        "whole": whole, "entries": found.entries, "broken": found.broken, "reason": found.reason,
        "wire": head.wire, "head": head.seq, "chain": head.chain,
    }, as_json)  # fmt: skip
    raise SystemExit(0 if whole else 1)
