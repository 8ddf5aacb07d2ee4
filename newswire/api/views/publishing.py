"""Views that publish: POST, PUT, PATCH and DELETE of one article. Those of many articles are in `batch`.

Each view has the same steps: find the publisher and read the body; build and prepare the draft, which takes nearly all
of the processor time and no lock; receive it in the transaction that `publishing_request` opens, which writes the log
and makes the response. A dry run is the same, rolled back.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Request, Response

from newswire.api.auth import check_external_id, find_own_article, named_publisher, publisher_of_key
from newswire.api.context import RequestContext
from newswire.api.request.bodies import ARTICLE_TYPES, MERGE_TYPES, read_body
from newswire.api.request.conditional import article_tag, idempotency_key, if_match
from newswire.article import ArticleState, Draft, Publisher, Status, article_canceled_problem
from newswire.document import add_links, splice_without_links, unpack_source
from newswire.errors import Problem, invalid_at
from newswire.formats import READERS
from newswire.formats.ninjs.read import Ninjs, is_ninjs, read_ninjs
from newswire.formats.strict_json import ARTICLE_BYTES, parse_json
from newswire.publishing.draft import Kill, apply_merge_patch
from newswire.publishing.idempotency import Answer, claim_key, store_answer
from newswire.publishing.prepare import PreparedArticle, prepare_article
from newswire.publishing.receive import Condition, Outcome, PublishTransaction, publish_transaction
from newswire.schemas.article import load_draft, load_sent
from newswire.store import articles
from newswire.store.database import Database
from newswire.timestamps import now

PROCESSOR_SECONDS = 10.0
"""Processor time that reading and preparing the articles of one request may take."""
MOST_PATCHES = 5
"""How often a patch is made anew because the article was changed before it could be stored."""


class ProcessorBudget:
    """The processor time of this thread since the budget was made, and its limit, `PROCESSOR_SECONDS`."""

    def __init__(self) -> None:
        self.end = time.thread_time() + PROCESSOR_SECONDS

    def is_spent(self) -> bool:
        return time.thread_time() > self.end

    def check(self) -> None:
        """Raises `too_large` if the budget is spent."""
        if self.is_spent():
            detail = f"The article takes more than {PROCESSOR_SECONDS:.0f} seconds to process; send a simpler one."
            raise Problem("too_large", detail)


def create_article(context: RequestContext) -> Response:
    """Publish an article

    JSON, or Markdown whose first line is the headline. With `Idempotency-Key` a repeat gets the first
    answer again; a repeated `external_id` is refused (use PUT to update). ninjs, also as a Superdesk pushes
    it, is created, updated or, when it is canceled, killed by its `uri` or `guid`.
    """
    budget, publisher = ProcessorBudget(), publisher_of_key(context.caller)
    body = read_body(context.request, ARTICLE_TYPES, ARTICLE_BYTES, context.signed_body)
    content = parse_article_body(context.request, body)
    sent = prepare_sent(load_sent(content, publisher), publisher)
    budget.check()
    with publishing_request(context, publisher, body) as publishing:
        if (transaction := publishing.transaction) is not None:
            if isinstance(sent, Kill):
                publishing.outcome = transaction.kill_by_external_id(publisher, sent.external_id or "", sent.note)
            elif isinstance(content, Ninjs):
                publishing.outcome = transaction.upsert(publisher, sent.draft.external_id or "", sent)
            else:
                publishing.outcome = transaction.create(publisher, sent)
    return publishing.response()


def put_external(context: RequestContext, publisher: str, external_id: str) -> Response:
    """Create or update an article by the publisher's own id

    Sending the same content again stores nothing. `If-None-Match: *` only creates.
    """
    sender = named_publisher(context.database, context.caller, publisher)
    check_external_id(external_id)
    condition, budget = if_match(context.request, required=False), ProcessorBudget()
    body = read_body(context.request, ARTICLE_TYPES, ARTICLE_BYTES)
    loaded = load_sent(parse_article_body(context.request, body), sender, named=True)
    if loaded.external_id not in (None, external_id):
        raise invalid_at("/external_id", "contradiction", "external_id must be that of the address, or be left out.")
    sent = prepare_sent(loaded, sender, external_id)
    budget.check()
    with publishing_request(context, sender, body) as publishing:
        if (transaction := publishing.transaction) is not None:
            if isinstance(sent, Kill):
                publishing.outcome = transaction.kill_by_external_id(sender, external_id, sent.note, condition)
            else:
                publishing.outcome = transaction.upsert(sender, external_id, sent, condition)
    return publishing.response()


def replace_article(context: RequestContext, article_id: str) -> Response:
    """Replace an article: a new version with all its content

    What is left out is gone, but for `published_at`. `If-Match` names the version that you have seen; the
    same content again stores nothing.
    """
    condition, budget = if_match(context.request, required=True), ProcessorBudget()
    body = read_body(context.request, ARTICLE_TYPES, ARTICLE_BYTES)
    sender, seen = find_own_article(context.database, context.caller, article_id)
    loaded = load_sent(parse_article_body(context.request, body), sender, named=True)
    sent = prepare_sent(loaded, sender, seen.external_id)
    budget.check()
    with publishing_request(context, sender, body) as publishing:
        if (transaction := publishing.transaction) is not None:
            stored = transaction.lock_article(article_id)
            if isinstance(sent, Kill):
                publishing.outcome = transaction.kill(stored, sender, sent.note, condition)
            else:
                publishing.outcome = transaction.replace(stored, sender, sent, condition)
    return publishing.response()


def patch_article(context: RequestContext, article_id: str) -> Response:
    """Change parts of an article: JSON merge-patch (RFC 7396) on the article as it was sent

    Null removes a field, an array replaces the whole array, and naming one body replaces whichever was there.
    """
    condition = if_match(context.request, required=True)
    body = read_body(context.request, MERGE_TYPES, ARTICLE_BYTES)
    patch = parse_json(body)
    if not isinstance(patch, dict):
        raise invalid_at("", "invalid_type", "A merge-patch of an article must be an object.")
    budget = ProcessorBudget()
    for _ in range(MOST_PATCHES):
        sender, seen = find_own_article(context.database, context.caller, article_id)
        sent = prepare_patch(context.database, sender, seen, patch, condition)
        budget.check()
        with suppress(PatchOutdated):
            with publishing_request(context, sender, body) as publishing:
                if (transaction := publishing.transaction) is not None:
                    publishing.outcome = store_patch(transaction, sender, seen, sent, condition)
            return publishing.response()
    detail = "The article was changed again and again while it was being patched; try again."
    raise Problem("unavailable", detail, headers={"Retry-After": "1"})


def patch_external(context: RequestContext, publisher: str, external_id: str) -> Response:
    """Change parts of an article by the publisher's own id: JSON merge-patch (RFC 7396)

    As `PATCH /v1/articles/{id}`, with the same ETag in `If-Match`.
    """
    sender = named_publisher(context.database, context.caller, publisher)
    check_external_id(external_id)
    with context.database.read() as connection:
        article_id = articles.find_id_by_external_id(connection, sender.slug, external_id)
    if article_id is None:
        raise Problem("not_found", "There is no such article, or it is not yours.")
    return patch_article(context, article_id)


def kill_article(context: RequestContext, article_id: str) -> Response:
    """Kill an article, for good: readers are told, its content is gone

    What remains is a tombstone. Nothing can be published under its id again; killing twice is harmless.
    """
    condition = if_match(context.request, required=False)
    sender, _ = find_own_article(context.database, context.caller, article_id)
    with publishing_request(context, sender, b"") as publishing:
        if (transaction := publishing.transaction) is not None:
            stored = transaction.lock_article(article_id)
            publishing.outcome = transaction.kill(stored, sender, context.parameters.get("reason"), condition)
    return publishing.response()


def kill_external(context: RequestContext, publisher: str, external_id: str) -> Response:
    """Kill an article by the publisher's own id

    An id that is not known yet is remembered: an article that comes with it later is refused.
    """
    condition = if_match(context.request, required=False)
    sender = named_publisher(context.database, context.caller, publisher)
    check_external_id(external_id)
    with publishing_request(context, sender, b"") as publishing:
        if (transaction := publishing.transaction) is not None:
            reason = context.parameters.get("reason")
            publishing.outcome = transaction.kill_by_external_id(sender, external_id, reason, condition)
    return publishing.response()


def prepare_sent(sent: Draft | Kill, publisher: Publisher, external_id: str | None = None) -> PreparedArticle | Kill:
    return sent if isinstance(sent, Kill) else prepare_article(sent, publisher, external_id)


def store_patch(
    transaction: PublishTransaction, sender: Publisher, seen: ArticleState, sent: PreparedArticle | Problem,
    condition: Condition,
) -> Outcome:  # fmt: skip
    """Stores a patched article; raises `PatchOutdated` if `seen` is not the current version any more."""
    stored = transaction.lock_article(seen.id)
    if stored.status is Status.CANCELED:
        raise article_canceled_problem(stored)
    # If-Match is checked first: a patch for another version may fail in misleading ways.
    condition(stored)
    if stored.version != seen.version:
        raise PatchOutdated
    if isinstance(sent, Problem):
        raise sent
    return transaction.replace(stored, sender, sent)


class PatchOutdated(Exception):
    """A patch was made from a version of the article that is no longer the current one."""


def prepare_patch(
    database: Database, publisher: Publisher, seen: ArticleState, patch: dict[str, Any], condition: Condition
) -> PreparedArticle | Problem:
    """The patched article, prepared, or the `Problem` that refuses it, before the article is locked.

    The problem is raised only when the lock is held: by then another request may have changed the article, or this one
    turn out to be a repeat, which gets its answer again.
    """
    try:
        if seen.status is Status.CANCELED:
            return article_canceled_problem(seen)
        condition(seen)
        with database.read() as connection:
            stored = articles.current_version(connection, seen.number, seen.version)
        source = unpack_source(stored.source, stored.rendered, stored.body)
        return prepare_article(load_draft(apply_merge_patch(source, patch), publisher), publisher, seen.external_id)
    except Problem as problem:
        return problem


@dataclass
class PublishingRequest:
    """A publishing request in its database transaction.

    `transaction` is None if the request repeats an earlier one (Idempotency-Key), whose `answer` is sent again.
    Otherwise the view receives articles in it and sets the `outcome` of one, or the `answer` if there are many.
    """

    base_url: str
    dry_run: bool
    transaction: PublishTransaction | None = None
    outcome: Outcome | None = None
    answer: Answer | None = None

    def response(self) -> Response:
        """The response, with our own URLs; that of a dry run has no Location and no ETag, as nothing was stored."""
        assert self.answer is not None, "the view sets it or the outcome"
        article, base = self.answer.facts.get("article"), self.base_url
        body = self.answer.body if article is None else add_links(self.answer.body, article, base)
        if warnings := self.answer.facts.get("warnings"):
            body = body[:-1] + b',"warnings":' + orjson.dumps(warnings) + b"}"
        response = Response(body, 200 if self.dry_run else self.answer.status, content_type="application/json")
        if article is not None and not self.dry_run:
            response.headers["ETag"] = f'"{self.answer.facts["tag"]}"'
            if self.answer.status == 201:
                response.headers["Location"] = f"{base}/v1/articles/{article}"
        if self.transaction is None:
            response.headers["Idempotent-Replayed"] = "true"
        return response


@contextmanager
def publishing_request(context: RequestContext, publisher: Publisher, body: bytes) -> Iterator[PublishingRequest]:
    """The database transaction of a publishing request, with its Idempotency-Key and its log.

    The key is claimed before the block. When the block ends, the log is written; then the answer is made of the
    outcome, whose sequence number exists only now, and stored with the key before the commit. A dry run stores no
    answer and is rolled back.
    """
    dry_run, key, moment = context.parameters["dry_run"] == "true", idempotency_key(context.request), now()
    publishing = PublishingRequest(context.base_url, dry_run)
    with context.begin(keep=not dry_run) as connection:
        if key is not None and not dry_run:
            fingerprint = request_fingerprint(context.request, body)
            publishing.answer = claim_key(connection, publisher.id, key, fingerprint, moment)
        if publishing.answer is not None:
            yield publishing
            return
        with publish_transaction(connection, moment) as publishing.transaction:
            yield publishing
        if publishing.outcome is not None:
            publishing.answer = article_answer(publishing.outcome)
        if key is not None and not dry_run:
            assert publishing.answer is not None, "the view sets it or the outcome"
            store_answer(connection, publisher.id, key, publishing.answer)


def request_fingerprint(request: Request, body: bytes) -> str:
    """The hash by which a repeat of a request is recognised: SHA-256 of method, URL, media type and body."""
    fingerprint = begin_fingerprint(request)
    fingerprint.update(body)
    return str(fingerprint.hexdigest())


def begin_fingerprint(request: Request) -> Any:
    """The hash of `request_fingerprint`, to be updated with the body."""
    head = f"{request.method} {request.full_path} {request.mimetype}\n"
    return hashlib.sha256(head.encode("utf-8", "backslashreplace"))


def article_answer(outcome: Outcome) -> Answer:
    """The answer with the article or its tombstone; to be made once the log is written."""
    stored, version = outcome.held, outcome.version
    article = splice_without_links(version, stored.seq, stored.status)
    tag = article_tag(stored.id, stored.version, stored.status)
    facts = {"article": stored.id, "tag": tag, "warnings": list(outcome.warnings)}
    return Answer(success_status(outcome), facts, article)


def success_status(outcome: Outcome) -> int:
    """201 for a new article, 200 for a new version, for unchanged content and for a kill."""
    return 201 if outcome.created and outcome.held.status is not Status.CANCELED else 200


def parse_article_body(request: Request, body: bytes) -> Any:
    """Parses an article by the media type of the request; JSON is recognised as ninjs by its members."""
    if (read := READERS.get(request.mimetype)) is not None:
        return read(body)
    content = parse_json(body)
    return read_ninjs(content) if is_ninjs(content) else content
