"""Receiving articles: duplicates, the next version, preconditions, kills; then the rows and the log.

All of this happens in one `publish_transaction`, for one article or a thousand. The row of an article is locked before
anything is decided about it. The log is written last, when the block ends: that locks the head row, for which all
other publishers wait until the commit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection
from uuid_utils import uuid7

from newswire import wire
from newswire.article import (
    ArticleState,
    EntryType,
    Publisher,
    Status,
    article_canceled_problem,
    article_document,
    changed_fields,
    check_acceptable,
    date_version,
    due_at,
    list_date_warnings,
    next_state,
    status_of,
    tombstone_document,
    type_of_entry,
)
from newswire.document import Version, decode_article, render_version, unpack_source
from newswire.errors import Problem
from newswire.publishing.comparison import is_change_new, keep_unchanged_fields
from newswire.publishing.draft import Kill
from newswire.publishing.prepare import PreparedArticle
from newswire.publishing.write_buffer import WriteBuffer
from newswire.search import index
from newswire.search.analysis import analyse_texts
from newswire.search.backend import Document
from newswire.store import articles
from newswire.timestamps import format_instant, parse_instant
from newswire.visibility import identity_terms, link_terms, listed_term, terms_of

Condition: TypeAlias = Callable[[ArticleState | None], None]
"""A precondition: raises a `Problem` if the stored article (None: there is none) must not be changed."""
Sent: TypeAlias = PreparedArticle | Kill | Problem
"""One article of a batch, or the reason why it could not be read."""

NO_SOURCE = b"{}"
STATE_COLUMNS = ("source_version", "version", "published_at", "updated_at", "embargoed_until", "expires_at", "mapped")
OUTDATED = -1
"""The `mapped` of an article whose versions have terms by several subject maps."""


@dataclass
class Outcome:
    """The result of receiving one article: its state, and its current version.

    `held.seq` is valid after the end of the `publish_transaction`. `created`: the article is new; `changed`: a version
    was stored.
    """

    held: ArticleState
    version: Version
    created: bool = False
    changed: bool = False
    warnings: tuple[Any, ...] = ()


def accept_any(held: ArticleState | None) -> None:
    """The `Condition` of a request that sets none."""


def new_article_id() -> str:
    """A UUID of version 7 (RFC 9562): ids made later sort later, so the index of ids grows at its end."""
    return str(uuid7())


@contextmanager
def publish_transaction(connection: Connection, now: int) -> Iterator["PublishTransaction"]:
    """Receives articles within a database transaction, and writes the log at the end of the block.

    The block must be the last work of the database transaction, except for work that needs the sequence numbers, such
    as storing the answer to an Idempotency-Key. If the block raises, no log is written: roll back.
    """
    transaction = PublishTransaction(connection, now)
    yield transaction
    # All publishers lock in this order, or they could deadlock: first the rows of articles, which are locked by now,
    # then the names that articles share, last the head (see `newswire.wire`).
    transaction.buffer.flush_versions()
    transaction.buffer.flush_names()
    pending, transaction.pending_entries = transaction.pending_entries or [], None
    entries = [
        wire.NewEntry(kind, outcome.held.number, outcome.held.version, outcome.version.digest)
        for outcome, kind in pending
    ]
    for (outcome, _), seq in zip(pending, wire.append_entries(connection, entries, now), strict=True):
        outcome.held = outcome.held._replace(seq=seq)


class PublishTransaction:
    """The publishing work of one transaction. Only `publish_transaction` makes one, because it also writes the log.

    `pending_entries` will be appended to the log, in this order; None after that. `new_id` makes the ids of articles.
    """

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection = connection
        self.now = now
        self.new_id: Callable[[], str] = new_article_id
        self.buffer = WriteBuffer(connection)
        self.pending_entries: list[tuple[Outcome, EntryType]] | None = []
        self._entered: set[int] = set()

    def lock_article(self, article_id: str) -> ArticleState:
        """Locks the row of an existing article until the end of the transaction; returns its state."""
        held = articles.lock_by_id(self.connection, article_id)
        assert held is not None, "articles are never deleted"
        return held

    def create(self, publisher: Publisher, prepared: PreparedArticle) -> Outcome:
        """Creates an article; raises `duplicate_external_id` or `article_canceled` if the publisher's id is taken."""
        external_id = prepared.draft.external_id
        outcome = self._insert(publisher, prepared, external_id)
        if outcome is None:
            held = self._lock_existing(publisher, external_id or "")
            if held.status is Status.CANCELED:
                raise article_canceled_problem(held)
            raise Problem(
                "duplicate_external_id",
                f"The article {held.id} has this external_id; send it with PUT to update it.",
                article_id=held.id,
            )
        return outcome

    def upsert(
        self, publisher: Publisher, external_id: str, prepared: PreparedArticle, condition: Condition = accept_any,
        *, new: bool = False,
    ) -> Outcome:  # fmt: skip
        """Creates or updates the article with the publisher's own id. Unchanged content stores nothing.

        `new`: the caller has just seen that it does not exist, so the select before the insert is saved.
        """
        held = None if new else articles.lock_by_external_id(self.connection, publisher.id, external_id)
        if held is None:
            condition(None)
            outcome = self._insert(publisher, prepared, external_id)
            if outcome is not None:
                return outcome
            # Another transaction inserted it between our select and our insert. It has committed, so ours is an update.
            held = self._lock_existing(publisher, external_id)
        return self.replace(held, publisher, prepared, condition)

    def replace(
        self, held: ArticleState, publisher: Publisher, prepared: PreparedArticle, condition: Condition = accept_any
    ) -> Outcome:
        """Stores the next version of a locked article. What its publisher has not changed is kept as it is stored.

        If nothing was changed, and its `change` says nothing new of the current version, nothing is stored.
        """
        if held.status is Status.CANCELED:
            raise article_canceled_problem(held)
        condition(held)
        check_acceptable(held, prepared.draft, self.now)
        stored = self.read_version(held)
        before = decode_article(stored.rendered, stored.body)
        source = unpack_source(stored.source, stored.rendered, stored.body)
        prepared = keep_unchanged_fields(prepared, source, before, publisher)
        draft = prepared.draft
        dated = date_version(draft, self.now, held, parse_instant(before["published_at"]))
        new = next_state(held, draft, dated.listed, self.now)
        if held.mapped != publisher.mapping:
            new = new._replace(mapped=OUTDATED)
        content = article_document(draft, publisher, new, dated.served)
        fields = changed_fields(before, content)
        if not fields and not is_change_new(draft, before["change"]):
            # The number is stored even so: a version with a lower one must still be refused as stale.
            articles.change_article(self.connection, held.number, {"source_version": new.source_version})
            unchanged = Version(before["digest"], stored.rendered, stored.body, stored.form)
            return Outcome(held, unchanged, warnings=list_date_warnings(draft, held))
        content["change"] = {"type": draft.change_type, "note": draft.change_note, "fields": fields}
        return self._store_version(new, prepared, content)

    def kill(
        self, held: ArticleState, publisher: Publisher, note: str | None, condition: Condition = accept_any
    ) -> Outcome:
        """Cancels a locked article for good. A second kill changes nothing, and its condition is not checked."""
        if held.status is Status.CANCELED:
            stored = self.read_version(held)
            tombstone = decode_article(stored.rendered, stored.body)
            return Outcome(held, Version(tombstone["digest"], stored.rendered, stored.body, stored.form))
        condition(held)
        before = decode_article(self.read_version(held).rendered, None)
        held = held._replace(version=held.version + 1, status=Status.CANCELED, updated_at=self.now)
        # Its index row may still be in the buffer, if this transaction has published the article as well.
        self.buffer.flush_article(held.number)
        index.remove_document(self.connection, held.number)
        # Whoever was told of a link is still told of it, and of the kill.
        links = link_terms(publisher.slug, before)
        outcome = Outcome(
            held, self._store_tombstone(held, publisher, note, before["published_at"], links), changed=True
        )
        self._change_and_enter(outcome, EntryType.CANCELED if self._was_entered(held) else None)
        return outcome

    def kill_by_external_id(
        self, publisher: Publisher, external_id: str, note: str | None, condition: Condition = accept_any
    ) -> Outcome:
        """Kills an article; for one that never came, stores a tombstone, so that it is refused if it arrives later."""
        held = articles.lock_by_external_id(self.connection, publisher.id, external_id)
        if held is None:
            condition(None)
            held = self._claim(self._new_article(publisher, external_id, self.now)._replace(status=Status.CANCELED))
            if held is not None:
                tombstone_version = self._store_tombstone(held, publisher, note, format_instant(self.now))
                return Outcome(held, tombstone_version, created=True, changed=True)
            # Another transaction inserted it between our select and our insert.
            held = self._lock_existing(publisher, external_id)
        return self.kill(held, publisher, note, condition)

    def read_version(self, held: ArticleState) -> Any:
        """The current version of a locked article: its packed source, rendered JSON and body."""
        self.buffer.flush_article(held.number)
        return articles.current_version(self.connection, held.number, held.version)

    def _lock_existing(self, publisher: Publisher, external_id: str) -> ArticleState:
        held = articles.lock_by_external_id(self.connection, publisher.id, external_id)
        assert held is not None, "the unique index said that it exists"
        return held

    def _insert(self, publisher: Publisher, prepared: PreparedArticle, external_id: str | None) -> Outcome | None:
        """Stores the first version of a new article; returns None if the publisher's id is taken."""
        draft = prepared.draft
        dated = date_version(draft, self.now)
        held = self._claim(
            self._new_article(publisher, external_id, dated.listed)._replace(
                status=status_of(draft, self.now), source_version=draft.source_version,
                embargoed_until=draft.embargoed_until, expires_at=draft.expires_at,
            )
        )  # fmt: skip
        if held is None:
            return None
        content = article_document(draft, publisher, held, dated.served)
        content["change"] = {"type": "new", "note": draft.change_note, "fields": []}
        return self._store_version(held, prepared, content, created=True)

    def _new_article(self, publisher: Publisher, external_id: str | None, published_at: int) -> ArticleState:
        return ArticleState(
            number=0, id=self.new_id(), publisher_id=publisher.id, external_id=external_id, source_version=None,
            version=1, status=Status.USABLE, seq=None, created_at=self.now, published_at=published_at,
            updated_at=self.now, embargoed_until=None, expires_at=None, mapped=publisher.mapping,
        )  # fmt: skip

    def _claim(self, held: ArticleState) -> ArticleState | None:
        """Inserts the row of an article; returns None if the publisher's id is taken."""
        values = held._asdict() | {"status": held.status.value, "due_at": due_at(held)}
        del values["number"]
        number = articles.add_article(self.connection, values)
        return None if number is None else held._replace(number=number)

    def _store_version(
        self, held: ArticleState, prepared: PreparedArticle, content: Mapping[str, Any], *, created: bool = False
    ) -> Outcome:
        """Stores and indexes `content` as a version of an article, and leaves its entry for the log."""
        draft = prepared.draft
        version = render_version({**content, **prepared.body})
        if not created:
            # The buffer only inserts index rows, so the row of the version before must go first.
            index.remove_document(self.connection, held.number)
        self.buffer.add_names(content)
        terms = prepared.terms | prepared.story_terms | identity_terms(held.id, held.external_id)
        if content["published_at"] != format_instant(held.published_at):
            terms |= {listed_term(held.published_at)}
        self.buffer.add_version(Document(held, terms, prepared.analysed), version, prepared.source, self.now)
        outcome = Outcome(held, version, created=created, changed=True, warnings=list_date_warnings(draft, held))
        kind = type_of_entry(draft, first=not self._was_entered(held)) if held.status is Status.USABLE else None
        self._change_and_enter(outcome, kind)
        return outcome

    def _store_tombstone(
        self, held: ArticleState, publisher: Publisher, note: str | None, published_at: str,
        links: frozenset[str] = frozenset(),
    ) -> Version:  # fmt: skip
        """Stores the tombstone of a killed article. It has terms, so that its publisher finds it, but no text."""
        tombstone = tombstone_document(held, publisher, note, published_at, self.now)
        version, terms = render_version(tombstone), terms_of(publisher.slug, tombstone) | links
        self.buffer.add_version(Document(held, terms, analyse_texts({}, None)), version, NO_SOURCE, self.now)
        return version

    def _change_and_enter(self, outcome: Outcome, kind: EntryType | None) -> None:
        """Updates the row of an article, and leaves an entry of this type for the log (None: no entry)."""
        if self.pending_entries is None:
            raise RuntimeError("the log of this transaction is written; nothing can be published after it")
        held = outcome.held
        if not outcome.created:
            values = {name: getattr(held, name) for name in STATE_COLUMNS}
            values |= {"status": held.status.value, "due_at": due_at(held)}
            articles.change_article(self.connection, held.number, values)
        if kind is not None:
            self.pending_entries.append((outcome, kind))
            self._entered.add(held.number)

    def _was_entered(self, held: ArticleState) -> bool:
        """Whether the article has an entry in the log, or among the pending ones of this transaction."""
        return held.seq is not None or held.number in self._entered


