"""Writes the generated pages of docs/reference: settings, problems, command line. Run it after changing one of them.

    .venv/bin/python docs/generate.py

`tests/habits/test_documentation.py` fails when a page is not what this would write.
"""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from newswire.cli import main
from newswire.config import PREFIX, Settings
from newswire.errors import CODES

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py; do not edit. -->\n"


def settings() -> str:
    """The environment variables."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "Settings are environment variables. Each has a twin with `_FILE` at its end that names a file with the value,",
        "for secrets. A variable that begins with `NEWSWIRE_` and is not in this list stops the start.",
        "",
        "| variable | default | what it is |",
        "|---|---|---|",
    ]
    for setting in fields(Settings):
        default = "" if setting.default is None else f"`{str(setting.default).lower()}`"
        lines.append(f"| `{PREFIX}{setting.name.upper()}` | {default} | {setting.metadata['help']} |")
    lines += [
        "",
        "The clients (`push`, `pull`, `tail`, `verify --remote`) read `NEWSWIRE_URL` and `NEWSWIRE_KEY`, or",
        "`NEWSWIRE_KEY_FILE`; the test suite reads `NEWSWIRE_TEST_DATABASE_URL`.",
    ]
    return "\n".join(lines) + "\n"


def problems() -> str:
    """The closed list of refusals."""
    lines = [
        "# Problems",
        "",
        NOTE,
        "Every refusal is `application/problem+json` (RFC 9457) with a `code` from this list, which is also served at",
        "`/v1/problems`. `errors` holds the single faults, each with a JSON pointer into the body or the name of a",
        "parameter, a code of its own, a sentence, and `did_you_mean` where a name was probably mistyped.",
        "",
        "| status | code | title |",
        "|---|---|---|",
        *(f"| {kind.status} | `{code}` | {kind.title} |" for code, kind in CODES.items()),
    ]
    return "\n".join(lines) + "\n"


def command_line() -> str:
    """The help text of every command."""
    lines = ["# The command line", "", NOTE]
    for context in contexts(main, "newswire", None):
        lines += [f"## {context.command_path}", "", "```", context.command.get_help(context).rstrip(), "```", ""]
    return "\n".join(lines)


def contexts(command: click.Command, name: str, parent: click.Context | None) -> Iterator[click.Context]:
    """A command and all below it, as they are when they are called."""
    settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from contexts(found, below, context)


PAGES = {"settings.md": settings, "problems.md": problems, "command-line.md": command_line}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
