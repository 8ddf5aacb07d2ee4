"""`newswire verify`: in the database, or with --remote over HTTP."""

from pathlib import Path
from typing import NoReturn

import click

from newswire import wire
from newswire.cli.support.database import opened_database
from newswire.cli.support.interrupts import interruptible
from newswire.cli.support.options import url_option
from newswire.cli.support.output import json_option, tell
from newswire.cli.support.progress import progress
from newswire.client.session import opened
from newswire.client.verify import prove


@click.command()
@click.option("--remote", is_flag=True, help="Verify the wire at NEWSWIRE_URL, as it is served to NEWSWIRE_KEY.")
@click.option(
    "--copy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --remote: verify this copy, made by `newswire pull --output FILE`, against that wire.",
)
@url_option
@json_option
def verify(remote: bool, copy: Path | None, url: str | None, as_json: bool) -> None:
    """Walk the whole wire and prove that no entry was dropped, changed or put in later.

    Holds the numbers, the chain of hashes and the stored content of every version against each other, and
    names the first entry that is not as it was written. Exit status 1 when there is one.

    With --remote a partner does the same over HTTP. It takes a key that sees the whole wire: through a filter
    nobody can tell what was left out from what was dropped. Content that is not served any more (killed,
    expired) cannot be looked at from there; its hash is in the chain all the same.
    """
    if not remote and (copy is not None or url is not None):
        raise click.UsageError("--copy and --url go with --remote.")
    if remote:
        verify_remote(url, copy, as_json)
    with opened_database() as database, database.read() as connection:
        head = wire.read_head(connection)
        with progress("Verifying", "entries", head.seq) as show:
            found = wire.verify_log(connection, lambda seq: show(seq, seq))
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


def verify_remote(url: str | None, copy: Path | None, as_json: bool) -> NoReturn:
    """Says what `prove` finds, and ends the command."""
    with interruptible(), progress("Verifying", "entries", None) as show:
        found = prove(opened(url), copy, show)
    whole = found.broken is None
    what = "wire" if copy is None else "copy"
    sentence = (
        f"The {what} is whole: {found.entries:,} entries, {found.blank:,} of them without their content,"
        f" chain {found.chain}; the wire stands at {found.head:,}."
        if whole
        else f"The {what} is broken at entry {found.broken}: {found.reason}."
    )
    tell(sentence, {"whole": whole, **found._asdict()}, as_json)
    raise SystemExit(0 if whole else 1)
