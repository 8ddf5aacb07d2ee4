"""`newswire demo`: a temporary wire with sample articles, which is deleted when the command ends."""

import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
from sqlalchemy import URL, Connection

from newswire import __version__, logs
from newswire.accounts.callers import find_caller
from newswire.accounts.keys import create_key
from newswire.accounts.partners import add_partner
from newswire.accounts.publishers import add_publisher
from newswire.accounts.saved_feeds import create_feed, new_token
from newswire.api import examples
from newswire.api.views.docs_page import SAMPLES
from newswire.article import Draft, Publisher
from newswire.changes.consumers import store_position
from newswire.changes.positions import LogPosition
from newswire.cli.support.listen import listener_url, open_listener
from newswire.cli.support.output import json_option, print_notice, print_result
from newswire.cli.support.progress import show_progress
from newswire.config import PREFIX, Settings
from newswire.formats.markdown.read import parse_markdown
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import PublishTransaction, publish_transaction
from newswire.schemas.article import load_draft
from newswire.server.supervisor import run_server
from newswire.store import migrate
from newswire.store.database import Database
from newswire.timestamps import now

LOG_LEVEL = "warning"
FEED = "newest"
"""The name of the saved feed whose address is shown."""
COMMANDS = {
    "Publish an article": """\
curl -sS {url}/v1/articles {publisher} \\
  -H 'Content-Type: application/json' \\
  -d '{{"headline": "Town hall clock runs again", "body_text": "It stood still for a year."}}'""",
    "Publish Markdown": """\
printf '%s\\n' 'A bridge for hedgehogs' 'The first one crossed on Monday.' \\
  | curl -sS {url}/v1/articles {publisher} \\
  -H 'Content-Type: text/markdown' --data-binary @-""",
    "List the newest three": """\
curl -sS '{url}/v1/articles?limit=3' {partner}""",
    "The next page": """\
next=$(curl -sS '{url}/v1/articles?limit=3' {partner} \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["links"]["next"])')
curl -sS "$next" {partner}""",
    "Search": """\
curl -sS '{url}/v1/articles?q=harbour' {partner}""",
    "One article, as Markdown": """\
curl -sS {article}.md {partner}""",
    "The newest articles, as RSS": """\
curl -sS '{feed}'""",
    "The same wire, for the partner that sees English only": """\
curl -sS '{url}/v1/articles?limit=3' {english}""",
    "Everything in order, nothing missed": """\
curl -sS '{url}/v1/changes?after=0&limit=3' {partner}""",
}
PAGES = {
    "docs": "The reference of its interface:",
    "page": "An article (without the key in the address the browser asks for it: any user, the key as password):",
    "feed": "The newest articles, for a feed reader (the token opens nothing else):",
}
MEANINGS = {
    "publisher": f"publishes as The Sample Gazette (slug {examples.PUBLISHER})",
    "partner": "reads everything",
    "english": "reads what is in English",
    "admin": "may do everything",
}


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@json_option
def demo_command(port: int, as_json: bool) -> None:
    """Try Newswire out: a fresh wire with sample articles, keys, and curl lines that work as pasted.

    It lives in a temporary folder, which is deleted at the end, and leaves your own database alone.
    """
    # The settings of the user are not used, but a mistyped one is an error here as in every command.
    Settings.from_env()
    logs.configure_logging(LOG_LEVEL)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # SystemExit unwinds the stack, which deletes the folder; the default action would leave it there.
        signal.signal(number, lambda *_: sys.exit(0))
    with open_listener("127.0.0.1", port) as listener, TemporaryDirectory(prefix="newswire-demo-") as folder:
        url = listener_url(listener)
        database_url = URL.create("sqlite", database=str(Path(folder, "newswire.db"))).render_as_string()
        migrate.upgrade(database_url)
        seeded = seed_database(database_url, f"{url}/samples/")
        facts = describe_demo(url, seeded)
        status = run_server(
            Settings(database_url=database_url, log_level=LOG_LEVEL, demo=True), listener, processes=1,
            environment=worker_environment(database_url),
            ready=lambda: print_result(welcome_text(facts), facts, as_json),
        )  # fmt: skip
    raise SystemExit(status)


