"""`newswire import`: articles from a file straight into the database."""

import hashlib
import time
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import click
import orjson
from sqlalchemy import exists, select

from newswire import wire
from newswire.accounts.publishers import find_publisher
from newswire.accounts.slugs import PartyError
from newswire.article import Draft, Publisher
from newswire.cli.support.article_files import Item, items, opened_source
from newswire.cli.support.database import opened_database
from newswire.cli.support.interrupts import INTERRUPTED, undisturbed
from newswire.cli.support.output import json_option, tell
from newswire.cli.support.progress import progress
from newswire.errors import Problem
from newswire.publishing.receive import BatchReceiver, Sent, publish_transaction
from newswire.schemas.article import load_sent
from newswire.store.database import Database
from newswire.store.tables import article, version
from newswire.timestamps import now

BATCH = 200


@dataclass
class Tally:
    """How many articles of a file were created, updated …; `head` is the newest sequence number after them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    head: int = 0

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.refused


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--publisher", "slug", metavar="SLUG", required=True, help="Whose articles they are.")
@json_option
def import_articles(file: str, slug: str, as_json: bool) -> None:
    """Load the articles in FILE straight into the database, without a server; - is standard input.

    FILE is NDJSON (one article a line), a JSON array or object, or, when its name ends in .md, one article
    in Markdown; gzip is unpacked. An article may also be ninjs. The articles are those of the HTTP interface
    and are checked like there; one that is refused is told with its line, and the others go on. Exit status 1
    when any was refused.

    It can be repeated and resumed: an article is known by its external_id, one without gets the SHA-256 of
    its content for it, and what the wire has already had, now or in an earlier version, changes nothing.

    \b
    newswire import archive.jsonl.gz --publisher gazette
    gzip -dc archive.jsonl.gz | newswire import - --publisher gazette
    """
    with opened_database() as database:
        with database.read() as connection:
            publisher = find_publisher(connection, slug)
        if publisher is None:
            raise PartyError(f"There is no publisher {slug!r}; see `newswire publisher list`.")
        began = time.monotonic()
        tally = Tally()
        try:
            load_file(database, publisher, file, tally)
        except KeyboardInterrupt:
            click.echo(f"Stopped. Stored so far: {describe_tally(tally)}. Start it again to go on.", err=True)
            raise SystemExit(INTERRUPTED) from None
        with database.read() as connection:
            tally.head = wire.read_head(connection).seq
    seconds = time.monotonic() - began
    sentence = f"{describe_tally(tally)}; {seconds:.1f} seconds. The wire stands at {tally.head:,}."
    tell(sentence, {"read": tally.read, **asdict(tally), "seconds": round(seconds, 3)}, as_json)
    raise SystemExit(1 if tally.refused else 0)


def load_file(database: Database, publisher: Publisher, file: str, tally: Tally) -> None:
    """Loads a file in batches, each in one transaction. Ctrl-C is obeyed between them."""
    label = "standard input" if file == "-" else click.format_filename(file, shorten=True)
    with opened_source(file) as source, progress(label, "articles", source.size) as show:
        found = items(source)
        while read := list(islice(found, BATCH)):
            batch = [(item.place, load_item(item, publisher)) for item in read]
            with undisturbed():
                store_batch(database, publisher, batch, tally)
            show(tally.read, source.position())


def load_item(item: Item, publisher: Publisher) -> Sent:
    """The draft or the kill that an article of the file asks for, or the `Problem` why it cannot be read."""
    if isinstance(item.content, Problem):
        return item.content
    try:
        sent = load_sent(item.content, publisher)
    except Problem as problem:
        return problem
    if isinstance(sent, Draft) and sent.external_id is None:
        return replace(sent, external_id=content_id(sent))
    return sent


def content_id(draft: Draft) -> str:
    """The external_id of an article that came without one: the SHA-256 of its content, as sent."""
    content: Any = dict(draft.source)
    return "sha256-" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def store_batch(database: Database, publisher: Publisher, batch: list[tuple[str, Sent]], tally: Tally) -> None:
    """Stores a batch in one transaction; its articles are counted once that is committed."""
    with database.begin() as connection, publish_transaction(connection, now()) as transaction:
        receiver = BatchReceiver(transaction, publisher, [sent for _, sent in batch])
        results = [(place, receive_unless_had(receiver, sent)) for place, sent in batch]
    for place, result in results:
        if isinstance(result, Problem):
            tally.refused += 1
            click.echo(f"{place}: {result.detail}", err=True)
        else:
            setattr(tally, result, getattr(tally, result) + 1)


def receive_unless_had(receiver: BatchReceiver, sent: Sent) -> str | Problem:
    """What became of one article: created, updated, unchanged, or the `Problem` that refused it.

    What the wire has had in an earlier version changes nothing: a file that holds an article twice would otherwise
    set it back and forth whenever it is loaded again.
    """
    if isinstance(sent, Draft) and was_sent_before(receiver, sent):
        return "unchanged"
    outcome = receiver.receive(sent)
    if isinstance(outcome, Problem):
        # The file is not in the order of its own source_versions, or somebody was faster.
        return "unchanged" if outcome.code == "stale_version" else outcome
    return "created" if outcome.created else "updated" if outcome.changed else "unchanged"


def was_sent_before(receiver: BatchReceiver, draft: Draft) -> bool:
    """Whether a version before the current one was sent in this very form."""
    if draft.external_id is None or not receiver.is_known(draft.external_id):
        return False
    query = select(exists().where(
        article.c.publisher_id == receiver.publisher.id, article.c.external_id == draft.external_id,
        version.c.number == article.c.number, version.c.version < article.c.version,
        version.c.source == orjson.dumps(draft.source),
    ))  # fmt: skip
    return bool(receiver.transaction.connection.scalar(query))


def describe_tally(tally: Tally) -> str:
    parts = (f"{tally.created:,} new", f"{tally.updated:,} updated", f"{tally.unchanged:,} unchanged")
    return f"{tally.read:,} articles: {', '.join(parts)}, {tally.refused:,} refused"
