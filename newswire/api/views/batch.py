"""The view that publishes up to 1,000 articles, part by part, with a result for each of them.

A part is prepared without a lock, and then stored in a transaction of bounded time. With an Idempotency-Key that
transaction stores the results so far as well, so that a repeat goes on where this request stopped, whatever the cause.
"""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response
from sqlalchemy import Connection

from newswire.api.auth import publisher_of_key
from newswire.api.context import RequestContext
from newswire.api.problems import dump_json, embed_problem
from newswire.api.request.batch_body import BatchBody, Item, open_batch
from newswire.api.request.conditional import idempotency_key
from newswire.api.views.publishing import ProcessorBudget, begin_fingerprint, prepare_sent, success_status
from newswire.article import Draft, Publisher
from newswire.errors import Problem
from newswire.publishing.draft import Kill
from newswire.publishing.idempotency import (
    Answer,
    Progress,
    claim_batch,
    read_record,
    store_answer,
    store_progress,
)
from newswire.publishing.prepare import PreparedArticle
from newswire.publishing.receive import BatchReceiver, Outcome, Sent, publish_transaction
from newswire.schemas.article import load_sent
from newswire.timestamps import now

PART_ARTICLES, PART_LENGTH = 100, 1024 * 1024
"""The most articles of a part, and the length of their JSON at which it ends: prepared, they take up to 30 times that.
"""
PART_SECONDS = 0.1
"""The time of a part's transaction after which no further article is received in it. Other writers wait for it."""
OTHER_SECONDS = 2.0
"""A request with the same key that has stored nothing for this time is taken to have stopped."""
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
LONG_ANSWER = 4 * 1024 * 1024
"""Length of the results beyond which a problem shows only its first fault: a thousand articles may have 500 each."""
DRY_RUN_LENGTH = 2 * 1024 * 1024
"""Length of the articles that a dry run keeps, so that a later one with the same external_id is judged after them."""
UNREACHED = "The time of this request was used up before this article; send the batch again, with the same key if any."


def create_batch(context: RequestContext) -> Response:
    """Publish up to 1,000 articles

    NDJSON, or a JSON array. Articles with an `external_id` are created or updated by it. Every line has
    a result of its own; a bad one harms no other. The batch is stored in parts: articles that were not reached in
    time have the status 503, and a repeat with the same `Idempotency-Key` goes on from the first of them.
    """
    budget, publisher = ProcessorBudget(), publisher_of_key(context.caller)
    with open_batch(context.request, begin_fingerprint(context.request)) as body:
        return BatchRequest(context, publisher, body, budget).respond()


