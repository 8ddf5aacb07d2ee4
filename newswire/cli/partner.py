"""`newswire partner add | set | list`: partners and their entitlements."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from sqlalchemy import Connection

from newswire.accounts.partners import add_partner, change_partner, list_partners
from newswire.accounts.publishers import find_publisher
from newswire.accounts.slugs import PartyError
from newswire.cli.support.database import open_database
from newswire.cli.support.options import NAME, only_option
from newswire.cli.support.output import format_table, json_option, print_result
from newswire.cli.support.subjects import warn_of_unknown_subjects
from newswire.timestamps import now

Entitlement = Mapping[str, Sequence[str]]


@click.group()
def partner_group() -> None:
    """Partners, who read the wire, and their entitlements.

    \b
    newswire partner add daily --name "The Daily"
    newswire partner add radio --name "Radio Nord" --only language=de,fr --only section=world
    newswire partner add club --name "The Club" --only subject=medtop:15000000
    newswire partner set radio --only language=de
    newswire partner set radio --everything
    """


@partner_group.command("add")
@click.argument("slug")
@click.option("--name", type=NAME, required=True, help="What it is called here.")
@only_option
@json_option
def add_partner_command(slug: str, name: str, only: Entitlement, as_json: bool) -> None:
    """Add a partner. SLUG is its short name: a-z, 0-9 and hyphens. Without --only it sees everything."""
    with open_database() as database, database.begin() as connection:
        check_publishers(connection, only)
        warn_of_unknown_subjects(connection, only.get("subject", ()))
        add_partner(connection, slug, name, only, now())
    sentence = f"Added the partner {slug}, which sees {entitlement_text(only)}; `newswire key create --partner {slug}`."
    print_result(sentence, partner_summary(slug, name, only), as_json)


@partner_group.command("set")
@click.argument("slug")
@click.option("--name", type=NAME, help="What it is called here.")
@only_option
@click.option("--everything", is_flag=True, help="Lift the entitlement: the partner sees everything.")
@json_option
def set_partner_command(slug: str, name: str | None, only: Entitlement, everything: bool, as_json: bool) -> None:
    """Rename a partner or replace its entitlement.

    The new entitlement replaces the old one wholly. The partner still gets the kills of articles that the old
    one had shown it.
    """
    if everything and only:
        raise click.UsageError("--everything and --only exclude each other.")
    if name is None and not everything and not only:
        raise click.UsageError("Nothing to change: give --name, --only or --everything.")
    with open_database() as database, database.begin() as connection:
        check_publishers(connection, only)
        warn_of_unknown_subjects(connection, only.get("subject", ()))
        change_partner(connection, slug, name, only if only or everything else None, now())
        changed = next(item for item in list_partners(connection) if item[0] == slug)
    sentence = f"Changed the partner {slug}, which sees {entitlement_text(changed[2])}."
    print_result(sentence, partner_summary(*changed), as_json)


@partner_group.command("list")
@json_option
def list_partners_command(as_json: bool) -> None:
    """List the partners with their entitlements."""
    with open_database() as database, database.read() as connection:
        found = list_partners(connection)
    rows = [(slug, name, entitlement_text(only)) for slug, name, only in found]
    table = format_table(["SLUG", "NAME", "SEES"], rows)
    print_result(table if found else "No partners yet.", [partner_summary(*item) for item in found], as_json)


def check_publishers(connection: Connection, only: Entitlement) -> None:
    """Raises `PartyError` for a publisher that does not exist: an entitlement to it would silently match nothing."""
    for slug in only.get("publisher", ()):
        if find_publisher(connection, slug.lower()) is None:
            raise PartyError(f"There is no publisher {slug!r}; see `newswire publisher list`.")


def entitlement_text(only: Entitlement) -> str:
    return " ".join(f"{kind}={','.join(names)}" for kind, names in only.items()) or "everything"


def partner_summary(slug: str, name: str, only: Entitlement) -> dict[str, Any]:
    return {"slug": slug, "name": name, "entitlement": only}
