"""`newswire publisher add | set | list`: those who send articles."""

from typing import Any

import click

from newswire.accounts.publishers import add_publisher, change_publisher, list_publishers
from newswire.article import Publisher
from newswire.cli.support.database import open_database
from newswire.cli.support.options import ADDRESS, LANGUAGE, NAME
from newswire.cli.support.output import format_table, json_option, print_result
from newswire.timestamps import now

NOT_GIVEN = click.core.ParameterSource.DEFAULT


@click.group()
def publisher_group() -> None:
    """Publishers, who send articles.

    \b
    newswire publisher add gazette --name "The Gazette" --url https://gazette.example --language en
    newswire publisher set gazette --language en-GB
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


def publisher_summary(item: Publisher) -> dict[str, Any]:
    return {"slug": item.slug, "name": item.name, "url": item.url, "language": item.language}
