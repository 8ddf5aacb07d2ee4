"""`newswire verify`: verification of the log, in the database, or with --remote over HTTP."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from newswire import wire
from newswire.cli.support.database import open_database
from newswire.cli.support.interrupts import raise_interrupts
from newswire.cli.support.options import EXISTING_FILE, url_option
from newswire.cli.support.output import describe_damage, json_option, print_notice, print_result
from newswire.cli.support.progress import show_progress
from newswire.client.session import RemoteWire
from newswire.client.verify import Proof, prove_wire
from newswire.errors import DamageError
from newswire.store.database import Database


@click.command()
@click.option("--remote", is_flag=True, help="Verify the wire at NEWSWIRE_URL, as it is served to NEWSWIRE_KEY.")
@click.option(
    "--copy", type=EXISTING_FILE, metavar="FILE",
    help="With --remote: verify this copy, made by `newswire pull --output FILE`, against that wire.",
)  # fmt: skip
@url_option
@json_option
def verify_command(remote: bool, copy: Path | None, url: str | None, as_json: bool) -> None:
    """Walk the whole wire and prove that no entry was dropped, changed or put in later.

    Checks the numbers, the chain of hashes and the stored content of every version against each other, and
    names the first entry that is not as it was written. Exit status 1 when there is one. Before, SQLite checks
    its file. A database that was marked as damaged is served again when nothing is broken.

    With --remote a partner does the same over HTTP. It takes a key that sees the whole wire: through a filter
    nobody can tell what was left out from what was dropped. Content that is not served any more (killed,
    expired) cannot be checked from there, but its hash is in the chain.
    """
    if not remote and (copy is not None or url is not None):
        raise click.UsageError("--copy and --url go with --remote.")
    if remote:
        verify_over_http(url, copy, as_json)
    try:
        with open_database(even_damaged=True) as database:
            head, found = verify_database(database)
    except DamageError as error:
        print_result(describe_damage(error), {"whole": False, "damage": error.reason}, as_json)
        raise SystemExit(1) from error
    value = {**found._asdict(), "wire": head.wire, "head": head.seq, "chain": head.chain}
    exit_with_result(found, "wire", f"chain {head.chain}", value, as_json)


def verify_database(database: Database) -> tuple[wire.Head, wire.Verification]:
    """Verifies files and log, and removes the mark of a damaged database if nothing is broken. Raises `DamageError`."""
    check_database_files(database)
    with database.read() as connection:
        head = wire.read_head(connection)
        with show_progress("Verifying", "entries", head.seq) as show:
            found = wire.verify_log(connection, lambda seq: show(seq, seq))
    if found.broken is None and database.damage.clear():
        print_notice("The database was marked as damaged; nothing is broken in it now, and it is served again.")
    return head, found


def check_database_files(database: Database) -> None:
    """Has the database system check its own files; raises `DamageError` for a fault, and marks the database."""
    with database.read() as connection:
        fault = database.backend.find_damage(connection, thorough=False)
    if fault is None and database.damage.is_set():
        # The lock of the writer delays nobody, because nothing is stored in a database that is marked.
        with database.begin(keep=False) as connection:
            fault = database.backend.find_damage(connection, thorough=True)
    if fault is not None:
        database.damage.set(fault)
        raise DamageError(fault)


def verify_over_http(url: str | None, copy: Path | None, as_json: bool) -> NoReturn:
    with raise_interrupts(), show_progress("Verifying", "entries", None) as show:
        found = prove_wire(RemoteWire.from_env(url, print_notice), copy, show)
    details = f"{found.blank:,} of them without their content, chain {found.chain}; the wire stands at {found.head:,}"
    exit_with_result(found, "wire" if copy is None else "copy", details, found._asdict(), as_json)


def exit_with_result(
    found: wire.Verification | Proof, what: str, details: str, value: Mapping[str, Any], as_json: bool
) -> NoReturn:
    """Prints the result of a verification, and ends the command: with exit status 1 when an entry is broken."""
    whole = found.broken is None
    sentence = (
        f"The {what} is whole: {found.entries:,} entries, {details}."
        if whole
        else f"The {what} is broken at entry {found.broken}: {found.reason}."
    )
    print_result(sentence, {"whole": whole, **value}, as_json)
    raise SystemExit(0 if whole else 1)