class BatchReceiver:
    """The receiver of a batch: many articles of a publisher in one transaction, each accepted or refused by itself."""

    def __init__(self, transaction: PublishTransaction, publisher: Publisher, batch: Iterable[Sent]) -> None:
        """`batch` is every article that will be received."""
        # One batch of a publisher at a time: two batches with the same articles in different orders would lock the rows
        # in different orders, and deadlock.
        articles.lock_publisher(transaction.connection, publisher.id)
        sent_ids = {sent.draft.external_id for sent in batch if isinstance(sent, PreparedArticle)}
        named = {external_id for external_id in sent_ids if external_id is not None}
        known = articles.versions_of(transaction.connection, publisher.id, named).keys()
        self.transaction = transaction
        self.publisher = publisher
        self._new = named - known

    def is_known(self, external_id: str) -> bool:
        """Whether an article of the batch was stored before it, or has already been received from it."""
        return external_id not in self._new

    def receive(self, sent: Sent) -> Outcome | Problem:
        """Receives one article; returns the `Problem` if it is refused, for which nothing was written."""
        if isinstance(sent, Problem):
            return sent
        try:
            return self._receive(sent)
        except Problem as problem:
            return problem

    def _receive(self, sent: PreparedArticle | Kill) -> Outcome:
        if isinstance(sent, Kill):
            return self.transaction.kill_by_external_id(self.publisher, sent.external_id or "", sent.note)
        external_id = sent.draft.external_id
        if external_id is None:
            return self.transaction.create(self.publisher, sent)
        outcome = self.transaction.upsert(self.publisher, external_id, sent, new=not self.is_known(external_id))
        self._new.discard(external_id)
        return outcome
