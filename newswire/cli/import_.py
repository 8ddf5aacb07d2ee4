"""`newswire import`: articles from a file straight into the database."""

import hashlib
import time
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeAlias

import click
import orjson
from sqlalchemy import Connection, exists, select

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
from newswire.publishing.draft import Kill
from newswire.publishing.receive import Reception
from newswire.schemas.article import load_sent
from newswire.store import articles
from newswire.store.database import Database
from newswire.store.tables import article, version
from newswire.timestamps import now

BATCH = 200
Sent: TypeAlias = Draft | Kill | Problem


@dataclass
class Tally:
    """What became of the articles of a file; `head` is where the wire stands after them."""

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
            load(database, publisher, file, tally)
        except KeyboardInterrupt:
            click.echo(f"Stopped. Stored so far: {described(tally)}. Start it again to go on.", err=True)
            raise SystemExit(INTERRUPTED) from None
        with database.read() as connection:
            tally.head = wire.position(connection).seq
    seconds = time.monotonic() - began
    sentence = f"{described(tally)}; {seconds:.1f} seconds. The wire stands at {tally.head:,}."
    tell(sentence, {"read": tally.read, **asdict(tally), "seconds": round(seconds, 3)}, as_json)
    raise SystemExit(1 if tally.refused else 0)


def load(database: Database, publisher: Publisher, file: str, tally: Tally) -> None:
    """Loads a file in batches, each one transaction. Ctrl-C is heard between them."""
    label = "standard input" if file == "-" else click.format_filename(file, shorten=True)
    with opened_source(file) as source, progress(label, "articles", source.size) as show:
        found = items(source)
        while batch := list(islice(found, BATCH)):
            drafts = [(item.place, drafted(item, publisher)) for item in batch]
            with undisturbed():
                store(database, publisher, drafts, tally)
            show(tally.read, source.position())


def drafted(item: Item, publisher: Publisher) -> Sent:
    if isinstance(item.content, Problem):
        return item.content
    try:
        return load_sent(item.content, publisher)
    except Problem as problem:
        return problem


def store(database: Database, publisher: Publisher, drafts: list[tuple[str, Sent]], tally: Tally) -> None:
    """One transaction; it is counted once it is committed."""
    results: list[str] = []
    refusals: list[str] = []
    with database.begin() as connection:
        articles.lock_publisher(connection, publisher.id)
        batch = Batch(connection, publisher, [draft for _, draft in drafts if not isinstance(draft, Problem)])
        for place, draft in drafts:
            try:
                if isinstance(draft, Problem):
                    raise draft
                results.append(batch.kill(draft) if isinstance(draft, Kill) else batch.receive(draft))
            except Problem as problem:
                results.append("refused")
                refusals.append(f"{place}: {problem.detail}")
        batch.reception.close()
    for result in results:
        setattr(tally, result, getattr(tally, result) + 1)
    for refusal in refusals:
        click.echo(refusal, err=True)


class Batch:
    """The articles of one transaction."""

    def __init__(self, connection: Connection, publisher: Publisher, drafts: list[Draft | Kill]) -> None:
        self.reception = Reception(connection, now())
        self.publisher = publisher
        self.held = articles.versions_of(connection, publisher.id, {external_id(draft) for draft in drafts})

    def kill(self, kill: Kill) -> str:
        """Kills one article, or remembers the death of one that never came."""
        outcome = self.reception.kill_by_external_id(self.publisher, kill.external_id or "", kill.note)
        before = self.held.get(kill.external_id or "")
        return "created" if outcome.created else "unchanged" if outcome.held.version == before else "updated"

    def receive(self, draft: Draft) -> str:
        """Receives one article; says whether it was created, updated or unchanged."""
        name = external_id(draft)
        before = self.held.get(name)
        if before is not None and self.was_earlier(name, orjson.dumps(draft.source)):
            return "unchanged"
        try:
            outcome = self.reception.upsert(self.publisher, name, draft, new=before is None)
        except Problem as problem:
            # The file is not in the order of its own source_versions, or somebody was faster.
            if problem.code == "stale_version":
                return "unchanged"
            raise
        self.held[name] = outcome.held.version
        return "created" if outcome.created else "unchanged" if outcome.held.version == before else "updated"

    def was_earlier(self, name: str, source: bytes) -> bool:
        """Whether a version before the current one was sent in this very form.

        Without this, repeating a file that holds an article twice would set it back and forth.
        """
        query = select(exists().where(
            article.c.publisher_id == self.publisher.id, article.c.external_id == name,
            version.c.number == article.c.number, version.c.version < article.c.version, version.c.source == source,
        ))  # fmt: skip
        return bool(self.reception.connection.scalar(query))


def external_id(draft: Draft | Kill) -> str:
    """The publisher's own id; of an article that came without one the SHA-256 of its content, as sent."""
    if isinstance(draft, Kill) or draft.external_id is not None:
        return draft.external_id or ""
    content: Any = dict(draft.source)
    return "sha256-" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def described(tally: Tally) -> str:
    parts = (f"{tally.created:,} new", f"{tally.updated:,} updated", f"{tally.unchanged:,} unchanged")
    return f"{tally.read:,} articles: {', '.join(parts)}, {tally.refused:,} refused"
