"""`newswire pull`: the wire over HTTP, into files, once or on and on."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import click

from newswire.cli.support.interrupts import INTERRUPTED, delay_interrupt, raise_interrupts
from newswire.cli.support.options import filter_option, query_option, url_option
from newswire.cli.support.progress import show_progress
from newswire.client.changes import PositionLost, iterate_pages
from newswire.client.outputs import ArticleFolder, LinesFile, Output, StandardOutput
from newswire.client.session import RemoteWire, opened
from newswire.client.state_file import PullState, fingerprint_filters, load_state, lock_state, save_state

BEGIN_AGAIN = (
    " Begin again with --restart: entries that you have already are told again, and to store them twice does no harm;"
    " with --directory name a new one."
)


@click.command()
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the place here, and go on from there the next time.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append to this file instead of standard output.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep one file for each article here instead; what is killed or gone is deleted.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="Of the files in DIR.",
)
@filter_option
@query_option
@click.option("--follow", is_flag=True, help="Go on when all is read: wait for more, until Ctrl-C.")
@click.option(
    "--start",
    metavar="PLACE",
    default="oldest",
    show_default=True,
    help="Where to begin when there is no state yet: oldest, now, a time, or behind the entry SEQ.",
)
@click.option("--restart", is_flag=True, help="Forget the state and begin again.")
@url_option
def pull_command(
    state: Path | None, output: Path | None, directory: Path | None, form: str, filters: list[tuple[str, str]],
    query: str | None, follow: bool, start: str, restart: bool, url: str | None,
) -> None:  # fmt: skip
    """Read the wire at NEWSWIRE_URL with the key in NEWSWIRE_KEY (or in the file NEWSWIRE_KEY_FILE).

    Every entry is one line of JSON, as in GET /v1/changes. With --state nothing is missed between two runs,
    however they end: the place is noted once what was read is on the disk. After a crash standard output
    may get up to 500 entries again; a file and a directory end up as if nothing had happened.

    \b
    newswire pull --state wire.state --output wire.ndjson
    newswire pull --state world.state --directory world --format markdown --only section=world --follow
    """
    if output is not None and directory is not None:
        raise click.UsageError("Give --output or --directory, not both.")
    if restart and state is None:
        raise click.UsageError("--restart forgets a state: say which, with --state FILE.")
    parameters = [*filters, *([("q", query)] if query is not None else [])]
    with ExitStack() as opened_files:
        if state is not None:
            opened_files.enter_context(lock_state(state))
        kept = None if state is None or restart else load_state(state)
        deposit = opened_files.enter_context(open_output(output, directory, form))
        if restart and isinstance(deposit, ArticleFolder) and not deposit.is_empty():
            raise click.ClickException(
                f"{directory} holds articles as they were before, some of which the wire may not have any more:"
                " restart into a new folder, or go on without --restart."
            )
        found = PullState(start, fingerprint_filters(parameters), deposit.name, deposit.size) if kept is None else kept
        resume_pull(found, deposit, fingerprint_filters(parameters), state)
        try:
            with raise_interrupts():
                pull_pages(opened(url, forever=follow), parameters, found, deposit, state, follow=follow)
        except KeyboardInterrupt:
            click.echo(f"Stopped behind entry {found.number:,}.", err=True)
            raise SystemExit(INTERRUPTED) from None
        except PositionLost as lost:
            raise click.ClickException(lost.message + (BEGIN_AGAIN if state else "")) from None


@contextmanager
def open_output(output: Path | None, directory: Path | None, form: str) -> Iterator[Output]:
    if output is None:
        yield StandardOutput() if directory is None else ArticleFolder(directory, form)
    else:
        with output.open("ab") as file:
            yield LinesFile(output, file)


def resume_pull(place: PullState, deposit: Output, filters: str, state: Path | None) -> None:
    """Makes what was written agree with the place, and notes the place, so that a crash from now on is no loss."""
    if place.filters != filters:
        raise click.ClickException(
            f"{state} is the place of a pull with other filters; name another file with --state, or use --restart."
        )
    if isinstance(deposit, LinesFile) and place.output == deposit.name and deposit.size > place.size:
        deposit.cut_back(place.size, place.number)
    store_position(place, deposit, state)


def store_position(place: PullState, deposit: Output, state: Path | None) -> None:
    place.output, place.size = deposit.name, deposit.size
    if state is not None:
        save_state(state, place)


def pull_pages(
    remote: RemoteWire, parameters: list[tuple[str, str]], place: PullState, deposit: Output, state: Path | None, *,
    follow: bool,
) -> None:  # fmt: skip
    """Reads pages, puts each away, and then notes the place."""
    read = 0
    # Entries and a bar would tear each other apart on one terminal.
    shown = isinstance(deposit, StandardOutput) and sys.stdout.isatty()
    with nullcontext(lambda *_: None) if shown else show_progress("Reading", "entries", None) as show:
        for page in iterate_pages(remote, parameters, place.after, place.wire, follow=follow):
            with delay_interrupt():
                deposit.put(page.entries)
                if (place.after, place.wire) != (str(page.next_after), page.wire):
                    place.after, place.wire = str(page.next_after), page.wire
                    store_position(place, deposit, state)
            read += len(page.entries)
            show(read, read)
    click.echo(f"{read:,} entries; read up to {place.number:,} of the wire {place.wire}.", err=True)
