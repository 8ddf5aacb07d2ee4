"""Receiving: is it a duplicate, which version is next, is it allowed; then the log.

A `Reception` is the work of one publishing transaction, of one article or a thousand.
Rows of articles are locked before they are judged; the log is written once, at the end
(`close`), because the head row is locked from then until the commit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from uuid_utils import uuid7

from newswire import wire
from newswire.article import (
    Draft,
    EntryType,
    Held,
    Publisher,
    Status,
    canceled,
    changed_fields,
    check_acceptable,
    due_at,
    entry_type,
    served,
    status_of,
    successor,
    tombstone,
)
from newswire.document import Version, parse_article, render
from newswire.errors import Problem
from newswire.publishing.write_buffer import Unwritten
from newswire.search import index
from newswire.search.analysis import analyse_article, analyse_texts
from newswire.search.backend import Document
from newswire.store import articles
from newswire.visibility import terms_of

Condition = Callable[[Held | None], None]


@dataclass
class Outcome:
    """What became of one article. `held.seq` is right after `Reception.close`; `created`: it is new here."""

    held: Held
    version: Version
    created: bool = False
    warnings: tuple[Any, ...] = ()


def always(held: Held | None) -> None:
    """The condition of a request that has none."""


class Reception:
    """The publishing work of one transaction; `close` it before the commit."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection = connection
        self.now = now
        self._untold: list[tuple[Outcome, EntryType]] = []
        self._told: set[int] = set()
        self._unwritten = Unwritten(connection)

    def create(self, publisher: Publisher, draft: Draft) -> Outcome:
        """A new article; raises `duplicate_external_id` or `article_canceled` when the publisher's id is taken."""
        outcome = self.insert(publisher, draft, draft.external_id)
        if outcome is None:
            held = self._held(publisher, draft.external_id or "")
            if held.status is Status.CANCELED:
                raise canceled(held)
            raise Problem(
                "duplicate_external_id",
                f"The article {held.id} has this external_id; send it with PUT to update it.",
                article_id=held.id,
            )
        return outcome

    def insert(self, publisher: Publisher, draft: Draft, external_id: str | None) -> Outcome | None:
        """The first version of a new article, or None when the publisher's id is taken."""
        published_at = self.now if draft.published_at is None else draft.published_at
        held = self._claim(
            self._new(publisher, external_id, published_at)._replace(
                status=status_of(draft, self.now), source_version=draft.source_version,
                embargoed_until=draft.embargoed_until, expires_at=draft.expires_at,
            )
        )  # fmt: skip
        if held is None:
            return None
        content = served(draft, publisher, held)
        content["change"] = {"type": "new", "note": draft.change_note, "fields": []}
        return self._store(held, publisher, draft, content, created=True)

    def upsert(
        self, publisher: Publisher, external_id: str, draft: Draft, condition: Condition = always, *, new: bool = False
    ) -> Outcome:
        """Creates or updates the article with the publisher's own id. Unchanged content stores nothing.

        `new`: it was not there a moment ago, so nobody looks for its row first.
        """
        held = None if new else articles.lock_by_external_id(self.connection, publisher.id, external_id)
        if held is None:
            condition(None)
            outcome = self.insert(publisher, draft, external_id)
            if outcome is not None:
                return outcome
            # A rival inserted it between our look and our insert: it is committed now, and ours is an update.
            held = self._held(publisher, external_id)
        return self.replace(held, publisher, draft, condition)

    def replace(self, held: Held, publisher: Publisher, draft: Draft, condition: Condition = always) -> Outcome:
        """The next version of a locked article."""
        if held.status is Status.CANCELED:
            raise canceled(held)
        condition(held)
        check_acceptable(held, draft, self.now)
        stored = self._stored(held)
        before = parse_article(stored.rendered, stored.body)
        new = successor(held, draft, self.now)
        content = served(draft, publisher, new)
        fields = changed_fields(before, content)
        if not fields:
            articles.change_article(self.connection, held.number, {"source_version": new.source_version})
            unchanged = Version(before["digest"], stored.rendered, stored.body, stored.form)
            return Outcome(held, unchanged, warnings=draft.warnings)
        content["change"] = {"type": draft.change_type, "note": draft.change_note, "fields": fields}
        return self._store(new, publisher, draft, content)

    def kill(self, held: Held, publisher: Publisher, note: str | None, condition: Condition = always) -> Outcome:
        """Cancels a locked article for good. Killing twice changes nothing."""
        if held.status is Status.CANCELED:
            stored = self._stored(held)
            remains = parse_article(stored.rendered, stored.body)
            return Outcome(held, Version(remains["digest"], stored.rendered, stored.body, stored.form))
        condition(held)
        held = held._replace(version=held.version + 1, status=Status.CANCELED, updated_at=self.now)
        self._unwritten.settle(held.number)
        index.remove_document(self.connection, held.number)
        outcome = Outcome(held, self._bury(held, publisher, note))
        self._change_and_tell(outcome, EntryType.CANCELED if self._was_told(held) else None)
        return outcome

    def kill_by_external_id(self, publisher: Publisher, external_id: str, note: str | None) -> Outcome:
        """Kills, or remembers the death of an article that never came, so that a late arrival stays dead."""
        row = articles.lock_by_external_id(self.connection, publisher.id, external_id)
        if row is None:
            held = self._claim(
                self._new(publisher, external_id, published_at=self.now)._replace(status=Status.CANCELED)
            )
            if held is not None:
                return Outcome(held, self._bury(held, publisher, note), created=True)
        return self.kill(self._held(publisher, external_id), publisher, note)

    def close(self) -> None:
        """Writes the log: the last thing before the commit."""
        entries = [
            wire.NewEntry(kind, outcome.held.number, outcome.held.version, outcome.version.digest)
            for outcome, kind in self._untold
        ]
        # After every article is locked.
        self._unwritten.close()
        for (outcome, _), seq in zip(self._untold, wire.append(self.connection, entries, self.now), strict=True):
            outcome.held = outcome.held._replace(seq=seq)
        self._untold.clear()

    def _stored(self, held: Held) -> Any:
        """The version of a locked article that is stored: source, rendered JSON and body."""
        self._unwritten.settle(held.number)
        return articles.current_version(self.connection, held.number, held.version)

    def _held(self, publisher: Publisher, external_id: str) -> Held:
        held = articles.lock_by_external_id(self.connection, publisher.id, external_id)
        assert held is not None, "the unique index said that it exists"
        return held

    def _new(self, publisher: Publisher, external_id: str | None, published_at: int) -> Held:
        return Held(
            number=0, id=str(uuid7()), publisher_id=publisher.id, external_id=external_id, source_version=None,
            version=1, status=Status.USABLE, seq=None, created_at=self.now, published_at=published_at,
            updated_at=self.now, embargoed_until=None, expires_at=None,
        )  # fmt: skip

    def _claim(self, held: Held) -> Held | None:
        """Inserts the article's row; None when a rival holds the publisher's id."""
        values = held._asdict() | {"status": held.status.value, "due_at": due_at(held)}
        del values["number"]
        number = articles.add_article(self.connection, values)
        return None if number is None else held._replace(number=number)

    def _store(
        self,
        held: Held,
        publisher: Publisher,
        draft: Draft,
        content: dict[str, Any],
        *,
        created: bool = False,
    ) -> Outcome:
        terms = terms_of(publisher.slug, content)
        version = render(content)
        if not created:
            index.remove_document(self.connection, held.number)
        self._unwritten.learn(content)
        self._unwritten.add(Document(held, terms, analyse_article(content, terms)), version, draft.source, self.now)
        outcome = Outcome(held, version, created=created, warnings=draft.warnings)
        kind = entry_type(draft, first=not self._was_told(held)) if held.status is Status.USABLE else None
        self._change_and_tell(outcome, kind)
        return outcome

    def _bury(self, held: Held, publisher: Publisher, note: str | None) -> Version:
        """Stores the tombstone; its publisher finds it among what was killed."""
        stone = tombstone(held, publisher, note, self.now)
        version, terms = render(stone), terms_of(publisher.slug, stone)
        self._unwritten.add(Document(held, terms, analyse_texts({}, None)), version, {}, self.now)
        return version

    def _change_and_tell(self, outcome: Outcome, kind: EntryType | None) -> None:
        held = outcome.held
        names = ("source_version", "version", "published_at", "updated_at", "embargoed_until", "expires_at")
        values = {name: getattr(held, name) for name in names}
        values |= {"status": held.status.value, "due_at": due_at(held)}
        if not outcome.created:
            articles.change_article(self.connection, held.number, values)
        if kind is not None:
            self._untold.append((outcome, kind))
            self._told.add(held.number)

    def _was_told(self, held: Held) -> bool:
        """Whether the log, or this transaction's share of it, holds an entry of the article."""
        return held.seq is not None or held.number in self._told
