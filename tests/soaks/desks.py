"""The writers of the soak `readers`. Each has stories of its own, so whatever it sends can be sent again after a crash.

Commits are late here, and they are real ones. A `LateDesk` opens the project's own publishing
transaction and sleeps before it commits, or rolls it back. On PostgreSQL triggers make everyone's
transaction sleep now and then, before it has its number and, what is harder, after.
"""

import random
import threading
import time
from abc import ABC, abstractmethod
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import make_url, select

from newswire.accounts.publishers import find_publisher
from newswire.errors import Problem
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import Outcome, publish_transaction
from newswire.schemas.article import load_draft
from newswire.store.database import Database
from newswire.store.tables import article
from newswire.timestamps import now
from tests.soaks.clients import Client, Unexpected
from tests.soaks.newsroom import Receipt, word_of
from tests.support.postgres import connect

SECTIONS = ("world", "sport", "culture")
WORDS = ("cocoa", "harbour", "election")
PAUSE_SECONDS = 0.15
LATE_SECONDS = 0.05
LONGEST_EMBARGO = 1.5
PATIENCE_SECONDS = 60.0
LATE_TRIGGERS = """
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.15 THEN PERFORM pg_sleep(random() * 0.1); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
CREATE TRIGGER late AFTER INSERT ON article FOR EACH ROW EXECUTE FUNCTION late();
"""


def make_commits_late(database_url: str) -> None:
    """From now on transactions on this PostgreSQL database sleep while they commit; SQLite's triggers cannot sleep."""
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        with closing(connect(url)) as connection:
            connection.execute(LATE_TRIGGERS)


class Desk(ABC):
    """Publishes, updates, moves, corrects, withholds and kills stories of its own until it is told to stop."""

    def __init__(self, slug: str, number: int) -> None:
        self.slug = slug
        self.number = number
        self.random = random.Random(number)
        self.receipts: list[Receipt] = []
        self.own: list[str] = []
        self.written = 0

    @abstractmethod
    def store(self, external_id: str, content: dict[str, Any]) -> Any:
        """The article as stored: id, version, seq."""

    @abstractmethod
    def bury(self, external_id: str) -> Any:
        """The tombstone as stored."""

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(self.random.uniform(0, PAUSE_SECONDS)):
            self.step()

    def step(self) -> None:
        """A new story, or the next version of one: another section or other words, a correction, a kill."""
        kind = self.random.random()
        if not self.own or kind < 0.4:
            external_id = f"d{self.number}x{self.written}"
            self.own.append(external_id)
            self.put(external_id, self.content() | self.times())
        elif kind < 0.5:
            external_id = self.own.pop(self.random.randrange(len(self.own)))
            stone = self.bury(external_id)
            self.receipts.append(Receipt(stone["id"], stone["version"], stone["seq"], None, None))
        else:
            change = {"change": {"type": "correction", "note": "an error"}} if kind > 0.8 else {}
            self.put(self.random.choice(self.own), self.content() | change)

    def content(self) -> dict[str, Any]:
        """No two are alike."""
        self.written += 1
        return {
            "headline": f"d{self.number}x{self.written} {self.random.choice(WORDS)} report",
            "section": self.random.choice(SECTIONS),
            "body_text": "The ferry was late again. " * self.random.randrange(30),
        }

    def times(self) -> dict[str, str]:
        """Now and then an embargo, or an expiry, that ends while the soak goes on."""
        kind = self.random.random()
        name = "embargoed_until" if kind < 0.15 else "expires_at" if kind < 0.2 else None
        ends = datetime.now(UTC) + timedelta(seconds=self.random.uniform(0.2, LONGEST_EMBARGO))
        return {} if name is None else {name: ends.isoformat()}

    def put(self, external_id: str, content: dict[str, Any]) -> None:
        stored = self.store(external_id, content)
        receipt = Receipt(stored["id"], stored["version"], stored["seq"], content["section"], word_of(content))
        self.receipts.append(receipt)


class RemoteDesk(Desk):
    """Over HTTP, like any publisher."""

    def __init__(self, client: Client, slug: str, number: int) -> None:
        super().__init__(slug, number)
        self.client = client

    def store(self, external_id: str, content: dict[str, Any]) -> Any:
        if external_id in self.own[-1:] and self.random.random() < 0.5:
            # Taken already (409): then this is its next version.
            sent = {**content, "external_id": external_id}
            answer = self.client.insist("POST", "/v1/articles", sent, {"Idempotency-Key": str(uuid4())})
            if answer.status == 201:
                return answer.json
        return self.stored("PUT", external_id, content)

    def bury(self, external_id: str) -> Any:
        return self.stored("DELETE", external_id, None)

    def stored(self, method: str, external_id: str, content: object) -> Any:
        answer = self.client.insist(method, f"/v1/publishers/{self.slug}/articles/{external_id}", content)
        if answer.status not in (200, 201):
            raise Unexpected(f"{method} {external_id}: {answer.status} {answer.body[:500]!r}")
        return answer.json


class LateDesk(Desk):
    """In transactions of its own, which sleep when all is written and their number is taken."""

    def __init__(self, database: Database, slug: str, number: int) -> None:
        super().__init__(slug, number)
        self.database = database
        self.rolled_back = 0

    def store(self, external_id: str, content: dict[str, Any]) -> Any:
        if self.random.random() < 0.2:
            self.commit(f"{external_id}-never", {**content, "headline": "never told"}, keep=False)
            self.rolled_back += 1
        return self.commit(external_id, content)

    def bury(self, external_id: str) -> Any:
        return self.commit(external_id, None)

    def commit(self, external_id: str, content: dict[str, Any] | None, *, keep: bool = True) -> Any:
        """Stores, or kills where there is no content; as often as it takes, for a lost answer says nothing."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self.database.begin(keep=keep) as connection:
                    publisher = find_publisher(connection, self.slug)
                    assert publisher is not None
                    sent = content and prepare_article(load_draft(content, publisher), publisher)
                    with publish_transaction(connection, now()) as transaction:
                        outcome: Outcome = (
                            transaction.kill_by_external_id(publisher, external_id, None)
                            if not sent
                            else transaction.upsert(publisher, external_id, sent)
                        )
                    time.sleep(self.random.uniform(0, LATE_SECONDS))
                return outcome.held._asdict()
            except Problem as problem:
                if problem.code != "unavailable" or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def wait_for_releases(database: Database) -> bool:
    """Waits until every embargo has ended and every expiry was told; says whether that came to pass."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with database.read() as connection:
                if connection.scalar(select(article.c.number).where(article.c.due_at.is_not(None)).limit(1)) is None:
                    return True
        except Problem:
            pass
        time.sleep(0.05)
    return False
