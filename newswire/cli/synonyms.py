"""`newswire synonyms load | show | clear`: the dictionary of synonyms that searches use."""

from pathlib import Path
from typing import Any

import click

from newswire.cli.support.database import open_database
from newswire.cli.support.output import json_option, print_result
from newswire.search.dictionary import read_rules, replace_rules
from newswire.search.synonyms import MOST_BYTES, Rule, RuleError, parse_rules
from newswire.timestamps import now

MOST_FAULTS = 50
"""Faults of a file that are printed; of a file that is no dictionary each line is one."""


@click.group()
def synonyms_group() -> None:
    """The dictionary of synonyms: words and phrases that find each other in searches.

    \b
    A file in UTF-8 with one rule a line:
      car, automobile, motor car        each finds the others
      pm => prime minister, premier     pm finds these too, they do not find pm
      # a comment, on a line of its own or behind a rule

    Case, accents and punctuation make no difference. What is typed is always searched for as well, and words side by
    side are taken for the longest member that they make. The dictionary holds for every search from the next request
    on: lists, counts, facets, saved feeds and GET /v1/changes. An open stream keeps the one with which it began.

    \b
    newswire synonyms load synonyms.txt
    newswire synonyms show > synonyms.txt
    newswire synonyms clear
    """


@synonyms_group.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@json_option
def load_command(file: Path, as_json: bool) -> None:
    """Put the rules of FILE in the place of the whole dictionary; - reads standard input.

    If anything in it is wrong, nothing is changed, and every fault is printed with its line.
    """
    rules = parse_file(file)
    if not rules:
        raise click.ClickException(f"{file} has no rules; `newswire synonyms clear` empties the dictionary.")
    with open_database() as database, database.begin() as connection:
        replace_rules(connection, rules, now())
    counted = {"rules": len(rules), "members": sum(len({*rule.typed, *rule.found}) for rule in rules)}
    print_result(f"Rules loaded: {counted['rules']:,}, members: {counted['members']:,}.", counted, as_json)


@synonyms_group.command("show")
@json_option
def show_command(as_json: bool) -> None:
    """Print the dictionary in force, as a file that `load` takes."""
    with open_database() as database, database.read() as connection:
        rules = read_rules(connection)
    text = "\n".join(map(str, rules)) if rules else "# There are no synonyms; `newswire synonyms load FILE` loads some."
    print_result(text, list(map(rule_document, rules)), as_json)


@synonyms_group.command("clear")
@json_option
def clear_command(as_json: bool) -> None:
    """Remove every rule: searches find what is typed, and nothing else."""
    with open_database() as database, database.begin() as connection:
        removed = len(read_rules(connection))
        replace_rules(connection, [], now())
    print_result(f"Rules removed: {removed:,}.", {"removed": removed}, as_json)


def parse_file(file: Path) -> list[Rule]:
    """The rules of a file. Raises `ClickException` with all of its faults."""
    with click.open_file(str(file), "rb") as opened:
        content = opened.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise click.ClickException(f"{file} is too long: a dictionary has at most {MOST_BYTES:,} bytes.")
    try:
        return parse_rules(content.decode())
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise click.ClickException(f"{file}, line {line}: not UTF-8; save the file in that encoding.") from None
    except RuleError as error:
        more = len(error.faults) - MOST_FAULTS
        rest = [f"… and {more:,} more."] if more > 0 else []
        faults = "\n".join(f"  {fault}" for fault in [*error.faults[:MOST_FAULTS], *rest])
        raise click.ClickException(f"Nothing was loaded, because of {file}:\n{faults}") from None


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as JSON: `typed` finds `found` too."""
    return {"typed": rule.typed, "found": rule.found}
