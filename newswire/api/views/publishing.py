"""Publishing: POST, PUT, PATCH and DELETE of one article.

Every call is one transaction (`publishing`): who publishes, an Idempotency-Key, the work,
the log, the answer. A dry run is the same transaction, rolled back.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from flask import Request, Response
from sqlalchemy import Connection

from newswire.api.auth import check_external_id, named_publisher, own_publisher, publisher_of_article
from newswire.api.context import RequestContext
from newswire.api.request.bodies import ARTICLE_TYPES, MARKDOWN_TYPES, MERGE_TYPES, NINJS_TYPES, read_body
from newswire.api.request.conditional import article_tag, idempotency_key, if_match
from newswire.article import Held, Publisher, Status, canceled
from newswire.document import linked, unlinked
from newswire.errors import invalid
from newswire.formats.markdown.read import parsed_markdown
from newswire.formats.ninjs.read import Ninjs, is_ninjs, read_ninjs
from newswire.formats.strict_json import ARTICLE_BYTES, parsed_json
from newswire.publishing import idempotency
from newswire.publishing.draft import Kill, apply_merge_patch
from newswire.publishing.receive import Condition, Outcome, Reception
from newswire.schemas.article import load_draft, load_sent
from newswire.store import articles
from newswire.timestamps import now

Work = Callable[[Connection, Reception], idempotency.Answer]


def create_article(context: RequestContext) -> Response:
    """Publish an article

    JSON, or Markdown whose first line is the headline. With `Idempotency-Key` a repeat gets the first
    answer again; a repeated `external_id` is refused (use PUT to update). ninjs, also as a Superdesk pushes
    it, is created, updated or, when it is canceled, killed by its `uri` or `guid`.
    """
    publisher = own_publisher(context.caller)
    body = read_body(context.request, ARTICLE_TYPES, ARTICLE_BYTES, context.signed_body)
    content = content_of(context.request, body)
    sent = load_sent(content, publisher)

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        if isinstance(sent, Kill):
            return stored(reception, reception.kill_by_external_id(publisher, sent.external_id or "", sent.note))
        if isinstance(content, Ninjs):
            return stored(reception, reception.upsert(publisher, sent.external_id or "", sent))
        return stored(reception, reception.create(publisher, sent))

    return publishing(context, publisher, body, work)


def put_external(context: RequestContext, publisher: str, external_id: str) -> Response:
    """Create or update an article by the publisher's own id

    Sending the same content again stores nothing. `If-None-Match: *` only creates.
    """
    sender = named_publisher(context.database, context.caller, publisher)
    check_external_id(external_id)
    condition = if_match(context.request, required=False)
    body = read_body(context.request, ARTICLE_TYPES, ARTICLE_BYTES)
    sent = load_sent(content_of(context.request, body), sender, named=True)
    if sent.external_id not in (None, external_id):
        raise invalid("/external_id", "contradiction", "Must be the external_id in the address, or be left out.")

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        if isinstance(sent, Kill):
            return killed(reception, sender, external_id, sent.note, condition)
        return stored(reception, reception.upsert(sender, external_id, sent, condition))

    return publishing(context, sender, body, work)


def replace_article(context: RequestContext, article_id: str) -> Response:
    """Replace an article: a new version with all its content

    What is left out is gone, but for `published_at`. `If-Match` names the version that you have seen; the
    same content again stores nothing.
    """
    condition = if_match(context.request, required=True)
    body = read_body(context.request, ARTICLE_TYPES, ARTICLE_BYTES)
    sender = publisher_of_article(context.database, context.caller, article_id)
    sent = load_sent(content_of(context.request, body), sender, named=True)

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        held = held_article(connection, article_id)
        if isinstance(sent, Kill):
            return stored(reception, reception.kill(held, sender, sent.note, condition))
        return stored(reception, reception.replace(held, sender, sent, condition))

    return publishing(context, sender, body, work)


def patch_article(context: RequestContext, article_id: str) -> Response:
    """Change parts of an article: JSON merge-patch (RFC 7396) on the article as it was sent

    Null removes a field, an array replaces the whole array, and naming one body replaces whichever was there.
    """
    condition = if_match(context.request, required=True)
    body = read_body(context.request, MERGE_TYPES, ARTICLE_BYTES)
    patch = parsed_json(body)
    if not isinstance(patch, dict):
        raise invalid("", "invalid_type", "A merge-patch of an article must be an object.")
    sender = publisher_of_article(context.database, context.caller, article_id)

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        held = held_article(connection, article_id)
        if held.status is Status.CANCELED:
            raise canceled(held)
        condition(held)
        source = articles.current_version(connection, held.number, held.version).source
        draft = load_draft(apply_merge_patch(source, patch), sender)
        return stored(reception, reception.replace(held, sender, draft, condition))

    return publishing(context, sender, body, work)


def kill_article(context: RequestContext, article_id: str) -> Response:
    """Kill an article, for good: readers are told, its content is gone

    What remains is a tombstone. Nothing can be published under its id again; killing twice is harmless.
    """
    condition = if_match(context.request, required=False)
    sender = publisher_of_article(context.database, context.caller, article_id)

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        held = held_article(connection, article_id)
        return stored(reception, reception.kill(held, sender, context.parameters.get("reason"), condition))

    return publishing(context, sender, b"", work)


def kill_external(context: RequestContext, publisher: str, external_id: str) -> Response:
    """Kill an article by the publisher's own id

    One that never came is remembered, and stays dead when it comes.
    """
    condition = if_match(context.request, required=False)
    sender = named_publisher(context.database, context.caller, publisher)
    check_external_id(external_id)

    def work(connection: Connection, reception: Reception) -> idempotency.Answer:
        return killed(reception, sender, external_id, context.parameters.get("reason"), condition)

    return publishing(context, sender, b"", work)


def killed(
    reception: Reception, sender: Publisher, external_id: str, note: str | None, condition: Condition
) -> idempotency.Answer:
    """A kill by the publisher's own id; what is dead already is so under any condition."""
    held = articles.lock_by_external_id(reception.connection, sender.id, external_id)
    if held is None or held.status is not Status.CANCELED:
        condition(held)
    return stored(reception, reception.kill_by_external_id(sender, external_id, note))


