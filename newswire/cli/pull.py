"""`newswire pull`: the wire over HTTP into a file, a folder or standard output, once or continuously."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import click

from newswire.cli.support.interrupts import INTERRUPTED, delay_interrupt, raise_interrupts
from newswire.cli.support.options import NEW_FILE, filter_option, query_option, url_option
from newswire.cli.support.output import print_notice
from newswire.cli.support.progress import show_progress
from newswire.client.changes import PositionLost, iterate_verified_pages
from newswire.client.outputs import ArticleFolder, LinesFile, Output, StandardOutput
from newswire.client.session import RemoteWire
from newswire.client.state_file import PullState, fingerprint_filters, load_state, lock_state, save_state

BEGIN_AGAIN = (
    " Begin again with --restart: entries that you have already come again, and to store them twice does no harm;"
    " with --directory name a new one."
)
FOLDER = click.Path(file_okay=False, path_type=Path)
FORMATS = click.Choice(["json", "markdown"])


@click.command()
@click.option("--state", type=NEW_FILE, metavar="FILE", help="Store the position here; the next run continues there.")
@click.option("--output", type=NEW_FILE, metavar="FILE", help="Append to this file instead of standard output.")
@click.option(
    "--directory", type=FOLDER, metavar="DIR",
    help="Keep one file for each article here instead; what is killed or not served any more is deleted.",
)  # fmt: skip
@click.option("--format", "form", type=FORMATS, default="json", show_default=True, help="Of the files in DIR.")
@filter_option
@query_option
@click.option("--follow", is_flag=True, help="Go on when all is read: wait for more, until Ctrl-C.")
@click.option(
    "--start", metavar="POSITION", default="oldest", show_default=True,
    help="Where to begin when there is no state yet: oldest, now, a time, or after the entry SEQ.",
)  # fmt: skip
@click.option("--restart", is_flag=True, help="Ignore the state and begin again.")
@url_option
def pull_command(
    state: Path | None, output: Path | None, directory: Path | None, form: str, filters: list[tuple[str, str]],
    query: str | None, follow: bool, start: str, restart: bool, url: str | None,
) -> None:  # fmt: skip
    """Read the wire at NEWSWIRE_URL with the key in NEWSWIRE_KEY (or in the file NEWSWIRE_KEY_FILE).

    Every entry is one line of JSON, as in GET /v1/changes. With --state nothing is missed between two runs,
    however they end: the position is stored once what was read is on the disk. After a crash standard output
    may get up to 500 entries again; a file and a directory end up as if nothing had happened.

    \b
    newswire pull --state wire.state --output wire.ndjson
    newswire pull --state world.state --directory world --format markdown --only section=world --follow
    """
    if output is not None and directory is not None:
        raise click.UsageError("Give --output or --directory, not both.")
    if restart and state is None:
        raise click.UsageError("--restart ignores a state: say which, with --state FILE.")
    parameters = [*filters, *([("q", query)] if query is not None else [])]
    with ExitStack() as opened_files:
        # The lock comes first: a state that is read without it may be out of date at once.
        if state is not None:
            opened_files.enter_context(lock_state(state))
        stored = None if state is None or restart else load_state(state)
        target = opened_files.enter_context(open_output(output, directory, form))
        if restart and isinstance(target, ArticleFolder) and not target.is_empty():
            raise click.ClickException(
                f"{directory} holds articles as they were before, some of which the wire may not have any more:"
                " restart into a new folder, or go on without --restart."
            )
        position = stored or PullState(start, fingerprint_filters(parameters), target.name, target.size)
        try:
            with raise_interrupts():
                resume_pull(position, target, fingerprint_filters(parameters), state)
                remote = RemoteWire.from_env(url, print_notice, forever=follow)
                pull_pages(remote, parameters, position, target, state, follow=follow)
        except KeyboardInterrupt:
            print_notice(f"Stopped after entry {position.seq:,}.")
            raise SystemExit(INTERRUPTED) from None
        except PositionLost as error:
            raise click.ClickException(f"{error}{BEGIN_AGAIN if state else ''}") from None


@contextmanager
def open_output(output: Path | None, directory: Path | None, form: str) -> Iterator[Output]:
    if output is None:
        yield StandardOutput() if directory is None else ArticleFolder(directory, form)
    else:
        with output.open("ab") as file:
            yield LinesFile(output, file)


def resume_pull(position: PullState, output: Output, filters: str, state: Path | None) -> None:
    """Cuts the output back to the stored position, and stores that, so that a crash from now on loses nothing."""
    if position.filters != filters:
        raise click.ClickException(
            f"{state} is the position of a pull with other filters; name another file with --state, or use --restart."
        )
    if isinstance(output, LinesFile) and position.output == output.name and output.size > position.size:
        output.cut_back(position.size, position.seq)
    store_position(position, output, state)


def store_position(position: PullState, output: Output, state: Path | None) -> None:
    position.output, position.size = output.name, output.size
    if state is not None:
        save_state(state, position)


def pull_pages(
    remote: RemoteWire, parameters: list[tuple[str, str]], position: PullState, output: Output, state: Path | None, *,
    follow: bool,
) -> None:  # fmt: skip
    """Reads pages, writes each to the output, and then stores the position after it."""
    count = 0
    # Entries and a progress bar would overwrite each other on one terminal.
    shares_terminal = isinstance(output, StandardOutput) and sys.stdout.isatty()
    with nullcontext(lambda *_: None) if shares_terminal else show_progress("Reading", "entries", None) as show:
        pages = iterate_verified_pages(remote, parameters, position.after, position.wire, position.chain, follow=follow)
        for page in pages:
            # Ctrl-C between the two would leave entries after the stored position.
            with delay_interrupt():
                output.write_entries(page.entries)
                reached = str(page.next_after), page.wire, page.next_chain
                if (position.after, position.wire, position.chain) != reached:
                    position.after, position.wire, position.chain = reached
                    store_position(position, output, state)
            count += len(page.entries)
            show(count, count)
    noun = "entry" if count == 1 else "entries"
    print_notice(f"{count:,} {noun}; read up to {position.seq:,} of the wire {position.wire}.")
