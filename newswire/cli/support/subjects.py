"""Subjects in the arguments of commands: pairs that map what a publisher sends, and warnings of unknown codes."""

from collections.abc import Iterable, Sequence

import click
from sqlalchemy import Connection

from newswire.accounts.subject_maps import MAPPED_KINDS, MappedSubject
from newswire.cli.support.output import print_notice
from newswire.errors import suggest_name
from newswire.search.vocabulary import find_concept, has_vocabulary
from newswire.subjects import concept_code

LONGEST_NAME = 250


def parse_source(text: str) -> tuple[str, str]:
    """Kind and value of KIND=NAME, such as section=Football; raises `UsageError`."""
    kind, _, value = text.partition("=")
    value = " ".join(value.split())
    if kind not in MAPPED_KINDS:
        raise click.UsageError(f"{kind!r} is nothing that can be mapped. {suggest_name(kind, MAPPED_KINDS)}")
    if not 1 <= len(value) <= LONGEST_NAME:
        raise click.UsageError(f"Say which {kind}, in 1 to {LONGEST_NAME} characters: {kind}=NAME.")
    return kind, value


def parse_mapped_pairs(pairs: Sequence[str]) -> list[MappedSubject]:
    """The rows of a subject map in KIND=NAME subject=CODE KIND=NAME subject=CODE …; raises `UsageError`."""
    if len(pairs) % 2:
        raise click.UsageError("Pairs are needed, of what is sent and its subject: section=NAME subject=CODE.")
    found = []
    for source, target in zip(pairs[::2], pairs[1::2], strict=True):
        kind, value = parse_source(source)
        name, code = parse_source(target)
        if name != "subject":
            raise click.UsageError(f"{source} must be followed by its subject: subject=CODE, not {target}.")
        found.append(MappedSubject(kind, value, code))
    return found


def warn_of_unknown_subjects(connection: Connection, codes: Iterable[str]) -> None:
    """Prints a notice for each code that the vocabulary does not have: nothing is narrower than such a subject."""
    loaded = has_vocabulary(connection)
    for code in dict.fromkeys(codes):
        known = concept_code(code)
        if known is not None and find_concept(connection, known) is not None:
            continue
        if loaded:
            print_notice(f"The vocabulary has no subject {code}; only articles with just this code or name are on it.")
        else:
            print_notice(
                f"No vocabulary is loaded, so no subject is narrower than {code}; see `newswire vocabulary load`."
            )