def worker_environment(database_url: str) -> dict[str, str]:
    """The environment of this process, with the settings of the demo instead of those of the user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, "NEWSWIRE_DATABASE_URL": database_url, "NEWSWIRE_LOG_LEVEL": LOG_LEVEL}


class Seeded(NamedTuple):
    """What the demo shows of its database: the keys, and the token of the saved feed."""

    keys: Mapping[str, str]
    token: str


def seed_database(database_url: str, samples_url: str) -> Seeded:
    """Adds publisher, partners, keys, a saved feed and the sample articles to an empty database."""
    database = Database(database_url)
    moment = now()
    with database.begin() as connection:
        publisher = add_publisher(connection, examples.PUBLISHER, "The Sample Gazette", samples_url, "en", moment)
        add_partner(connection, "everything", "A partner that sees everything", {}, moment)
        add_partner(connection, "english", "A partner that sees English", {"language": ["en"]}, moment)
        keys = {
            "publisher": create_key(connection, now=moment, publisher_slug=examples.PUBLISHER),
            "partner": create_key(connection, now=moment, partner_slug="everything"),
            "english": create_key(connection, now=moment, partner_slug="english"),
            "admin": create_key(connection, now=moment),
        }
        token = new_token()
        reader = find_caller(connection, keys["partner"], moment)
        assert reader is not None, "its key was made above"
        create_feed(connection, reader, FEED, "The newest of the demo", {}, token, moment)
        with publish_transaction(connection, moment) as transaction:
            publish_samples(transaction, publisher)
    with database.begin() as connection:
        for key in keys.values():
            add_examples(connection, key, moment)
    database.dispose()
    return Seeded(keys, token)


def add_examples(connection: Connection, key: str, moment: int) -> None:
    """Stores, for the party of a key, the feeds and consumers that the examples of the OpenAPI document name."""
    caller = find_caller(connection, key, moment)
    assert caller is not None, "the key is a new one"
    for name in (examples.FEED, examples.DELETED):
        create_feed(connection, caller, name, None, examples.FEED_QUERY, new_token(), moment)
    for name in (examples.CONSUMER, examples.DELETED):
        store_position(connection, caller.party, name, LogPosition(0), moment)


def publish_samples(transaction: PublishTransaction, publisher: Publisher) -> None:
    """Publishes the sample articles, oldest first."""
    files = sorted(SAMPLES.glob("*.md"))
    drafts: list[tuple[str, Draft]] = []
    print_notice(f"Loading {len(files)} sample articles ...")
    with show_progress("Loading", "articles", len(files)) as show:
        for count, file in enumerate(files, 1):
            drafts.append((file.stem, load_draft(parse_markdown(file.read_bytes()), publisher)))
            show(count, count)
    # The log keeps the order in which articles are received, and the newest belongs to its end.
    for name, draft in sorted(drafts, key=lambda item: item[1].published_at or transaction.now):
        external_id = draft.external_id or name
        transaction.new_id = partial(examples.sample_article_id, external_id)
        transaction.upsert(publisher, external_id, prepare_article(draft, publisher, external_id))


def describe_demo(url: str, seeded: Seeded) -> dict[str, Any]:
    """What the demo prints: its addresses, the keys, and shell commands for the first steps by their titles."""
    article, feed = (
        f"{url}/v1/articles/{examples.sample_article_id(examples.READ)}",
        f"{url}/v1/feeds/{FEED}.rss?token={seeded.token}",
    )
    headers = {name: f"-H 'Authorization: Bearer {key}'" for name, key in seeded.keys.items()}
    commands = {
        title: command.format(url=url, article=article, feed=feed, **headers) for title, command in COMMANDS.items()
    }
    # Browsers send the key as HTTP Basic when it is part of the address, and else ask for user and password.
    page = f"{article}.html".replace("://", f"://any:{seeded.keys['partner']}@", 1)
    return {"url": url, "docs": f"{url}/docs", "page": page, "feed": feed, "keys": seeded.keys, "commands": commands}


def welcome_text(facts: Mapping[str, Any]) -> str:
    """The text for the terminal once the demo can be used."""
    lines = ["", click.style(f"Newswire {__version__} is running at {facts['url']}", bold=True)]
    lines += ["", click.style("In a browser", bold=True)]
    lines += [f"    {click.style(meaning, dim=True)}\n        {facts[name]}" for name, meaning in PAGES.items()]
    lines += ["", click.style("Keys", bold=True)]
    lines += [f"    {key}  {click.style(MEANINGS[name], dim=True)}" for name, key in facts["keys"].items()]
    for title, command in facts["commands"].items():
        lines += ["", click.style(title, bold=True), *(f"    {line}" for line in command.split("\n"))]
    return "\n".join([*lines, "", "Ctrl-C ends it; all of this is deleted then."])
