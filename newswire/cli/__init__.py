"""The command `newswire`: the table of its commands, each of which is imported when it is called.

Nothing else is imported here, so that `newswire --help` answers at once.
"""

import gc
import sys
from importlib import import_module
from typing import Any

import click

from newswire import __version__

COMMANDS = {
    "db": ("db:db_group", "Create or migrate the database."),
    "publisher": ("publisher:publisher_group", "Add, change and list publishers, and map their subjects."),
    "partner": ("partner:partner_group", "Add, change and list partners and what they may see."),
    "key": ("key:key_group", "Create, list and revoke keys."),
    "vocabulary": ("vocabulary:vocabulary_group", "Load and show the vocabulary of subjects."),
    "feed": ("feed:feed_group", "List the saved feeds of all parties, and revoke their tokens."),
    "synonyms": ("synonyms:synonyms_group", "Load, show and clear the dictionary of synonyms for searches."),
    "serve": ("serve:serve_command", "Serve the wire over HTTP, with one worker process."),
    "worker": ("worker:worker_command", "Run the worker alone (for more machines)."),
    "demo": ("demo:demo_command", "Try it out: a fresh wire with sample articles, keys and curl lines."),
    "import": ("import_:import_command", "Load many articles from a file straight into the database."),
    "export": ("export:export_command", "Write the wire as NDJSON."),
    "verify": ("verify:verify_command", "Prove that nothing on the wire was dropped or altered."),
    "wire": ("wire:wire_group", "Give the wire a new id, after its database went back in time."),
    "stats": ("stats:stats_command", "Count what the wire holds."),
    "backup": ("backup:backup_command", "Copy the database to a file, while it is served."),
    "restore": ("backup:restore_command", "Put a backup into the database."),
    "push": ("push:push_command", "Publish files over HTTP."),
    "pull": ("pull:pull_command", "Read the wire over HTTP into files; go on where it stopped."),
    "tail": ("tail:tail_command", "Watch the wire over HTTP, live."),
}
EXAMPLES = """\b
First steps on a database of its own (a file newswire.db in this folder):
  newswire db upgrade
  newswire publisher add gazette --name Gazette --url https://gazette.example
  newswire key create --publisher gazette
  newswire serve

\b
Settings are NEWSWIRE_* variables, such as NEWSWIRE_DATABASE_URL; each can
end in _FILE and name a file with the value instead. push, pull, tail and
verify --remote call the wire at NEWSWIRE_URL with the key in NEWSWIRE_KEY.
Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""


def load_module(name: str) -> Any:
    """Imports a module without garbage collection, and exempts what it creates from later collections.

    Modules stay until the end, and to scan them takes a tenth of the time of a command.
    """
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


class CommandTable(click.Group):
    """A click group that knows its commands by name and summary, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(load_module(f"newswire.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. A failure becomes a sentence and exit status 1, Ctrl-C 130; a defect keeps its traceback."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            from newswire.cli.support.interrupts import INTERRUPTED

            # click would end with 1, as after a failure.
            click.echo("Stopped.", err=True)
            raise SystemExit(INTERRUPTED) from None
        except Exception as error:
            from newswire.cli.support.output import describe_failure

            sentence = describe_failure(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from error


main = CommandTable(
    name="newswire",
    help="Newswire, a self-hosted newswire: publishers push articles, partners pull, search and follow them.",
    epilog=EXAMPLES,
    # click takes only the names from here, for suggestions after a typing error.
    commands={name: click.Command(name) for name in COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
click.version_option(__version__, prog_name="newswire", message="%(prog)s %(version)s")(main)
