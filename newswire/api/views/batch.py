"""Publishing up to a thousand articles at once: one transaction, one result for each line."""

import io
from typing import Any

from flask import Request, Response
from sqlalchemy import Connection

from newswire.api.auth import own_publisher
from newswire.api.context import RequestContext
from newswire.api.problems import dump_json, embed_problem
from newswire.api.request.bodies import BATCH_BYTES, JSON_TYPES, MOST_ARTICLES, read_body, too_large
from newswire.api.views.publishing import publishing
from newswire.article import Draft, Publisher, Status
from newswire.errors import Problem
from newswire.formats.strict_json import ARTICLE_BYTES, parsed_items, parsed_json
from newswire.publishing import idempotency
from newswire.publishing.draft import Kill
from newswire.publishing.receive import Outcome, Reception
from newswire.schemas.article import load_sent
from newswire.store import articles

NDJSON_TYPES = ("application/x-ndjson",)


def create_batch(context: RequestContext) -> Response:
    """Publish up to 1,000 articles

    NDJSON, or a JSON array. Articles with an `external_id` are created or updated by it. Every line has
    a result of its own; a bad one harms no other.
    """
    publisher = own_publisher(context.caller)
    body = read_body(context.request, (*NDJSON_TYPES, *JSON_TYPES), BATCH_BYTES)
    drafts = [draft_or_problem(item, publisher) for item in items(context.request, body)]

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        articles.lock_publisher(connection, publisher.id)
        named = {draft.external_id for draft in drafts if isinstance(draft, Draft) and draft.external_id is not None}
        new = named - articles.versions_of(connection, publisher.id, named).keys()
        outcomes = [received_one(reception, publisher, draft, new) for draft in drafts]
        reception.close()
        results = [result(index, outcome, context.base_url) for index, outcome in enumerate(outcomes)]
        return idempotency.Answer(200, {}, dump_json({"results": results}))

    return publishing(context, publisher, body, work)


def items(request: Request, body: bytes) -> list[Any]:
    """The articles of a batch, parsed; a line that is not JSON is its `Problem`."""
    if request.mimetype not in NDJSON_TYPES:
        return parsed_items(body, MOST_ARTICLES, ARTICLE_BYTES)
    found: list[Any] = []
    for line in io.BytesIO(body):
        if not line.strip():
            continue
        if len(found) == MOST_ARTICLES:
            raise Problem("too_large", f"A batch must have at most {MOST_ARTICLES:,} articles.")
        found.append(parsed_or_problem(line))
    return found


def parsed_or_problem(line: bytes) -> Any:
    if len(line) > ARTICLE_BYTES:
        return too_large(ARTICLE_BYTES)
    try:
        return parsed_json(line)
    except Problem as problem:
        return problem


def draft_or_problem(item: Any, publisher: Publisher) -> Draft | Kill | Problem:
    if isinstance(item, Problem):
        return item
    try:
        return load_sent(item, publisher)
    except Problem as problem:
        return problem


def received_one(
    reception: Reception, publisher: Publisher, draft: Draft | Kill | Problem, new: set[str]
) -> Outcome | Problem:
    """Receives one article; `new` are the ids of those that were not there a moment ago.

    A refusal comes before anything of the article is written.
    """
    if isinstance(draft, Problem):
        return draft
    try:
        if isinstance(draft, Kill):
            return reception.kill_by_external_id(publisher, draft.external_id or "", draft.note)
        if draft.external_id is None:
            return reception.create(publisher, draft)
        return reception.upsert(publisher, draft.external_id, draft, new=draft.external_id in new)
    except Problem as problem:
        return problem


def result(index: int, outcome: Outcome | Problem, base_url: str) -> dict[str, Any]:
    if isinstance(outcome, Problem):
        return {"index": index, "status": outcome.status, "id": outcome.members.get("article_id"), "version": None,
                "problem": embed_problem(outcome, base_url)}  # fmt: skip
    status = 201 if outcome.created and outcome.held.status is not Status.CANCELED else 200
    return {"index": index, "status": status, "id": outcome.held.id, "version": outcome.held.version, "problem": None}