class BatchRequest:
    """A batch on its way: `results`, in JSON, are those of its first `done` articles.

    `pending` are the next articles, prepared, each with its index. `is_repeat`: another request stored some results.
    """

    def __init__(self, context: RequestContext, publisher: Publisher, body: BatchBody, budget: ProcessorBudget) -> None:
        self.database, self.base_url = context.database, context.base_url
        self.publisher, self.body, self.budget = publisher, body, budget
        self.dry_run = context.parameters["dry_run"] == "true"
        self.key = None if self.dry_run else idempotency_key(context.request)
        self.worker = os.urandom(8).hex()
        self.done, self.results, self.is_repeat = 0, b"", False
        self.pending: deque[tuple[int, Sent]] = deque()
        self.answer: Answer | None = None
        self.rehearsal = Rehearsal()

    def respond(self) -> Response:
        """Stores as much as the budget allows, and makes the response."""
        articles = enumerate(self.body.items())
        self._wait_for_others()
        while self.answer is None:
            if not self.pending:
                self._prepare_part(articles)
            if not self._store_part() or (self.budget.is_spent() and (self.dry_run or not self.pending)):
                break
        body = join_results(self.results, self._unreached()) if self.answer is None else self.answer.body
        response = Response(body, 200, content_type="application/json")
        if self.is_repeat:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _wait_for_others(self) -> None:
        """Waits while another request with the same key stores this batch, and takes over its results.

        It only saves work that would be thrown away: what has been stored is compared again in the transaction.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while self.key is not None and self.answer is None:
            with self.database.read() as connection:
                found = read_record(connection, self.publisher.id, self.key, self.body.fingerprint, now())
            if found is None:
                return
            self._take_over(found)
            if isinstance(found, Progress) and abs(now() - found.at) > OTHER_SECONDS * 1000:
                return
            if time.monotonic() > end:
                detail = "Another request with this Idempotency-Key is being processed; try again."
                raise Problem("unavailable", detail, headers={"Retry-After": "1"})
            time.sleep(LOOK_SECONDS)

    def _take_over(self, found: Answer | Progress) -> None:
        self.is_repeat = True
        if isinstance(found, Answer):
            self.answer = found
            return
        self.done, self.results = found.done, found.results
        while self.pending and self.pending[0][0] < self.done:
            self.pending.popleft()

    def _prepare_part(self, articles: Iterator[tuple[int, Item]]) -> None:
        """Prepares the next articles: at least one, and no more after the budget is spent."""
        length, loaded = 0, list[tuple[int, Draft | Kill | Problem]]()
        for index, item in articles:
            if index < self.done:
                continue
            length += item.length
            loaded.append((index, load_item(item.content, self.publisher)))
            if len(loaded) == PART_ARTICLES or length > PART_LENGTH or self.budget.is_spent():
                break
        # Not each article right after it was loaded: one kind of work at a time is a tenth faster.
        for index, read in loaded:
            sent = read if isinstance(read, Problem) else prepare_sent(read, self.publisher)
            self.pending.append((index, sent))

    def _store_part(self) -> bool:
        """Stores the pending articles, as many as the time allows; false if the database is too busy to begin."""
        if self.key is None and all(isinstance(sent, Problem) for _, sent in self.pending):
            self._add_results([sent for _, sent in self.pending if isinstance(sent, Problem)])
            return True
        began, is_ours, moment = False, True, now()
        try:
            with self.database.begin(keep=not self.dry_run) as connection:
                began = True
                if self.key is not None:
                    is_ours = self._claim(connection, self.key, moment)
                if is_ours:
                    self._receive_part(connection, moment)
                if is_ours and self.key is not None:
                    self._store_record(connection, self.key, moment)
        except Problem as problem:
            # Nothing was begun, so it is known that nothing of this part is stored.
            if began or not self.done or problem.code != "unavailable":
                raise
            return False
        if not is_ours:
            self._wait_for_others()
        return True

    def _claim(self, connection: Connection, key: str, moment: int) -> bool:
        """Locks the record of the batch; false if another request has stored results since we looked."""
        found = claim_batch(connection, self.publisher.id, key, self.body.fingerprint, moment)
        if isinstance(found, Progress) and found.done == self.done:
            return True
        self._take_over(found)
        return False

    def _receive_part(self, connection: Connection, moment: int) -> None:
        outcomes: list[Outcome | Problem] = []
        end = time.monotonic() + PART_SECONDS
        with publish_transaction(connection, moment) as transaction:
            receiver = BatchReceiver(transaction, self.publisher, [sent for _, sent in self.pending])
            for _, sent in self.pending:
                if self.dry_run:
                    self.rehearsal.repeat(receiver, sent)
                outcomes.append(receiver.receive(sent))
                if time.monotonic() > end or transaction.buffer.has_many_names():
                    break
        if self.dry_run:
            self.rehearsal.end_part([sent for _, sent in self.pending][: len(outcomes)], outcomes)
        self._add_results(outcomes)

    def _add_results(self, outcomes: Sequence[Outcome | Problem]) -> None:
        """Adds the results of the first pending articles, and makes the answer if they are the last of the batch."""
        documents, length = [self.results] if self.results else [], len(self.results)
        for outcome in outcomes:
            index, _ = self.pending.popleft()
            documents.append(dump_json(result_document(index, outcome, self.base_url, brief=length > LONG_ANSWER)))
            length += len(documents[-1])
        self.results = b",".join(documents)
        self.done += len(outcomes)
        if self.done == self.body.count:
            self.answer = Answer(200, {}, join_results(self.results))

    def _store_record(self, connection: Connection, key: str, moment: int) -> None:
        if self.answer is not None:
            store_answer(connection, self.publisher.id, key, self.answer)
            return
        will_stop = self.budget.is_spent() and not self.pending
        progress = Progress(self.done, self.results, self.worker, 0 if will_stop else moment)
        store_progress(connection, self.publisher.id, key, progress)

    def _unreached(self) -> bytes:
        """The results of the articles that were not reached."""
        problem = Problem("unavailable", UNREACHED)
        numbers = range(self.done, self.body.count)
        return b",".join(dump_json(result_document(index, problem, self.base_url)) for index in numbers)


class Rehearsal:
    """The last article of each external_id that a dry run has accepted in earlier parts.

    Each part of a dry run is rolled back, so a later article with the same external_id is judged after this one. All
    earlier ones would make the work grow with the square of their number, with the write lock held.
    """

    def __init__(self) -> None:
        self.accepted: dict[str, PreparedArticle | Kill] = {}
        self.repeated: set[str] = set()
        self.length = 0

    def repeat(self, receiver: BatchReceiver, sent: Sent) -> None:
        """Receives the earlier article with the external_id of this one again, once in each part."""
        external_id = external_id_of(sent)
        if external_id is not None and external_id not in self.repeated:
            self.repeated.add(external_id)
            if (earlier := self.accepted.get(external_id)) is not None:
                receiver.receive(earlier)

    def end_part(self, batch: Sequence[Sent], outcomes: Sequence[Outcome | Problem]) -> None:
        self.repeated.clear()
        for sent, outcome in zip(batch, outcomes, strict=True):
            external_id = external_id_of(sent)
            if isinstance(sent, Problem) or isinstance(outcome, Problem) or external_id is None:
                continue
            self.length += len(sent.source) if isinstance(sent, PreparedArticle) else 0
            if self.length <= DRY_RUN_LENGTH:
                self.accepted[external_id] = sent


def external_id_of(sent: Sent) -> str | None:
    if isinstance(sent, Problem):
        return None
    return sent.external_id if isinstance(sent, Kill) else sent.draft.external_id


def load_item(item: Any, publisher: Publisher) -> Draft | Kill | Problem:
    """The draft or the kill in an item, or the `Problem` of an invalid one."""
    if isinstance(item, Problem):
        return item
    try:
        return load_sent(item, publisher)
    except Problem as problem:
        return problem


def join_results(*results: bytes) -> bytes:
    """The answer to a batch, of results in JSON."""
    return b'{"results":[%s]}' % b",".join(part for part in results if part)


def result_document(index: int, outcome: Outcome | Problem, base_url: str, *, brief: bool = False) -> dict[str, Any]:
    """The result of one article in the answer to a batch; a `brief` problem shows only its first fault."""
    if isinstance(outcome, Problem):
        problem = embed_problem(outcome, base_url)
        if brief:
            problem["errors"] = [fault.as_dict() for fault in outcome.errors[:1]]
        return {"index": index, "status": outcome.status, "id": outcome.members.get("article_id"), "version": None,
                "problem": problem}  # fmt: skip
    held = outcome.held
    return {"index": index, "status": success_status(outcome), "id": held.id, "version": held.version, "problem": None}
