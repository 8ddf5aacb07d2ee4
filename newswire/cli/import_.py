"""`newswire import`: publishes the articles of a file directly in the database."""

import time
from concurrent.futures import BrokenExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace

import click
from sqlalchemy import LargeBinary, func, select

from newswire import wire
from newswire.accounts.publishers import find_publisher
from newswire.accounts.slugs import PartyError
from newswire.article import Publisher
from newswire.cli.support.article_files import open_source
from newswire.cli.support.database import open_database
from newswire.cli.support.interrupts import INTERRUPTED, delay_interrupt
from newswire.cli.support.options import INPUT_FILE, Undated, UndatedChoice
from newswire.cli.support.output import json_option, print_notice, print_result
from newswire.cli.support.prepared_batches import Positioned, prepared_batches
from newswire.cli.support.progress import show_progress
from newswire.document import MARK_BYTES, decode_article, source_mark, unpack_source
from newswire.errors import Problem
from newswire.publishing.comparison import is_change_new
from newswire.publishing.prepare import PreparedArticle
from newswire.publishing.receive import BatchReceiver, Sent, publish_transaction
from newswire.search.index import tend_index
from newswire.store import articles
from newswire.store.database import Database
from newswire.store.tables import article, version
from newswire.timestamps import format_instant, now

PROCESS_ENDED = "A process that prepares articles has ended: it was killed, or the memory was used up."
UPKEEP_SECONDS = 2.0
"""The time for the upkeep of the search index at the end."""


