"""The jobs of `bench compare`, and the requests that they are for an application.

Every request but those for the latest page has a number of its own in its address, which no
application looks at: none finds the answer among those that it has kept. How each application is
asked is in `compare_doors`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any
from urllib.parse import quote

from bench.compare_load import MARK, Load
from bench.corpus import article
from bench.planting import plan
from bench.vocabulary import vocabulary

JOBS: Mapping[str, str] = {
    "latest": "latest page of 50",
    "unchanged": "the same, If-None-Match",
    "fresh": "latest page of 50, never asked before",
    "deep": "page of 50 at 90 % of the depth",
    "one": "one article with its body",
    "common": "search, a common word",
    "rare": "search, a rare word",
    "phrase": "search, a phrase",
    "changes": "100 changes with bodies",
    "busy": "latest page of 50, 50 publications a second",
    "publish": "publish one, 1 client",
    "publish 8": "publish one, 8 clients",
    "batch": "publish 100 in a batch",
}
WRITING = ("publish", "publish 8", "batch")
READING = tuple(job for job in JOBS if job not in WRITING)
BUSY, RATE = "busy", 50
"""The job beside which is published, where the application can do that, and how many articles a second."""
PAGE, TOGETHER = 50, 100
MANY, SOME = 400, 20
CLIENTS = 8
HOST = "wire.example"


@dataclass(frozen=True)
class Material:
    """What the same requests are made from for all: words to search for, and articles to publish."""

    common: Sequence[str]
    rare: Sequence[str]
    phrases: Sequence[str]
    contents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Door:
    """How one application is asked: addresses, those of a job in turn; None where it has nothing of the kind.

    `search` ends where the words begin; `tag` is the ETag of the latest page, and `unchanged` the status for
    whoever holds it.
    """

    latest: str
    deep: Sequence[str] = ()
    one: Sequence[str] = ()
    search: str | None = None
    changes: Sequence[str] = ()
    publish: str | None = None
    batch: str | None = None
    tag: str | None = None
    unchanged: int = 304
    reader: str = ""
    publisher: str = ""


def material(size: int) -> Material:
    """For a corpus of `size`: a common word is in about every tenth article, a rare one in about twenty of them.

    The words are those of the vocabulary whose rank makes them so; a phrase is how an article's headline begins.
    """
    invented = (each.content for each in (article(plan(size), index) for index in count()) if not each.real)
    plain = list(islice((each for each in invented if "body_text" in each), min(MANY, size // 4)))
    phrases = [" ".join(each["headline"].split()[:2]).lower() for each in plain]
    contents = [{name: value for name, value in each.items() if name != "published_at"} for each in plain[:SOME]]
    start = min(size * 6 // 10, len(vocabulary()) - MANY)
    return Material(
        vocabulary()[60:140], vocabulary()[start : start + MANY], [f'"{each}"' for each in phrases], contents
    )


def loads(door: Door, given: Material) -> dict[str, Load]:
    """The load of every job that the application has."""
    found = {job: Load([get(door.latest, door.reader)]) for job in ("latest", BUSY)}
    if door.tag is not None:
        held = get(door.latest, f"{door.reader}If-None-Match: {door.tag}\r\n")
        found["unchanged"] = Load([held], door.unchanged)
    found["fresh"] = asked(door, [door.latest])
    found["deep"] = asked(door, door.deep)
    found["one"] = asked(door, door.one)
    found["changes"] = asked(door, door.changes)
    for name, words in (("common", given.common), ("rare", given.rare), ("phrase", given.phrases)):
        found[name] = asked(door, [] if door.search is None else [door.search + quote(each) for each in words])
    if door.publish is not None:
        single = [post(door.publish, door.publisher, numbered(each, "n")) for each in given.contents]
        found["publish"] = Load(single, 201, 1)
        found["publish 8"] = Load(single, 201, CLIENTS)
    if door.batch is not None:
        contents = [numbered(given.contents[turn % len(given.contents)], f"b{turn}-") for turn in range(TOGETHER)]
        found["batch"] = Load([post(door.batch, door.publisher, contents)], 200, 1)
    return {name: load for name, load in found.items() if load.requests}


def asked(door: Door, addresses: Sequence[str]) -> Load:
    """Addresses with a number that nobody looks at."""
    marks = (f"{each}{'&' if '?' in each else '?'}_={MARK.decode()}" for each in addresses)
    return Load([get(each, door.reader) for each in marks])


def numbered(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {**content, "external_id": prefix + MARK.decode()}


def get(address: str, headers: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n".encode()


def post(address: str, headers: str, content: Any) -> bytes:
    """The number that comes in the place of the mark is as long as the mark."""
    body = json.dumps(content).encode()
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST {address} HTTP/1.1\r\nHost: {HOST}\r\n{headers}{kind}\r\n".encode() + body
