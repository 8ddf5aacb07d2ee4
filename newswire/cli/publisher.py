"""`newswire publisher add | set | list | map`: those who send articles, and what their subjects are."""

from typing import Any

import click

from newswire.accounts.publishers import add_publisher, change_publisher, list_publishers
from newswire.accounts.subject_maps import MappedSubject, change_subject_map, read_subject_map
from newswire.article import Publisher
from newswire.cli.support.database import open_database, update_mapping
from newswire.cli.support.options import ADDRESS, LANGUAGE, NAME
from newswire.cli.support.output import format_table, json_option, print_result
from newswire.cli.support.subjects import parse_mapped_pairs, parse_source, warn_of_unknown_subjects
from newswire.timestamps import now

NOT_GIVEN = click.core.ParameterSource.DEFAULT


@click.group()
def publisher_group() -> None:
    """Publishers, who send articles.

    \b
    newswire publisher add gazette --name "The Gazette" --url https://gazette.example --language en
    newswire publisher set gazette --language en-GB
    newswire publisher map gazette section=Football subject=medtop:20001065
    newswire key create --publisher gazette
    """


@publisher_group.command("add")
@click.argument("slug")
@click.option("--name", type=NAME, required=True, help="How readers see it.")
@click.option("--url", type=ADDRESS, help="The base of relative addresses in its articles.")
@click.option("--language", type=LANGUAGE, default="en", show_default=True, help="Of articles that name none (BCP 47).")
@json_option
def add_publisher_command(slug: str, name: str, url: str | None, language: str, as_json: bool) -> None:
    """Add a publisher. SLUG is its short name in addresses: a-z, 0-9 and hyphens."""
    with open_database() as database, database.begin() as connection:
        added = add_publisher(connection, slug, name, url, language or "en", now())
    sentence = f"Added the publisher {slug}; `newswire key create --publisher {slug}` gives it a key."
    print_result(sentence, publisher_summary(added), as_json)


@publisher_group.command("set")
@click.argument("slug")
@click.option("--name", type=NAME, help="How readers see it.")
@click.option("--url", type=ADDRESS, help="The base of relative addresses; '' removes it.")
@click.option("--language", type=LANGUAGE, help="Of articles that name none (BCP 47).")
@json_option
@click.pass_context
def set_publisher_command(ctx: click.Context, /, slug: str, as_json: bool, **values: Any) -> None:
    """Change a publisher, from its next article on: stored versions keep what they said."""
    # An empty --url removes the URL and becomes None, as an option that was not given does.
    given = {name: value for name, value in values.items() if ctx.get_parameter_source(name) is not NOT_GIVEN}
    if not given:
        raise click.UsageError("Nothing to change: give --name, --url or --language.")
    if given.get("language", "") is None:
        raise click.UsageError("A publisher needs a language; give one, such as --language en.")
    with open_database() as database, database.begin() as connection:
        changed = change_publisher(connection, slug, given)
    print_result(f"Changed the publisher {slug}.", publisher_summary(changed), as_json)


@publisher_group.command("list")
@json_option
def list_publishers_command(as_json: bool) -> None:
    """List the publishers."""
    with open_database() as database, database.read() as connection:
        found = [publisher_summary(item) for item in list_publishers(connection)]
    table = format_table(["SLUG", "NAME", "URL", "LANGUAGE"], [list(item.values()) for item in found])
    print_result(table if found else "No publishers yet.", found, as_json)


@publisher_group.command("map", short_help="Map what a publisher sends to subjects.")
@click.argument("slug")
@click.argument("pairs", nargs=-1, metavar="[KIND=NAME subject=CODE]...")
@click.option("--remove", multiple=True, metavar="KIND=NAME", help="Map this no more. Repeatable.")
@json_option
def map_subjects_command(slug: str, pairs: tuple[str, ...], remove: tuple[str, ...], as_json: bool) -> None:
    """Map what the publisher SLUG sends to subjects; without pairs, show its map.

    \b
    newswire publisher map gazette section=Football subject=medtop:20001065
    newswire publisher map gazette keyword=tennis subject=medtop:20001085 section=Opera subject=medtop:20000018
    newswire publisher map gazette --remove section=Football

    KIND is section, keyword or subject. A name may be mapped to several subjects: repeat the pair. Articles are
    found under their mapped subjects, and under every broader one, and entitlements by subject cover them; what is
    stored and served of an article does not change.

    The articles that are stored are mapped in small transactions, while the wire is served. Interrupted, this is
    continued by the worker, or by the same command. Whoever could see an article by a subject that the new map
    takes from it still gets its kill.
    """
    added, removed = parse_mapped_pairs(pairs), [parse_source(text) for text in remove]
    with open_database() as database:
        if not added and not removed:
            with database.read() as connection:
                rows = read_subject_map(connection, slug)
            table = format_table(["SENT", "SUBJECT"], [[row.source, row.code] for row in rows])
            print_result(table if rows else f"{slug} maps nothing yet.", map_summary(slug, rows), as_json)
            return
        with database.begin() as connection:
            rows = change_subject_map(connection, slug, added, removed, now())
            warn_of_unknown_subjects(connection, [row.code for row in added])
        mapped = update_mapping(database)
    sentence = f"The map of {slug} has rows: {len(rows):,}. Articles mapped again: {mapped:,}."
    print_result(sentence, {**map_summary(slug, rows), "mapped": mapped}, as_json)


def map_summary(slug: str, rows: list[MappedSubject]) -> dict[str, Any]:
    return {"publisher": slug, "map": [{row.kind: row.value, "code": row.code} for row in rows]}


def publisher_summary(item: Publisher) -> dict[str, Any]:
    return {"slug": item.slug, "name": item.name, "url": item.url, "language": item.language}
