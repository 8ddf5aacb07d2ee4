"""The view that publishes up to 1,000 articles in one transaction, with a result for each of them."""

import io
from typing import Any

from flask import Request, Response

from newswire.api.auth import publisher_of_key
from newswire.api.context import RequestContext
from newswire.api.problems import dump_json, embed_problem
from newswire.api.request.bodies import BATCH_BYTES, JSON_TYPES, MOST_ARTICLES, read_body, too_large
from newswire.api.views.publishing import prepare_sent, publishing_request, success_status
from newswire.article import Publisher
from newswire.errors import Problem
from newswire.formats.strict_json import ARTICLE_BYTES, parse_items, parse_json
from newswire.publishing.idempotency import Answer
from newswire.publishing.receive import BatchReceiver, Outcome, Sent
from newswire.schemas.article import load_sent

NDJSON_TYPES = ("application/x-ndjson",)


def create_batch(context: RequestContext) -> Response:
    """Publish up to 1,000 articles

    NDJSON, or a JSON array. Articles with an `external_id` are created or updated by it. Every line has
    a result of its own; a bad one harms no other.
    """
    publisher = publisher_of_key(context.caller)
    body = read_body(context.request, (*NDJSON_TYPES, *JSON_TYPES), BATCH_BYTES)
    batch = [load_item(item, publisher) for item in read_items(context.request, body)]
    with publishing_request(context, publisher, body) as publishing:
        if (transaction := publishing.transaction) is not None:
            receiver = BatchReceiver(transaction, publisher, batch)
            outcomes = [receiver.receive(sent) for sent in batch]
            results = [result_document(index, outcome, context.base_url) for index, outcome in enumerate(outcomes)]
            publishing.answer = Answer(200, {}, dump_json({"results": results}))
    return publishing.response()


def read_items(request: Request, body: bytes) -> list[Any]:
    """Parses the articles of a batch; a line of NDJSON that is not JSON yields the `Problem` in its place."""
    if request.mimetype not in NDJSON_TYPES:
        return parse_items(body, MOST_ARTICLES, ARTICLE_BYTES)
    parsed: list[Any] = []
    for line in io.BytesIO(body):
        if not line.strip():
            continue
        if len(parsed) == MOST_ARTICLES:
            raise Problem("too_large", f"A batch must have at most {MOST_ARTICLES:,} articles.")
        parsed.append(parse_line(line))
    return parsed


def parse_line(line: bytes) -> Any:
    """Parses a line of NDJSON; returns the `Problem` of an invalid one, so that the other lines are still read."""
    if len(line) > ARTICLE_BYTES:
        return too_large(ARTICLE_BYTES)
    try:
        return parse_json(line)
    except Problem as problem:
        return problem


def load_item(item: Any, publisher: Publisher) -> Sent:
    """The draft or the kill in an item, or the `Problem` of an invalid one."""
    if isinstance(item, Problem):
        return item
    try:
        return prepare_sent(load_sent(item, publisher), publisher)
    except Problem as problem:
        return problem


def result_document(index: int, outcome: Outcome | Problem, base_url: str) -> dict[str, Any]:
    """The result of one article in the answer to a batch."""
    if isinstance(outcome, Problem):
        return {"index": index, "status": outcome.status, "id": outcome.members.get("article_id"), "version": None,
                "problem": embed_problem(outcome, base_url)}  # fmt: skip
    held = outcome.held
    return {"index": index, "status": success_status(outcome), "id": held.id, "version": held.version, "problem": None}
