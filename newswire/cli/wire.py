"""`newswire wire renew`: a new id for the wire, by hand.

A wire that runs finds out by itself that its database has lost entries (`newswire.changes.forks`); this command is for
a database that went back to an earlier state while no process was running that could remember.
"""

import click

from newswire import wire
from newswire.cli.support.database import open_database
from newswire.cli.support.output import json_option, print_result
from newswire.timestamps import now


@click.group()
def wire_group() -> None:
    """Give the wire a new id, after its database went back in time."""


@wire_group.command(short_help="Give the wire a new id.")
@json_option
def renew_command(as_json: bool) -> None:
    """Give the wire a new id, and keep the former one.

    Run it when the database went back to an earlier state while no server and no worker was running: a snapshot
    of the disk was put back, a standby that lagged was promoted. (`newswire restore` gives a new id by itself, and
    so does a wire that runs, when it notices.) It may be served meanwhile.

    A reader whose position names its history (its chain value) goes on if the wire still has what it has read. One
    who has read what is lost, or whose position has no chain value, gets 409 and begins again.
    """
    with open_database() as database, database.begin() as connection:
        head = wire.read_head(connection)
        new = wire.renew_wire(connection, head, "renewed", now())
    if new is None:
        raise click.ClickException("Another process has given the wire a new id at this moment.")
    sentence = f"The wire {head.wire} is {new} from now on; it stands at {head.seq:,}."
    print_result(sentence, {"former": head.wire, "wire": new, "head": head.seq, "chain": head.chain}, as_json)
