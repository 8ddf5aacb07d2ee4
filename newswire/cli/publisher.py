"""`newswire publisher add | set | list`."""

from typing import Any

import click

from newswire.accounts.publishers import add_publisher, change_publisher, list_publishers
from newswire.article import Publisher
from newswire.cli.support.database import opened_database
from newswire.cli.support.options import ADDRESS, LANGUAGE, NAME
from newswire.cli.support.output import columns, json_option, tell
from newswire.timestamps import now

NOT_GIVEN = click.core.ParameterSource.DEFAULT


@click.group()
def publisher() -> None:
    """Publishers: who sends articles.

    \b
    newswire publisher add gazette --name "The Gazette" --url https://gazette.example --language en
    newswire publisher set gazette --language en-GB
    newswire key create --publisher gazette
    """


@publisher.command()
@click.argument("slug")
@click.option("--name", type=NAME, required=True, help="How readers see it.")
@click.option("--url", type=ADDRESS, help="The base of relative addresses in its articles.")
@click.option("--language", type=LANGUAGE, default="en", show_default=True, help="Of articles that name none (BCP 47).")
@json_option
def add(slug: str, name: str, url: str | None, language: str, as_json: bool) -> None:
    """Add a publisher. SLUG is its short name in addresses: a-z, 0-9 and hyphens."""
    with opened_database() as database, database.begin() as connection:
        added = add_publisher(connection, slug, name, url, language or "en", now())
    tell(
        f"Added the publisher {slug}; `newswire key create --publisher {slug}` gives it a key.", listed(added), as_json
    )


@publisher.command(name="set")
@click.argument("slug")
@click.option("--name", type=NAME, help="How readers see it.")
@click.option("--url", type=ADDRESS, help="The base of relative addresses; '' removes it.")
@click.option("--language", type=LANGUAGE, help="Of articles that name none (BCP 47).")
@json_option
@click.pass_context
def change(ctx: click.Context, /, slug: str, as_json: bool, **values: Any) -> None:
    """Change a publisher, from its next article on: stored versions keep what they said."""
    given = {name: value for name, value in values.items() if ctx.get_parameter_source(name) is not NOT_GIVEN}
    if not given:
        raise click.UsageError("Nothing to change: give --name, --url or --language.")
    if given.get("language", "") is None:
        raise click.UsageError("A publisher needs a language; give one, such as --language en.")
    with opened_database() as database, database.begin() as connection:
        changed = change_publisher(connection, slug, given)
    tell(f"Changed the publisher {slug}.", listed(changed), as_json)


@publisher.command(name="list")
@json_option
def show(as_json: bool) -> None:
    """List the publishers."""
    with opened_database() as database, database.read() as connection:
        found = [listed(item) for item in list_publishers(connection)]
    table = columns(["SLUG", "NAME", "URL", "LANGUAGE"], [list(item.values()) for item in found])
    tell(table if found else "No publishers yet.", found, as_json)


def listed(item: Publisher) -> dict[str, Any]:
    return {"slug": item.slug, "name": item.name, "url": item.url, "language": item.language}
