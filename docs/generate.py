"""Generator of the pages of docs/reference on settings, problems, formats and the command line.

    .venv/bin/python docs/generate.py

Run it after a change of a setting, a problem code, a format or a command. `tests/habits/test_documentation.py` fails
when a page differs from what this would write.
"""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from newswire.api.openapi import PATH_PARAMETER
from newswire.api.routes import format_routes
from newswire.cli import main
from newswire.config import PREFIX, Settings
from newswire.errors import CODES
from newswire.formats import FORMATS

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py; do not edit. -->\n"


def settings() -> str:
    """The page of all settings, as environment variables."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "Settings are environment variables. Each has a second form that ends in `_FILE` and names a file with the",
        "value; use it for secrets. If a variable begins with `NEWSWIRE_` and is not in this list, Newswire refuses to",
        "start.",
        "",
        "| variable | default | meaning |",
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
    """The page of all problem codes."""
    lines = [
        "# Problems",
        "",
        NOTE,
        "Every refusal is `application/problem+json` (RFC 9457) with a `code` from this list, which is also served at",
        "`/v1/problems`. `errors` lists each fault with a JSON pointer into the body or the name of a parameter, a",
        "code of its own, a sentence, and `did_you_mean` if a name was probably mistyped.",
        "",
        "| status | code | title |",
        "|---|---|---|",
        *(f"| {kind.status} | `{code}` | {kind.title} |" for code, kind in CODES.items()),
    ]
    return "\n".join(lines) + "\n"


def formats() -> str:
    """The page of all formats, and of the calls that answer in them."""
    lines = [
        "# Formats",
        "",
        NOTE,
        "The wire speaks JSON. It also reads and writes the formats below, each under its suffix and its media type.",
        "Where the page of a list or of changes is in JSON, the articles in it can be in a format that is JSON too.",
        "",
        "| suffix | media type | may be sent | versions |",
        "|---|---|---|---|",
    ]
    for each in FORMATS:
        sent = "yes" if each.read is not None else ""
        lines.append(f"| `.{each.suffix}` | `{each.media_type}` | {sent} | {', '.join(each.versions)} |")
    lines += [
        "",
        "A request for an article can also name the media type in `Accept`, with `;version=` for another version than",
        "the first. So can a request for the list or the changes, in a format whose articles stand in a page in JSON.",
        "",
        "| call | scope | what it answers |",
        "|---|---|---|",
    ]
    for route in format_routes():
        scope = "read or token" if route.token else "read"
        summary, _, about = route.docstring.partition("\n\n")
        path = PATH_PARAMETER.sub(r"{\2}", route.path)
        lines.append(f"| `GET {path}` | {scope} | {summary}. {about} |")
    return "\n".join(lines) + "\n"


def command_line() -> str:
    """The page of the help texts of all commands."""
    lines = ["# The command line", "", NOTE]
    for context in contexts(main, "newswire", None):
        lines += [f"## {context.command_path}", "", "```", context.command.get_help(context).rstrip(), "```", ""]
    return "\n".join(lines)


def contexts(command: click.Command, name: str, parent: click.Context | None) -> Iterator[click.Context]:
    """The contexts of a command and of all its subcommands, with the settings of a real call and a fixed width."""
    settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from contexts(found, below, context)


PAGES = {"settings.md": settings, "problems.md": problems, "formats.md": formats, "command-line.md": command_line}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
