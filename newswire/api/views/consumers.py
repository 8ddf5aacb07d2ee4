"""Views of named consumers, the positions in the wire that readers store on the server."""

import re
from typing import Any

from flask import Response

from newswire import wire
from newswire.api.auth import party_of_key
from newswire.api.context import RequestContext
from newswire.api.request.bodies import load_json_body
from newswire.api.responses import json_response
from newswire.api.schemas.changes import CONSUMER, ConsumerSchema
from newswire.api.schemas.filters import invalid_parameter
from newswire.changes import consumers
from newswire.changes.consumers import Consumer
from newswire.changes.positions import LogPosition
from newswire.timestamps import format_instant, now

BODY_BYTES = 10_000
NAME = re.compile(CONSUMER)
SCHEMA = ConsumerSchema()


def list_consumers(context: RequestContext) -> Response:
    """Your consumers: where each stands, and how far behind the head

    All keys of a publisher or a partner share them.
    """
    with context.database.read() as connection:
        found, head = consumers.consumers_of(connection, context.caller.party), wire.read_head(connection).seq
    return json_response(context, {"data": [consumer_document(consumer, head) for consumer in found]})


def read_consumer(context: RequestContext, name: str) -> Response:
    """One consumer

    `lag` counts all entries behind its position, also those that are not yours.
    """
    check_name(name)
    with context.database.read() as connection:
        found, head = consumers.find_consumer(connection, context.caller.party, name), wire.read_head(connection).seq
    return json_response(context, consumer_document(found, head))


def put_consumer(context: RequestContext, name: str) -> Response:
    """Store how far a consumer has read

    Makes it when it is new. `GET /v1/changes?consumer=NAME` continues behind this position and does not move
    it: store it again once you have saved what came. With `chain`, the chain value that came with that entry, it is
    refused where this wire has lost what you have read.
    """
    check_name(name)
    party = party_of_key(context.caller, "A consumer")
    sent = load_json_body(context.request, SCHEMA, BODY_BYTES)
    position = LogPosition(sent["after"], sent.get("chain"))
    with context.begin() as connection:
        stored = consumers.store_position(connection, party, name, position, now())
        head = wire.read_head(connection).seq
    return json_response(context, consumer_document(stored, head))


def delete_consumer(context: RequestContext, name: str) -> Response:
    """Forget a consumer

    Its position is gone; the wire stays as it is.
    """
    check_name(name)
    party = party_of_key(context.caller, "A consumer")
    with context.begin() as connection:
        consumers.forget_consumer(connection, party, name)
    return Response(status=204)


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise invalid_parameter("name", "Must have 1 to 100 small letters, digits, dots, hyphens and underscores.")


def consumer_document(consumer: Consumer, head: int) -> dict[str, Any]:
    """A consumer as served; `lag` is the number of entries between its position and the head."""
    return {
        "name": consumer.name,
        "after": consumer.after,
        "chain": consumer.chain,
        "lag": head - consumer.after,
        "updated_at": format_instant(consumer.updated_at),
    }
