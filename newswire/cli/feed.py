"""`newswire feed list | revoke`: the saved feeds of every party, and the tokens that open them without a key."""

from typing import Any

import click

from newswire.accounts.saved_feeds import SavedFeed, change_feed, list_feeds
from newswire.accounts.slugs import PartyError, read_party
from newswire.cli.support.database import open_database
from newswire.cli.support.output import format_table, json_option, print_result
from newswire.timestamps import format_instant, now


@click.group()
def feed_group() -> None:
    """Saved feeds of all parties, and their tokens.

    A token opens one feed to whoever has its address. To revoke the last key of a party that may read ends the tokens
    of all its feeds; this ends a single one. PARTY is partner:SLUG, publisher:SLUG or admin; a SLUG alone will do
    where only one of the two has it.

    \b
    newswire feed list
    newswire feed list partner:courier
    newswire feed revoke partner:courier markets
    """


@feed_group.command("list")
@click.argument("party", required=False)
@json_option
def list_feeds_command(party: str | None, as_json: bool) -> None:
    """List the saved feeds of PARTY, or of everybody. Their tokens are not stored."""
    with open_database() as database, database.read() as connection:
        chosen = None if party is None else read_party(connection, party)
        found = [feed_summary(feed) for feed in list_feeds(connection, chosen)]
    titles = ["PARTY", "NAME", "TITLE", "TOKEN", "CREATED", "UPDATED"]
    rows = [
        [item["party"], item["name"], item["title"], "yes" if item["has_token"] else "no",
         item["created_at"][:16], item["updated_at"][:16]]
        for item in found
    ]  # fmt: skip
    nothing = "No feeds yet." if party is None else f"No feeds of {party} yet."
    print_result(format_table(titles, rows) if found else nothing, found, as_json)


@feed_group.command("revoke")
@click.argument("party")
@click.argument("name")
@json_option
def revoke_token_command(party: str, name: str, as_json: bool) -> None:
    """Revoke the token of the feed NAME of PARTY: it is refused from the next request on.

    The feed stays; its party can give it a new token.
    """
    with open_database() as database, database.begin() as connection:
        owner = read_party(connection, party)
        feed = next((each for each in list_feeds(connection, owner) if each.name == name), None)
        if feed is None:
            raise PartyError(f"There is no feed {name!r} of {party}; see `newswire feed list {party}`.")
        if feed.token is None:
            raise PartyError(f"The feed {name!r} of {party} has no token; there is nothing to revoke.")
        changed = change_feed(connection, owner, name, {"token": None}, now())
    sentence = f"Revoked the token of the feed {name}; POST /v1/feeds/{name}/token, by its party, makes a new one."
    print_result(sentence, feed_summary(changed), as_json)


def feed_summary(feed: SavedFeed) -> dict[str, Any]:
    return {
        "party": feed.party.removesuffix(":"),
        "name": feed.name,
        "title": feed.title,
        "query": feed.query,
        "has_token": feed.token is not None,
        "created_at": format_instant(feed.created_at),
        "updated_at": format_instant(feed.updated_at),
    }
