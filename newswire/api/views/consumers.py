"""Named consumers over HTTP: a reader stores how far it has read, and continues from there."""

import re
from typing import Any

from flask import Response, g

from newswire import wire
from newswire.api.auth import unauthenticated
from newswire.api.request.bodies import loaded_json
from newswire.api.responses import json_answer
from newswire.api.schemas.changes import CONSUMER, ConsumerSchema
from newswire.api.schemas.filters import invalid
from newswire.api.state import database
from newswire.changes import consumers
from newswire.changes.consumers import Consumer
from newswire.timestamps import format_instant, now

BODY_BYTES = 10_000
NAME = re.compile(CONSUMER)
SCHEMA = ConsumerSchema()


def list_consumers(parameters: dict[str, Any]) -> Response:
    """Your consumers: where each stands, and how far behind the head

    All keys of a publisher or a partner share them.
    """
    with database().read() as connection:
        found, head = consumers.stored(connection, g.caller.party), wire.position(connection).seq
    return json_answer({"data": [shown(consumer, head) for consumer in found]})


def read_consumer(parameters: dict[str, Any], name: str) -> Response:
    """One consumer

    `lag` counts all entries behind its position, also those that are not yours.
    """
    check_name(name)
    with database().read() as connection:
        found, head = consumers.find(connection, g.caller.party, name), wire.position(connection).seq
    return json_answer(shown(found, head))


def put_consumer(parameters: dict[str, Any], name: str) -> Response:
    """Store how far a consumer has read

    Makes it when it is new. `GET /v1/changes?consumer=NAME` continues behind this position and does not move
    it: store it again when what came is safe with you.
    """
    party = own_party(name)
    after = loaded_json(SCHEMA, BODY_BYTES)["after"]
    with database().begin() as connection:
        stored = consumers.store(connection, party, name, after, now())
        head = wire.position(connection).seq
    return json_answer(shown(stored, head))


def delete_consumer(parameters: dict[str, Any], name: str) -> Response:
    """Forget a consumer

    Its position is gone; the wire stays as it is.
    """
    party = own_party(name)
    with database().begin() as connection:
        consumers.forget(connection, party, name)
    return Response(status=204)


def own_party(name: str) -> str:
    """The party whose consumer this is to be; nobody in particular has none."""
    check_name(name)
    if g.caller.kind == "public":
        raise unauthenticated("A consumer belongs to a key: send Authorization: Bearer KEY.")
    party: str = g.caller.party
    return party


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise invalid("name", "Must have 1 to 100 small letters, digits, dots, hyphens and underscores.")


def shown(consumer: Consumer, head: int) -> dict[str, Any]:
    return {
        "name": consumer.name,
        "after": consumer.after,
        "lag": head - consumer.after,
        "updated_at": format_instant(consumer.updated_at),
    }
