"""One interface for every way of reading the wire: each reads from a position to the head."""

import json
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from tests.support.wire import Caller

EVENTS = {"Accept": "text/event-stream"}
LINES = {"Accept": "application/x-ndjson"}


class Event(NamedTuple):
    """One block of an event stream: `data` None is no event, only a position or a comment."""

    id: str | None
    type: str | None
    data: Any
    comment: bool


def page(caller: Caller, query: str, after: int, head: int) -> tuple[list[dict[str, Any]], int]:
    """Small pages, one after the other."""
    return paged(caller, f"{query}&limit=3", after)


def long_poll(caller: Caller, query: str, after: int, head: int) -> tuple[list[dict[str, Any]], int]:
    """Pages that wait; nobody waits while there is something."""
    found: list[dict[str, Any]] = []
    while after < head:
        got = answered(caller, f"after={after}&wait=1{query}")
        found += got["data"]
        after = got["page"]["next_after"]
    return found, after


def event_stream(caller: Caller, query: str, after: int, head: int) -> tuple[list[dict[str, Any]], int]:
    """Server-Sent Events, the connection cut after every second event and taken up with Last-Event-ID."""
    found: list[dict[str, Any]] = []
    wire_id = answered(caller, "limit=1")["wire"]
    while after < head:
        cut = len(found) + 2
        for event in events(caller, query, {"Last-Event-ID": f"{wire_id}:{after}"}):
            if event.id is not None:
                after = int(event.id.split(":")[1])
            if event.data is not None:
                assert (event.type, after) == (event.data["type"], event.data["seq"])
                found.append(event.data)
            if after >= head or len(found) == cut:
                break
    return found, after


def ndjson(caller: Caller, query: str, after: int, head: int) -> tuple[list[dict[str, Any]], int]:
    """Everything in one answer, whose last line says that it was everything."""
    response = caller.get(f"/v1/changes?after={after}{query}", headers=LINES)
    assert response.content_type == "application/x-ndjson"
    *found, last = [json.loads(line) for line in response.text.splitlines()]
    assert (set(last), last["next_after"]) == ({"next_after", "next_chain", "head"}, last["head"])
    assert last["head"] >= head
    return found, last["head"]


def consumer(caller: Caller, query: str, after: int, head: int) -> tuple[list[dict[str, Any]], int]:
    """Pages from a stored position, acknowledged one by one; each is read twice, as after a crash."""
    found: list[dict[str, Any]] = []
    acknowledge(caller, after)
    while True:
        got = answered(caller, f"consumer=desk&limit=2{query}")
        assert answered(caller, f"consumer=desk&limit=2{query}") == got
        found += got["data"]
        acknowledge(caller, got["page"]["next_after"])
        if not got["page"]["has_more"]:
            return found, got["page"]["next_after"]


Way = Callable[[Caller, str, int, int], tuple[list[dict[str, Any]], int]]
WAYS: dict[str, Way] = {
    "page": page, "long poll": long_poll, "event stream": event_stream, "ndjson": ndjson, "consumer": consumer,
}  # fmt: skip


def answered(caller: Caller, query: str) -> Any:
    response = caller.get(f"/v1/changes?{query}")
    assert response.status_code == 200, response.text
    return response.get_json()


def paged(caller: Caller, query: str, after: int) -> tuple[list[dict[str, Any]], int]:
    found: list[dict[str, Any]] = []
    while True:
        got = answered(caller, f"after={after}{query}")
        found += got["data"]
        after = got["page"]["next_after"]
        if not got["page"]["has_more"]:
            return found, after


def acknowledge(caller: Caller, after: int) -> None:
    response = caller.put("/v1/consumers/desk", json={"after": after})
    assert response.status_code == 200, response.text


def events(caller: Caller, query: str, headers: dict[str, str] | None = None) -> Generator[Event, None, None]:
    """The blocks of an event stream as they come; leaving off closes the connection."""
    response = caller.get(f"/v1/changes?_={query}", headers={**EVENTS, **(headers or {})})
    assert response.status_code == 200, response.text
    assert response.content_type == "text/event-stream"
    rest = b""
    try:
        for chunk in response.iter_encoded():
            *blocks, rest = (rest + chunk).split(b"\n\n")
            yield from map(parsed, blocks)
    finally:
        response.close()


def parsed(block: bytes) -> Event:
    """One block, understood as HTML (9.2.6) says."""
    values: dict[str, str] = {}
    comment = False
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        comment = comment or not name
        values[name] = value.removeprefix(" ")
    data = values.get("data")
    return Event(values.get("id"), values.get("event"), None if data is None else json.loads(data), comment)