@dataclass
class Tally:
    """Counts of the articles of a file by what became of them; `head` is the head of the wire after the import.

    `undated` are those of the new ones that had no date.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    skipped: int = 0
    undated: int = 0
    head: int = 0

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.refused + self.skipped


@click.command("import")
@click.argument("file", type=INPUT_FILE)
@click.option("--publisher", "slug", metavar="SLUG", required=True, help="Whose articles they are.")
@click.option(
    "--undated",
    type=UndatedChoice(),
    metavar="skip|now|DATE",
    default="now",
    show_default=True,
    help="What happens to an article without published_at: skip leaves it out; now and DATE, a date or an RFC 3339 "
    "time, date it if it is new.",
)
@json_option
def import_command(file: str, slug: str, undated: Undated, as_json: bool) -> None:
    """Load the articles in FILE straight into the database, without a server; - is standard input.

    FILE is NDJSON (one article a line), a JSON array or object, or, when its name ends in .md, one article
    in Markdown; gzip is unpacked. An article may also be ninjs. The articles are those of the HTTP interface
    and are checked like there; one that is refused is reported with its line, and the others are loaded. A
    file of another kind (XML, HTML, CSV …) is named, and nothing of it is stored. Exit status 1 when anything was
    refused.

    It can be repeated and resumed: an article is known by its external_id, one without gets the SHA-256 of
    its content as one, and what the wire already has, as the current or an earlier version, changes nothing.
    What has no date keeps the one that it got when it was first loaded. What was dated now does not count as
    fresh in the order of relevance.

    Of a file with more than 400 articles most are prepared by other processes, one for each processor, three at
    most, while this one stores them.

    \b
    newswire import archive.jsonl.gz --publisher gazette
    newswire import archive.jsonl.gz --publisher gazette --undated 1998-01-01
    gzip -dc archive.jsonl.gz | newswire import - --publisher gazette
    """
    with open_database() as database:
        with database.read() as connection:
            publisher = find_publisher(connection, slug)
        if publisher is None:
            raise PartyError(f"There is no publisher {slug!r}; see `newswire publisher list`.")
        began = time.monotonic()
        tally = Tally()
        try:
            load_file(database, publisher, file, undated, tally)
        except KeyboardInterrupt:
            print_notice(f"Stopped. Stored so far: {describe_tally(tally, undated)}. Start it again to go on.")
            raise SystemExit(INTERRUPTED) from None
        except BrokenExecutor as error:
            stored = describe_tally(tally, undated)
            raise click.ClickException(f"{PROCESS_ENDED} Stored so far: {stored}. Start it again to go on.") from error
        # Perhaps no worker runs that would do it; it goes on with what is left.
        tend_index(database, UPKEEP_SECONDS)
        with database.read() as connection:
            tally.head = wire.read_head(connection).seq
    seconds = time.monotonic() - began
    sentence = f"{describe_tally(tally, undated)}; {seconds:.1f} seconds. The wire stands at {tally.head:,}."
    print_result(sentence, {"read": tally.read, **asdict(tally), "seconds": round(seconds, 3)}, as_json)
    raise SystemExit(1 if tally.refused else 0)


def load_file(database: Database, publisher: Publisher, file: str, undated: Undated, tally: Tally) -> None:
    """Loads a file in batches, each in one transaction. Ctrl-C takes effect between them."""
    label = "standard input" if file == "-" else click.format_filename(file, shorten=True)
    with (
        open_source(file) as source,
        show_progress(label, "articles", source.size) as show,
        closing(prepared_batches(source, publisher)) as batches,
    ):
        for batch in batches:
            # An interrupt between the commit and the count would report less than was stored.
            with delay_interrupt():
                store_batch(database, publisher, batch.articles, undated, tally)
            show(tally.read, batch.bytes_read)


def store_batch(database: Database, publisher: Publisher, batch: Positioned, undated: Undated, tally: Tally) -> None:
    """Stores a batch in one transaction; its articles are counted once that is committed."""
    made_dates = list[str]()
    with database.begin() as connection, publish_transaction(connection, now()) as transaction:
        receiver = BatchReceiver(transaction, publisher, [sent for _, sent in batch])
        results = [(position, receive_dated(receiver, sent, undated)) for position, sent in batch]
        made_dates += [
            sent.draft.external_id or "" for (_, sent), (_, result) in zip(batch, results, strict=True)
            if isinstance(sent, PreparedArticle) and is_undated(sent) and result == "created"
        ]  # fmt: skip
        if undated == "now" and made_dates:
            articles.add_undated(connection, publisher.id, made_dates)
    tally.undated += len(made_dates)
    for position, result in results:
        if isinstance(result, Problem):
            tally.refused += 1
            print_notice(f"{position}: {result.detail}")
        else:
            setattr(tally, result, getattr(tally, result) + 1)


def is_undated(sent: PreparedArticle) -> bool:
    return sent.draft.published_at is None


def receive_dated(receiver: BatchReceiver, sent: Sent, undated: Undated) -> str | Problem:
    """Receives one article as `receive_unless_had` does, or skips it; a new one without a date gets one.

    An article that the wire has keeps its date, so that a repeat with another --undated changes nothing.
    """
    if isinstance(sent, PreparedArticle) and is_undated(sent):
        if undated == "skip":
            return "skipped"
        if isinstance(undated, int) and not receiver.is_known(sent.draft.external_id or ""):
            sent = sent._replace(draft=replace(sent.draft, published_at=undated))
    return receive_unless_had(receiver, sent)


def receive_unless_had(receiver: BatchReceiver, sent: Sent) -> str | Problem:
    """Receives one article; returns created, updated or unchanged, or the `Problem` that refused it."""
    # A file that holds two versions of an article would otherwise store both again whenever it is loaded again.
    if isinstance(sent, PreparedArticle) and was_sent_before(receiver, sent):
        return "unchanged"
    outcome = receiver.receive(sent)
    if isinstance(outcome, Problem):
        # The file is not sorted by source_version, or the publisher has sent a newer version meanwhile.
        return "unchanged" if outcome.code == "stale_version" else outcome
    return "created" if outcome.created else "updated" if outcome.changed else "unchanged"


def was_sent_before(receiver: BatchReceiver, prepared: PreparedArticle) -> bool:
    """Whether a version before the current one was sent in exactly this form, with this correction or note, if any."""
    external_id = prepared.draft.external_id
    if external_id is None or not receiver.is_known(external_id):
        return False
    as_it_is = version.c.source == prepared.source
    packed = func.substr(version.c.source, 1, MARK_BYTES, type_=LargeBinary) == source_mark(prepared.source)
    query = select(version.c.source, version.c.rendered, version.c.body).where(
        article.c.publisher_id == receiver.publisher.id, article.c.external_id == external_id,
        version.c.number == article.c.number, version.c.version < article.c.version, as_it_is | packed,
    )  # fmt: skip
    return any(
        unpack_source(*row) == prepared.source
        and not is_change_new(prepared.draft, decode_article(row.rendered, None)["change"])
        for row in receiver.transaction.connection.execute(query)
    )


def describe_tally(tally: Tally, undated: Undated) -> str:
    parts = [f"{tally.created:,} new", f"{tally.updated:,} updated", f"{tally.unchanged:,} unchanged"]
    parts.append(f"{tally.refused:,} refused")
    if tally.skipped:
        parts.append(f"{tally.skipped:,} without a date, skipped")
    dated = ""
    if tally.undated:
        date = format_instant(undated) if isinstance(undated, int) else undated
        dated = f"; {tally.undated:,} without a date, dated {date}"
    return f"{tally.read:,} articles: {', '.join(parts)}{dated}"