def publishing(context: RequestContext, publisher: Publisher, body: bytes, work: Work) -> Response:
    """One publishing transaction and its answer."""
    dry = context.parameters["dry_run"] == "true"
    given = idempotency_key(context.request)
    key = None if dry else given
    moment = now()
    with context.database.begin(keep=not dry) as connection:
        earlier = None
        if key is not None:
            earlier = idempotency.claim(connection, publisher.id, key, fingerprint(context.request, body), moment)
        answer = earlier or work(connection, Reception(connection, moment))
        if key is not None and earlier is None:
            idempotency.complete(connection, publisher.id, key, answer)
    response = answered(answer, context.base_url, dry=dry)
    if earlier is not None:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def answered(answer: idempotency.Answer, base: str, *, dry: bool) -> Response:
    """An answer with our addresses in it; of what a dry run only tried there is no address and no ETag."""
    article = answer.facts.get("article")
    body = answer.body if article is None else linked(answer.body, article, base)
    if warnings := answer.facts.get("warnings"):
        body = body[:-1] + b',"warnings":' + orjson.dumps(warnings) + b"}"
    response = Response(body, 200 if dry else answer.status, content_type="application/json")
    if article is not None and not dry:
        response.headers["ETag"] = f'"{answer.facts["tag"]}"'
        if answer.status == 201:
            response.headers["Location"] = f"{base}/v1/articles/{article}"
    return response


def stored(reception: Reception, outcome: Outcome) -> idempotency.Answer:
    """Closes the transaction's log and answers with the article, or what remains of it."""
    reception.close()
    held, version = outcome.held, outcome.version
    article = unlinked(version, held.seq, held.status)
    tag = article_tag(held.id, held.version, held.status)
    facts = {"article": held.id, "tag": tag, "warnings": list(outcome.warnings)}
    created = outcome.created and held.status is not Status.CANCELED
    return idempotency.Answer(201 if created else 200, facts, article)


def content_of(request: Request, body: bytes) -> Any:
    """What is in a request body: an article as sent in JSON or Markdown, or ninjs, whose type may be plain JSON."""
    if request.mimetype in MARKDOWN_TYPES:
        return parsed_markdown(body)
    content = parsed_json(body)
    if isinstance(content, dict) and (request.mimetype in NINJS_TYPES or is_ninjs(content)):
        return read_ninjs(content)
    return content


def held_article(connection: Connection, article_id: str) -> Held:
    held = articles.lock_by_id(connection, article_id)
    assert held is not None, "articles are never deleted"
    return held


def fingerprint(request: Request, body: bytes) -> str:
    """What makes two requests the same: method, address, type and body."""
    head = f"{request.method} {request.full_path} {request.mimetype}\n"
    return hashlib.sha256(head.encode("utf-8", "backslashreplace") + body).hexdigest()
