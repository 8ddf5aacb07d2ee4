"""Everything that commands print: results for people or as JSON, notices, tables, and failures in one sentence."""

import os
from collections.abc import Sequence
from typing import Any

import click
import orjson
from rich.cells import cell_len
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from newswire.accounts.slugs import PartyError
from newswire.client import ClientError
from newswire.config import SettingsError
from newswire.errors import DamageError, Problem
from newswire.store.backend import DatabaseError

DAMAGE_ADVICE = "Stop the servers, keep a copy of the database, and put a backup back with `newswire restore`."

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_result(sentence: str, value: Any, as_json: bool) -> None:
    """Prints the result of a command on standard output: the sentence, or the value as JSON."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if as_json else sentence)


def print_notice(sentence: str) -> None:
    """Prints a sentence for the person at the terminal on standard error, which keeps it out of pipes."""
    click.echo(sentence, err=True)


def format_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in aligned columns, never cut; an empty cell is shown as `-`."""
    cells = [list(titles), *([("-" if cell in (None, "") else str(cell)) for cell in row] for row in rows)]
    widths = [max(cell_len(row[number]) for row in cells) for number in range(len(titles))]
    lines = (
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def color_setting() -> bool | None:
    """False where NO_COLOR is set (no-color.org); None leaves it to click, which colours terminals only."""
    return False if os.environ.get("NO_COLOR") else None


def describe_failure(error: Exception) -> str | None:
    """The sentence for a failure that is not a defect of Newswire; None for a defect, whose traceback is needed."""
    match error:
        case PartyError() | DatabaseError() | SettingsError() | ClientError():
            return str(error)
        case DamageError():
            return f"{describe_damage(error)} `newswire verify` says what is broken."
        case Problem(__cause__=DBAPIError() as cause):
            return describe_driver_error(cause)
        case Problem():
            return error.detail
        case OperationalError() | InterfaceError() | InternalError():
            return describe_driver_error(error)
        case BrokenPipeError():
            return None
        case OSError(filename=str() as name, strerror=str() as reason):
            return f"{name}: {reason}."
        case OSError(strerror=str() as reason):
            return f"{reason}."
    return None


def describe_damage(error: DamageError) -> str:
    return f"The database is damaged: {error.reason.rstrip('.')}. {DAMAGE_ADVICE}"


def describe_driver_error(error: DBAPIError) -> str:
    reason = str(error.orig).strip().splitlines()[0].rstrip(".")
    return f"The database cannot be used at the moment: {reason}."
