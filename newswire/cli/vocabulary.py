"""`newswire vocabulary load | show`: the concepts by which subjects are filtered."""

from typing import Any

import click

from newswire.accounts.slugs import PartyError
from newswire.cli.support.database import open_database, update_mapping
from newswire.cli.support.options import INPUT_FILE
from newswire.cli.support.output import json_option, print_result
from newswire.formats.vocabulary import VOCABULARY_BYTES, VocabularyError, parse_vocabulary
from newswire.search.vocabulary import Concept, find_concept, list_narrower, replace_vocabulary
from newswire.subjects import concept_code
from newswire.timestamps import now


@click.group()
def vocabulary_group() -> None:
    """The vocabulary of subjects: IPTC Media Topics.

    A filter or an entitlement by a subject covers every narrower one, where a vocabulary is loaded.

    \b
    curl -o topics.json 'https://cv.iptc.org/newscodes/mediatopic/?format=json&lang=en-GB'
    newswire vocabulary load topics.json
    newswire vocabulary show medtop:15000000
    """


@vocabulary_group.command("load")
@click.argument("file", type=INPUT_FILE)
@json_option
def load_vocabulary_command(file: str, as_json: bool) -> None:
    """Load IPTC Media Topics from FILE, the JSON that the IPTC publishes; - is standard input.

    It replaces the vocabulary wholly, in one transaction. Then the articles that are stored get the subjects
    that are broader than theirs, in small transactions, while the wire is served. Interrupted, this is continued
    by the worker, or by the same command.
    """
    with click.open_file(file, "rb") as opened:
        text = opened.read(VOCABULARY_BYTES + 1)
    if len(text) > VOCABULARY_BYTES:
        raise click.ClickException(f"{file}: It has more than {VOCABULARY_BYTES >> 20} MiB; is it the right file?")
    try:
        concepts, released = parse_vocabulary(text)
    except VocabularyError as error:
        raise click.ClickException(f"{file}: {error}") from None
    with open_database() as database:
        with database.begin() as connection:
            is_changed = replace_vocabulary(connection, concepts, released, now())
        mapped = update_mapping(database)
    retired = sum(item.is_retired for item in concepts)
    dated = "" if released is None else f", released {released[:10]}"
    sentence = f"Loaded {len(concepts):,} concepts ({retired:,} of them retired){dated}."
    if not is_changed:
        sentence += " None of their relations is new."
    if mapped:
        sentence += f" Articles mapped again: {mapped:,}."
    facts = {"concepts": len(concepts), "retired": retired, "released": released, "changed": is_changed}
    print_result(sentence, {**facts, "mapped": mapped}, as_json)


@vocabulary_group.command("show")
@click.argument("code")
@json_option
def show_concept_command(code: str, as_json: bool) -> None:
    """Show the concept CODE, with the next broader and narrower ones.

    CODE is a code such as medtop:15000000, or the address of the concept.
    """
    with open_database() as database, database.read() as connection:
        found = find_concept(connection, concept_code(code) or code)
        if found is None:
            raise PartyError(f"No concept {code!r} is loaded; `newswire vocabulary load FILE` loads a vocabulary.")
        broader = [find_concept(connection, each) for each in sorted(found.broader)]
        narrower = [find_concept(connection, each) for each in list_narrower(connection, found.code)]
    lines = [f"{found.code}  {found.name}" + (" (retired)" if found.is_retired else "")]
    for title, concepts in (("broader", broader), ("narrower", narrower)):
        lines += [f"  {title}  {each.code}  {each.name}" for each in concepts if each is not None]
    print_result("\n".join(lines), concept_summary(found, narrower), as_json)


def concept_summary(item: Concept, narrower: list[Concept | None]) -> dict[str, Any]:
    below = [each.code for each in narrower if each is not None]
    return {
        "code": item.code, "names": item.names, "retired": item.is_retired, "broader": sorted(item.broader),
        "narrower": below,
    }  # fmt: skip
