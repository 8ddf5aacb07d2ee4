"""The rebuild of the search index in the foreground, as commands run it: with progress, and Ctrl-C as a pause."""

import click

from newswire.cli.support.interrupts import INTERRUPTED
from newswire.cli.support.progress import show_progress
from newswire.search.rebuild import count_outdated, rebuild_index
from newswire.store.database import Database

STOPPED = "Stopped; {left:,} articles have still to be indexed. `newswire db upgrade` goes on from here."

WRITTEN_MEANWHILE = (
    "{left:,} articles were indexed by a server of another release meanwhile; stop it, and run"
    " `newswire db upgrade` again."
)


def update_index(database: Database) -> int:
    """Indexes what another version of the index has written; returns how many articles that were.

    Ctrl-C ends the command with a sentence; what was indexed until then stays.
    """
    with database.read() as connection:
        total = count_outdated(connection)
    if not total:
        return 0
    done = 0
    try:
        with show_progress("Indexing", "articles", total) as show:
            for done in rebuild_index(database):
                show(done, min(done, total))
    except KeyboardInterrupt:
        with database.read() as connection:
            left = count_outdated(connection)
        click.echo(STOPPED.format(left=left), err=True)
        raise SystemExit(INTERRUPTED) from None
    with database.read() as connection:
        left = count_outdated(connection)
    if left:
        click.echo(WRITTEN_MEANWHILE.format(left=left), err=True)
    return done
